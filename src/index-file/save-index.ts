import { PackvecError } from '../base/errors.js'
import { writeFileAtomic } from '../files/atomic-file.js'
import { withFile } from '../files/file.js'
import { nodeSha256 } from '../files/node-sha256.js'
import { checkPath } from '../files/path.js'
import type { QuantizedIndex } from '../search/quantized-index.js'
import { decodeIndexWith, encodeIndexWith } from './encode-index.js'

/** Saves an index as one safetensors file, whole or not at all. @throws PackvecError `IO` */
export async function saveIndex(index: QuantizedIndex, path: string): Promise<void> {
  const bytes = encodeIndexWith(index, nodeSha256)
  await writeFileAtomic(path, [bytes])
}

/** Opens an index that `saveIndex` or `encodeIndex` wrote. @throws PackvecError `IO`, `INVALID_FILE`, `UNSUPPORTED` */
export async function loadIndex(path: string): Promise<QuantizedIndex> {
  return withFile(checkPath(path), async (file) => {
    const bytes = allocate(file.bytes)
    await file.read(0, bytes)
    return decodeIndexWith(bytes, nodeSha256)
  })
}

function allocate(bytes: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(bytes)
  } catch (cause) {
    throw new PackvecError('TOO_LARGE', 'path', `not enough memory for the ${bytes} bytes of the file`, { cause })
  }
}
