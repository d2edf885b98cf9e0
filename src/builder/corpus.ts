import { failEmpty } from '../base/check.js'
import { PackvecError } from '../base/errors.js'
import { widenHalves } from '../base/half.js'
import { MAX_DIMS } from '../base/max-dims.js'
import { naming, type OpenFile, openFile } from '../files/file.js'
import { readNpyHeader } from '../files/npy-file.js'
import type { NpyHeader } from '../formats/npy.js'
import { bytesOf } from '../index-file/layout.js'
import type { Spool } from './spool.js'

/** Rows of float32 that are read as often as needed, never held as a whole. */
export interface Corpus {
  readonly rows: number
  readonly dims: number
  /** Bytes that a row takes in its source. */
  readonly rowBytes: number
  /** The part that a row belongs to, for messages, and the row after the last one of that part. */
  part(row: number): { readonly name: string; readonly end: number }
  /** Fills `target` with rows of one part. */
  read(first: number, count: number, target: Float32Array): Promise<void>
  close(): Promise<void>
}

interface NpyPart {
  readonly path: string
  readonly file: OpenFile
  readonly header: NpyHeader
  readonly first: number
  readonly end: number
}

/** Ids are uint32. */
const MAX_ROWS = 2 ** 32 - 1

/**
 * Opens `.npy` files as one corpus, in the order given.
 * @throws PackvecError `IO`, `INVALID_FILE`, `UNSUPPORTED`, `QUANTIZED_INPUT`, `DIMS_MISMATCH`, `EMPTY`, `TOO_LARGE`
 */
export async function openNpyCorpus(paths: readonly string[]): Promise<Corpus> {
  const parts: NpyPart[] = []
  const closers: (() => Promise<void>)[] = []
  const close = async () => {
    await Promise.all(closers.map((closeFile) => closeFile()))
  }
  try {
    for (const path of paths) {
      const file = await openFile(path)
      closers.push(file.close)
      const header = await readNpyHeader(file).catch((error) => Promise.reject(naming(path, error)))
      const first = parts.at(-1)?.end ?? 0
      parts.push({ path, file, header, first, end: first + checkShape(path, header, parts[0]) })
    }
    const rows = parts.at(-1)?.end ?? 0
    checkRowCount(rows, 'source')
    const { header } = parts[0]!
    const find = (row: number) => parts.find(({ end }) => row < end)!
    return {
      rows,
      dims: dimsOf(header),
      rowBytes: dimsOf(header) * header.itemBytes,
      part: (row) => ({ name: find(row).path, end: find(row).end }),
      read: (first, count, target) => readPart(find(first), first, count, target),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** The rows of a spool of float32. */
export function spoolCorpus(spool: Spool, dims: number): Corpus {
  const rowBytes = 4 * dims
  const rows = spool.byteLength / rowBytes
  return {
    rows,
    dims,
    rowBytes,
    part: () => ({ name: 'embeddings', end: rows }),
    read: (first, count, target) => spool.read(first * rowBytes, bytesOf(target.subarray(0, count * dims))),
    close: () => spool.close(),
  }
}

/** @throws PackvecError EMPTY or TOO_LARGE */
export function checkRowCount(rows: number, argument: string): void {
  if (rows === 0) failEmpty(argument)
  if (rows <= MAX_ROWS) return
  throw new PackvecError('TOO_LARGE', argument, `${argument} has ${rows} rows, more than the possible ${MAX_ROWS}`)
}

async function readPart(part: NpyPart, first: number, count: number, target: Float32Array): Promise<void> {
  const { file, header, path } = part
  const dims = dimsOf(header)
  const values = target.subarray(0, count * dims)
  const position = header.dataOffset + (first - part.first) * dims * header.itemBytes
  try {
    if (header.dtype === 'float64') {
      const wide = new Float64Array(values.length)
      await file.read(position, bytesOf(wide))
      values.set(wide)
      return
    }
    const bytes = bytesOf(values)
    // Halves go to the back of the floats and are widened from the front.
    await file.read(position, header.dtype === 'float16' ? bytes.subarray(2 * values.length) : bytes)
    if (header.dtype === 'float16') widenHalves(values)
  } catch (error) {
    throw naming(path, error)
  }
}

/** Checks one file against the first; gives its rows. */
function checkShape(path: string, header: NpyHeader, first: NpyPart | undefined): number {
  const { dtype, shape } = header
  if (!dtype.startsWith('float')) {
    const message = `${path}: expected float embeddings, got ${dtype}, which are codes: pass the embeddings themselves`
    throw new PackvecError('QUANTIZED_INPUT', 'source', message)
  }
  const dims = dimsOf(header)
  if (shape.length > 2 || dims === 0 || dims > MAX_DIMS) {
    const message = `${path}: expected a matrix of rows x 1 to ${MAX_DIMS} dims, got shape ${shape.join(' x ')}`
    throw new PackvecError('INVALID_FILE', 'source', message)
  }
  const expected = first === undefined ? dims : dimsOf(first.header)
  if (dims !== expected) {
    throw new PackvecError('DIMS_MISMATCH', 'source', `${path} has ${dims} dimensions, ${first!.path} has ${expected}`)
  }
  return shape.length === 1 ? 1 : shape[0]!
}

function dimsOf({ shape }: NpyHeader): number {
  return shape.at(-1)!
}
