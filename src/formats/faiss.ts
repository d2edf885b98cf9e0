import { PackvecError } from '../base/errors.js'
import { type FaissHeader, type FaissShape, faissHeader, faissRowValues, parseFaissHeader } from './faiss-header.js'

export {
  FAISS_HEADER_BYTES,
  type FaissHeader,
  type FaissKind,
  type FaissShape,
  faissHeader,
  faissIndexName,
  parseFaissHeader,
} from './faiss-header.js'

/** Rows x dims: bits as bytes (rows x dims / 8), or float32. */
export type FaissArray =
  | (FaissShape & { readonly kind: 'binary'; readonly data: Uint8Array })
  | (FaissShape & { readonly kind: 'ip' | 'l2'; readonly data: Float32Array })

/**
 * Reads a FAISS flat index file (IndexFlatIP, IndexFlatL2, IndexBinaryFlat), at any address. `data` is a copy.
 *
 * @throws PackvecError `INVALID_FILE`, `UNSUPPORTED` (see `parseFaissHeader`), `TOO_LARGE`
 */
export function decodeFaiss(file: Uint8Array | ArrayBuffer): FaissArray {
  const bytes = file instanceof Uint8Array ? file : new Uint8Array(file)
  const header = parseFaissHeader(bytes, bytes.length)
  const { target, array } = allocateFaiss(header)
  target.set(bytes.subarray(header.dataOffset))
  return array
}

/**
 * The one buffer that the rows are read into: fill `target` with the data bytes of the file, and `array` is whole.
 *
 * @throws PackvecError `TOO_LARGE` when there is no memory for it
 */
export function allocateFaiss({ kind, rows, dims, dataBytes }: FaissHeader): { target: Uint8Array; array: FaissArray } {
  try {
    const buffer = new ArrayBuffer(dataBytes)
    const target = new Uint8Array(buffer)
    if (kind === 'binary') return { target, array: { kind, data: target, rows, dims } }
    return { target, array: { kind, data: new Float32Array(buffer), rows, dims } }
  } catch (cause) {
    const message = `not enough memory for a FAISS index of ${rows} rows with ${dims} dimensions (${dataBytes} bytes)`
    throw new PackvecError('TOO_LARGE', 'faiss', message, { cause })
  }
}

/**
 * The file that `faiss.write_index` (ip, l2) or `faiss.write_index_binary` (binary) of FAISS 1.15 writes, bit for bit.
 *
 * @throws PackvecError `INVALID_ARGUMENT` when `data` does not fit kind, rows and dims
 */
export function encodeFaiss({ kind, data, rows, dims }: FaissArray): Uint8Array<ArrayBuffer> {
  const header = faissHeader({ kind, rows, dims })
  const Type = kind === 'binary' ? Uint8Array : Float32Array
  const length = rows * faissRowValues(kind, dims)
  if (!(data instanceof Type) || data.length !== length) {
    const got = `${Object.prototype.toString.call(data).slice(8, -1)}(${(data as { length?: number })?.length ?? ''})`
    const message = `data of kind ${kind}, ${rows} rows and ${dims} dims must be a ${Type.name}(${length}), got ${got}`
    throw new PackvecError('INVALID_ARGUMENT', 'data', message)
  }
  const file = new Uint8Array(header.length + data.byteLength)
  file.set(header)
  file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), header.length)
  return file
}
