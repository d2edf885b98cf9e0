import type { QuantizedEmbeddings } from './codes.js'
import { PackvecError } from './errors.js'
import { type NpyArray, type NpyData, npyHeader } from './format/npy.js'
import { QuantizedIndex } from './quantized-index.js'
import { withFile, writeFileAtomic } from './storage/file.js'
import { readNpyArray } from './storage/npy-file.js'

export type { NpyArray, NpyData, NpyDtype } from './format/npy.js'
export { writeFileAtomic } from './storage/file.js'

/** Bytes of data written at a time by `writeNpy`. */
const CHUNK_BYTES = 1 << 26

/**
 * Reads a `.npy` file of any length into one typed array, without a second copy: float16 (given as float32), float32,
 * float64, int8 or uint8 in C order. `{ data, dims }` is what `quantizeEmbeddings` and `QuantizedIndex.build` take.
 *
 * @throws PackvecError `IO`, `INVALID_FILE`, `UNSUPPORTED` (other dtypes, Fortran order, big-endian), `TOO_LARGE`
 */
export async function readNpy(path: string): Promise<NpyArray> {
  return withFile(path, readNpyArray)
}

/**
 * Writes codes, or a typed array with its shape, as the `.npy` file that `numpy.save` would write. Bits become a matrix of
 * rows x bytes, as sentence-transformers saves them. The file appears whole or not at all.
 *
 * @throws PackvecError `IO`, `INVALID_ARGUMENT`
 */
export async function writeNpy(
  path: string,
  array: QuantizedEmbeddings | { readonly data: NpyData; readonly dims: readonly number[] },
): Promise<void> {
  const { data } = array
  const dims = 'precision' in array ? [array.rows, array.rowBytes / data.BYTES_PER_ELEMENT] : toShape(array.dims)
  const header = npyHeader(data, dims)
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  await writeFileAtomic(path, inChunks(header, bytes))
}

/** Saves an index as one safetensors file, whole or not at all. @throws PackvecError `IO` */
export async function saveIndex(index: QuantizedIndex, path: string): Promise<void> {
  await writeFileAtomic(path, [index.toBytes()])
}

/** Opens an index that `saveIndex` or `index.toBytes()` wrote. @throws PackvecError `IO`, `INVALID_FILE`, `UNSUPPORTED` */
export async function loadIndex(path: string): Promise<QuantizedIndex> {
  return withFile(path, async (file) => {
    const bytes = allocate(file.bytes)
    await file.read(0, bytes)
    return QuantizedIndex.fromBytes(bytes)
  })
}

function toShape(dims: unknown): readonly number[] {
  if (Array.isArray(dims)) return dims
  throw new PackvecError('INVALID_ARGUMENT', 'dims', `dims must be [rows, dims], got ${typeof dims}`)
}

function* inChunks(...parts: Uint8Array[]): Generator<Uint8Array> {
  for (const part of parts) {
    for (let at = 0; at < part.length; at += CHUNK_BYTES) yield part.subarray(at, at + CHUNK_BYTES)
  }
}

function allocate(bytes: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(bytes)
  } catch (cause) {
    throw new PackvecError('TOO_LARGE', 'path', `there is no memory for the ${bytes} bytes of the file`, { cause })
  }
}
