import { describe } from '../base/check.js'
import { PackvecError } from '../base/errors.js'
import type { QuantizedEmbeddings } from '../codes/codes.js'
import { typedArray } from '../codes/typed-array.js'
import { type FaissArray, type FaissKind, faissHeader } from '../formats/faiss.js'
import { type NpyArray, type NpyData, npyHeader } from '../formats/npy.js'
import { writeFileAtomic } from './atomic-file.js'
import { readFaissArray } from './faiss-file.js'
import { withFile } from './file.js'
import { readNpyArray } from './npy-file.js'
import { checkPath } from './path.js'

/** Bytes of data written at a time. */
const CHUNK_BYTES = 1 << 26

/**
 * Reads a `.npy` file of any length into one typed array, without a second copy: float16 (given as float32), float32,
 * float64, int8 or uint8 in C order. `{ data, dims }` is what `quantizeEmbeddings` and `QuantizedIndex.build` take.
 *
 * @throws PackvecError `IO`, `INVALID_FILE`, `UNSUPPORTED` (other dtypes, Fortran order, big-endian), `TOO_LARGE`
 */
export async function readNpy(path: string): Promise<NpyArray> {
  return withFile(checkPath(path), readNpyArray)
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
  const { data, shape } = typedArray<NpyData>(array)
  const header = npyHeader(data, shape)
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  await writeFileAtomic(path, inChunks(header, bytes))
}

/**
 * Reads a FAISS flat index: IndexFlatIP and IndexFlatL2 (`data` is rows x dims float32) or IndexBinaryFlat (rows x
 * dims / 8 bytes, the codes of `ubinary`).
 *
 * @throws PackvecError `IO`, `INVALID_FILE`, `UNSUPPORTED` (other kinds of index), `TOO_LARGE`
 */
export async function readFaiss(path: string): Promise<FaissArray> {
  return withFile(checkPath(path), readFaissArray)
}

/**
 * Writes what `faiss.read_index` (float32) or `faiss.read_index_binary` (bits) opens. `array` is codes of `ubinary` or
 * `float32`, or a typed array with its shape: a Uint8Array of rows x bytes, a Float32Array of rows x dims. FAISS counts
 * whole bytes: 19 bits per row come back as 24. The file appears whole or not at all.
 *
 * @param kind 'binary' for bits; 'ip' (default, IndexFlatIP) or 'l2' (IndexFlatL2) for float32
 * @throws PackvecError `IO`, `INVALID_ARGUMENT`
 */
export async function writeFaiss(
  path: string,
  array: QuantizedEmbeddings | { readonly data: Float32Array | Uint8Array; readonly dims: readonly number[] },
  kind?: FaissKind,
): Promise<void> {
  const { data, shape, precision } = typedArray<Float32Array | Uint8Array>(array)
  if (precision !== undefined && precision !== 'ubinary' && precision !== 'float32') {
    const message = `FAISS flat files hold ubinary or float32, got codes of precision ${precision}: quantize to ubinary`
    throw new PackvecError('INVALID_ARGUMENT', 'array', message)
  }
  const [rows = 0, columns = 0] = shape
  if (shape.length !== 2 || rows * columns !== data.length) {
    const expected = `[rows, columns] with product ${data.length}, the length of data`
    const message = `dims must be ${expected}; got [${shape.join(', ')}]`
    throw new PackvecError('INVALID_ARGUMENT', 'dims', message)
  }
  const isBits = data instanceof Uint8Array
  const header = faissHeader({ kind: checkKind(kind, data), rows, dims: isBits ? 8 * columns : columns })
  await writeFileAtomic(path, inChunks(header, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)))
}

function checkKind(kind: FaissKind | undefined, data: unknown): FaissKind {
  const isBits = data instanceof Uint8Array
  if (!isBits && !(data instanceof Float32Array)) {
    const got = Object.prototype.toString.call(data).slice(8, -1)
    throw new PackvecError('INVALID_ARGUMENT', 'data', `data must be a Float32Array or Uint8Array, got ${got}`)
  }
  const kinds: readonly FaissKind[] = isBits ? ['binary'] : ['ip', 'l2']
  if (kind === undefined) return kinds[0]!
  if (kinds.includes(kind)) return kind
  const message = `kind must be ${kinds.join(' or ')} for ${isBits ? 'a Uint8Array' : 'a Float32Array'}, got ${typeof kind === 'string' ? kind : describe(kind)}`
  throw new PackvecError('INVALID_ARGUMENT', 'kind', message)
}

function* inChunks(...parts: Uint8Array[]): Generator<Uint8Array> {
  for (const part of parts) {
    for (let at = 0; at < part.length; at += CHUNK_BYTES) yield part.subarray(at, at + CHUNK_BYTES)
  }
}
