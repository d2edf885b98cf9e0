import { throwIfAborted } from '../base/abort.js'
import { evenRow, type RowSource } from '../rows/matrix.js'
import type { Corpus } from './corpus.js'

/** Float32 read at a time: two of these are in memory. */
const BATCH_BYTES = 1 << 21
/** Rows of a sample that lie no further apart are read together with the rows between them. */
const GAP_BYTES = 1 << 16

/** Rows of a corpus, good until the batch after the next is asked for. */
export interface CorpusBatch extends RowSource {
  readonly first: number
  /** What to call the rows in messages. */
  readonly name: string
}

/** All rows in order; the next batch is read while one is used. @throws PackvecError ABORTED, and those of reading */
export async function* batchesOf(corpus: Corpus, signal?: AbortSignal): AsyncGenerator<CorpusBatch> {
  const most = batchRows(corpus)
  const buffers = [0, 1].map(() => new Float32Array(Math.min(most, corpus.rows) * corpus.dims))
  const read = (first: number, turn: number) => {
    const { name, end } = corpus.part(first)
    const count = Math.min(most, end - first)
    const values = buffers[turn % 2]!
    const batch = corpus.read(first, count, values).then(() => batchOf(values, corpus.dims, first, count, name))
    // A failure is thrown where the batch is awaited; until then nobody listens.
    batch.catch(() => {})
    return { batch, end: first + count }
  }
  let next: ReturnType<typeof read> | undefined = corpus.rows > 0 ? read(0, 0) : undefined
  try {
    for (let turn = 1; next !== undefined; turn++) {
      const { batch, end }: Awaited<typeof next> = next
      const ready = await batch
      throwIfAborted(signal)
      next = end < corpus.rows ? read(end, turn) : undefined
      yield ready
    }
  } finally {
    // The corpus may be closed now: no read may be under way.
    await next?.batch.catch(() => {})
  }
}

/** The rows with the given numbers, which rise. */
export async function gatherRows(
  corpus: Corpus,
  numbers: ArrayLike<number>,
  onRows: (rows: number) => void,
  signal?: AbortSignal,
): Promise<RowSource> {
  const { dims } = corpus
  const most = batchRows(corpus)
  const gap = Math.max(1, Math.floor(GAP_BYTES / (4 * dims)))
  const buffer = new Float32Array(Math.min(most, corpus.rows) * dims)
  const values = new Float32Array(numbers.length * dims)
  for (let i = 0; i < numbers.length; ) {
    throwIfAborted(signal)
    const first = numbers[i]!
    const { end } = corpus.part(first)
    let behind = i + 1
    const joins = (row: number) => row < end && row < first + most && row - numbers[behind - 1]! <= gap
    while (behind < numbers.length && joins(numbers[behind]!)) behind++
    await corpus.read(first, numbers[behind - 1]! - first + 1, buffer)
    for (; i < behind; i++) {
      const at = (numbers[i]! - first) * dims
      values.set(buffer.subarray(at, at + dims), i * dims)
    }
    onRows(i)
  }
  const rowNumber = (i: number) => numbers[i]!
  return { rows: numbers.length, dims, single: false, rowNumber, copyRows: copier(values, dims) }
}

/** At most `count` rows of a corpus, evenly spaced. */
export function evenRows(corpus: Corpus, count: number, signal: AbortSignal | undefined): Promise<RowSource> {
  return gatherRows(corpus, evenNumbers(count, corpus.rows), () => {}, signal)
}

/** The numbers of `count` of `rows` rows, evenly spaced. */
export function evenNumbers(count: number, rows: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => evenRow(i, count, rows))
}

/** Rows read at a time, at most. */
export function batchRows({ dims }: Corpus): number {
  return Math.max(1, Math.floor(BATCH_BYTES / (4 * dims)))
}

function batchOf(values: Float32Array, dims: number, first: number, rows: number, name: string): CorpusBatch {
  const copyRows = copier(values, dims)
  return { first, name, rows, dims, single: false, rowNumber: (row) => first + row, copyRows }
}

function copier(values: Float32Array, dims: number): RowSource['copyRows'] {
  return (first, count, target, stride) => {
    if (stride === dims) {
      target.set(values.subarray(first * dims, (first + count) * dims))
      return
    }
    for (let i = first; i < first + count; i++) {
      target.set(values.subarray(i * dims, (i + 1) * dims), (i - first) * stride)
    }
  }
}
