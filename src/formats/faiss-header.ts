import { PackvecError } from '../base/errors.js'
import { invalid } from '../base/invalid.js'
import { wrongKind } from './kind.js'

/** IndexBinaryFlat, IndexFlatIP (inner product) or IndexFlatL2 (Euclidean distance). */
export type FaissKind = 'binary' | 'ip' | 'l2'

/** What a FAISS flat index has beside its values. */
export interface FaissShape {
  readonly kind: FaissKind
  readonly rows: number
  /** Dimensions as FAISS counts them: bits in 'binary', a multiple of 8. */
  readonly dims: number
}

export interface FaissHeader extends FaissShape {
  /** Bytes of one row in the file. */
  readonly rowBytes: number
  /** Where the rows begin, in bytes from the start of the file. */
  readonly dataOffset: number
  /** `rows * rowBytes`: the file is `dataOffset + dataBytes` bytes long. */
  readonly dataBytes: number
}

/** Bytes that always suffice for `parseFaissHeader`. */
export const FAISS_HEADER_BYTES = 45

/**
 * IxFI and IxF2: letters, d (int32), ntotal (int64), two int64 that nobody reads, is_trained (1 byte), metric (int32),
 * number of floats (uint64). IBxF: letters, d, bytes per row (int32), ntotal, is_trained, metric, number of bytes.
 */
const LAYOUTS = {
  binary: { letters: 'IBxF', index: 'IndexBinaryFlat', metric: 1, ntotalAt: 12, trainedAt: 20, headerBytes: 33 },
  ip: { letters: 'IxFI', index: 'IndexFlatIP', metric: 0, ntotalAt: 8, trainedAt: 32, headerBytes: 45 },
  l2: { letters: 'IxF2', index: 'IndexFlatL2', metric: 1, ntotalAt: 8, trainedAt: 32, headerBytes: 45 },
} as const
/** What FAISS writes into the two int64. */
const UNUSED = 1n << 20n
const MAX_DIMS = 2 ** 31 - 1

/** Kinds of index that are not read, by their letters: the usual ones, to name them. */
const OTHERS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ...{ IxFl: 'IndexFlat of another metric', IxSQ: 'IndexScalarQuantizer', IxPq: 'IndexPQ', IxHe: 'IndexLSH' },
    ...{ IxPT: 'IndexPreTransform', IxMp: 'IndexIDMap', IxM2: 'IndexIDMap2', IxRF: 'IndexRefineFlat' },
    ...{ IwFl: 'IndexIVFFlat', IwSq: 'IndexIVFScalarQuantizer', IwPQ: 'IndexIVFPQ', IPfs: 'IndexPQFastScan' },
    ...{ IHNf: 'IndexHNSWFlat', IHNs: 'IndexHNSWSQ', IHNp: 'IndexHNSWPQ', INSf: 'IndexNSGFlat' },
    ...{ IBwF: 'IndexBinaryIVF', IBHf: 'IndexBinaryHNSW', IBHh: 'IndexBinaryHash', IBMp: 'IndexBinaryIDMap' },
    ...{ IBM2: 'IndexBinaryIDMap2', IBFf: 'IndexBinaryFromFloat' },
  }),
)

/** The name of the FAISS index that begins with these bytes, read or not; undefined when it is none that is known. */
export function faissIndexName(prefix: Uint8Array): string | undefined {
  const letters = lettersOf(prefix)
  return Object.values(LAYOUTS).find((layout) => layout.letters === letters)?.index ?? OTHERS.get(letters)
}

/**
 * Reads and checks the header of a FAISS flat index. `prefix` is the file or its first `FAISS_HEADER_BYTES` bytes;
 * `fileBytes` is the length of the whole file, when it is known.
 *
 * @throws PackvecError `INVALID_FILE`, `UNSUPPORTED` for other kinds of index
 */
export function parseFaissHeader(prefix: Uint8Array, fileBytes?: number): FaissHeader {
  const kind = kindOf(prefix)
  const { letters, metric, ntotalAt, trainedAt, headerBytes } = LAYOUTS[kind]
  if (prefix.length < headerBytes) {
    throw invalid(
      'faiss',
      `the file is cut off: the header of ${letters} needs ${headerBytes} bytes, got ${prefix.length}`,
    )
  }
  const view = new DataView(prefix.buffer, prefix.byteOffset, prefix.byteLength)
  const check = (name: string, found: number | bigint, expected: number | bigint) => {
    if (found !== expected)
      throw invalid('faiss', `${name} of the FAISS index ${letters} must be ${expected}, got ${found}`)
  }
  const dims = view.getInt32(4, true)
  if (dims < 1) throw invalid('faiss', `d of the FAISS index ${letters} must be at least 1, got ${dims}`)
  if (kind === 'binary') {
    if (dims % 8 !== 0) throw invalid('faiss', `d of the FAISS index ${letters} must be a multiple of 8, got ${dims}`)
    check('code_size', view.getInt32(8, true), dims / 8)
  }
  const rowBytes = rowBytesOf(kind, dims)
  const ntotal = view.getBigInt64(ntotalAt, true)
  if (ntotal < 0n || ntotal * BigInt(rowBytes) > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw invalid(
      'faiss',
      `ntotal of the FAISS index ${letters} must be 0 to 2^53 / ${rowBytes}, at ${rowBytes} bytes per row, got ${ntotal}`,
    )
  }
  check('is_trained', view.getUint8(trainedAt), 1)
  check('metric_type', view.getInt32(trainedAt + 1, true), metric)
  const values = view.getBigUint64(trainedAt + 5, true)
  check(`the number of values (ntotal ${ntotal}, d ${dims})`, values, ntotal * BigInt(faissRowValues(kind, dims)))
  const rows = Number(ntotal)
  const header = { kind, rows, dims, rowBytes, dataOffset: headerBytes, dataBytes: rows * rowBytes }
  if (fileBytes !== undefined && fileBytes - headerBytes !== header.dataBytes) {
    const says = `${header.dataBytes} bytes of data (${letters}, ${rows} rows of ${rowBytes} bytes)`
    throw invalid(
      'faiss',
      `the FAISS header says ${says}, but the file has ${Math.max(fileBytes - headerBytes, 0)}: write it or fetch it again`,
    )
  }
  return header
}

/**
 * The bytes before the rows: write the rows after them, little-endian and without gaps, and the file is whole.
 *
 * @throws PackvecError `INVALID_ARGUMENT`
 */
export function faissHeader({ kind, rows, dims }: FaissShape): Uint8Array<ArrayBuffer> {
  if (!Object.hasOwn(LAYOUTS, kind)) throw refuse('kind', 'kind', `one of ${Object.keys(LAYOUTS).join(', ')}`, kind)
  const step = kind === 'binary' ? 8 : 1
  if (!Number.isInteger(dims) || dims < 1 || dims > MAX_DIMS || dims % step !== 0) {
    throw refuse(
      'dims',
      `dims of kind ${kind}`,
      `a ${step === 8 ? 'multiple of 8' : 'whole number'} from ${step} to ${MAX_DIMS}`,
      dims,
    )
  }
  if (!Number.isSafeInteger(rows) || rows < 0 || !Number.isSafeInteger(rows * rowBytesOf(kind, dims))) {
    throw refuse('rows', 'rows', 'a whole number of at least 0, and all rows below 2^53 bytes', rows)
  }
  const { letters, metric, ntotalAt, trainedAt, headerBytes } = LAYOUTS[kind]
  const header = new Uint8Array(headerBytes)
  const view = new DataView(header.buffer)
  header.set(Array.from(letters, (letter) => letter.charCodeAt(0)))
  view.setInt32(4, dims, true)
  if (kind === 'binary') view.setInt32(8, dims / 8, true)
  view.setBigInt64(ntotalAt, BigInt(rows), true)
  for (let at = ntotalAt + 8; at < trainedAt; at += 8) view.setBigInt64(at, UNUSED, true)
  view.setUint8(trainedAt, 1)
  view.setInt32(trainedAt + 1, metric, true)
  view.setBigUint64(trainedAt + 5, BigInt(rows) * BigInt(faissRowValues(kind, dims)), true)
  return header
}

function kindOf(prefix: Uint8Array): FaissKind {
  if (prefix.length === 0) throw invalid('faiss', wrongKind(prefix, 'a FAISS index')!)
  if (prefix.length < 4)
    throw invalid(
      'faiss',
      `the file is cut off: a FAISS index begins with 4 letters, this file has ${prefix.length} bytes`,
    )
  const letters = lettersOf(prefix)
  const kind = (['binary', 'ip', 'l2'] as const).find((name) => LAYOUTS[name].letters === letters)
  if (kind !== undefined) return kind
  const flat = 'IxFI (IndexFlatIP), IxF2 (IndexFlatL2) or IBxF (IndexBinaryFlat)'
  const other = OTHERS.get(letters)
  if (other === undefined) {
    const kind = wrongKind(prefix, 'a FAISS index')
    throw invalid(
      'faiss',
      kind ?? `a FAISS flat index begins with ${flat}, this file begins with ${JSON.stringify(letters)}`,
    )
  }
  const message = `only flat FAISS indexes are read: expected ${flat}, got ${letters} (${other})`
  throw new PackvecError('UNSUPPORTED', 'faiss', message)
}

function lettersOf(prefix: Uint8Array): string {
  return String.fromCharCode(...prefix.subarray(0, 4))
}

/** Elements of one row: bytes in 'binary', floats otherwise. */
export function faissRowValues(kind: FaissKind, dims: number): number {
  return kind === 'binary' ? dims / 8 : dims
}

function rowBytesOf(kind: FaissKind, dims: number): number {
  return kind === 'binary' ? dims / 8 : 4 * dims
}

function refuse(argument: string, name: string, expected: string, got: unknown): PackvecError {
  return new PackvecError('INVALID_ARGUMENT', argument, `${name} must be ${expected}, got ${got}`)
}
