import { throwIfAborted } from '../base/abort.js'
import { checkIterable, checkSameDims, fail, reading } from '../base/check.js'
import { PackvecError } from '../base/errors.js'
import { scratchEncoder } from '../codes/encoder.js'
import { bytesOf } from '../index-file/layout.js'
import { checkIds, failIdCount, takeIds } from '../rows/check-ids.js'
import type { Id } from '../rows/ids.js'
import { isTensorLike, type RowSource, toRows } from '../rows/matrix.js'
import { type Corpus, checkRowCount, openNpyCorpus, spoolCorpus } from './corpus.js'
import type { IdList } from './id-list.js'
import type { Batch, BatchIds, Ids, RowsInput, WorkOptions } from './options.js'
import { Progress } from './progress.js'
import { Spool } from './spool.js'

/** Float32 spooled at a time. */
const SPOOL_BYTES = 1 << 22

/**
 * Batches of rows that come once, kept as float32 in a spool: rows are needed twice where something is calibrated, and always
 * their number before the first code has its place in the file. One way for all that comes in batches.
 */
export class Intake {
  readonly #spool: Spool
  readonly #ids: IdList
  readonly #work: WorkOptions
  #progress: Progress | undefined
  #dims = 0
  #rows = 0
  #hasIds = false
  #room = new Float32Array(0)

  private constructor(spool: Spool, ids: IdList, work: WorkOptions) {
    this.#spool = spool
    this.#ids = ids
    this.#work = work
  }

  /** @param target the file beside which the rows are kept meanwhile */
  static async open(target: string, ids: IdList, work: WorkOptions): Promise<Intake> {
    return new Intake(await Spool.open(target), ids, work)
  }

  /** Rows taken so far. */
  get rows(): number {
    return this.#rows
  }

  /** Takes some rows; on any error none is taken. @throws PackvecError NOT_FINITE, DIMS_MISMATCH, IO, ... */
  async add(embeddings: Batch['embeddings'], ids?: BatchIds): Promise<void> {
    throwIfAborted(this.#work.signal)
    const source: RowSource = { ...toRows(embeddings, 'embeddings'), rowNumber: (row) => this.#rows + row }
    const { rows, dims } = source
    const idArray = this.#checkIds(ids, rows)
    if (rows === 0) return
    if (this.#rows > 0) checkSameDims('embeddings', dims, this.#dims, 'the earlier rows')
    scratchEncoder(dims).encoder.forEachChunk(source, 'embeddings', () => {})
    const before = { bytes: this.#spool.byteLength, ids: this.#ids.mark() }
    try {
      await this.#append(source)
      if (idArray !== undefined) await this.#ids.add(idArray)
      this.#progress ??= new Progress(this.#work.onProgress, 'spool', undefined, 4 * dims)
      this.#progress.report(this.#rows + rows)
    } catch (error) {
      await this.#spool.truncate(before.bytes)
      await this.#ids.rollBack(before.ids)
      throw error
    }
    this.#hasIds = idArray !== undefined
    this.#dims = dims
    this.#rows += rows
  }

  /** The ids of a batch, one for each row, or none as before. */
  #checkIds(ids: BatchIds | undefined, rows: number): readonly Id[] | undefined {
    const idArray = ids === undefined ? undefined : takeIds(ids, rows)
    if (idArray !== undefined) this.#ids.check(idArray)
    const hasIds = idArray !== undefined
    if (rows > 0 && this.#rows > 0 && hasIds !== this.#hasIds) {
      const message = this.#hasIds
        ? `ids: the rows before have ids, so every row needs one; got none for ${rows} rows`
        : `ids: the rows before have no ids, so these cannot have any; got ${rows}`
      throw new PackvecError('INVALID_ARGUMENT', 'ids', message)
    }
    return idArray
  }

  async #append(source: RowSource): Promise<void> {
    const { rows, dims } = source
    const most = Math.max(1, Math.floor(SPOOL_BYTES / (4 * dims)))
    for (let first = 0; first < rows; first += most) {
      const count = Math.min(most, rows - first)
      const values = this.#piece(count * dims)
      source.copyRows(first, count, values, dims)
      await this.#spool.append(bytesOf(values))
    }
  }

  /** All rows that came; closing the corpus frees them. @throws PackvecError EMPTY or TOO_LARGE */
  corpus(): Corpus {
    checkRowCount(this.#rows, 'embeddings')
    return spoolCorpus(this.#spool, this.#dims)
  }

  async close(): Promise<void> {
    await this.#spool.close()
  }

  /** Room for floats on their way to the spool, the same again and again. */
  #piece(length: number): Float32Array {
    if (this.#room.length < length) this.#room = new Float32Array(length)
    return this.#room.subarray(0, length)
  }
}

/** The rows of any source as a corpus; ids go to `ids`. */
export async function collectRows(
  target: string,
  source: RowsInput,
  given: Ids | undefined,
  ids: IdList,
  work: WorkOptions,
): Promise<Corpus> {
  if (given !== undefined) checkIds(given)
  const before = ids.count
  const corpus = await openCorpus(target, source, ids, work)
  try {
    if (given !== undefined) {
      if (ids.count > before) fail('INVALID_ARGUMENT', 'ids', 'given with the batches or as the option ids', 'both')
      await ids.add(given)
    }
    const count = ids.count - before
    // None at all may be right: the caller knows.
    if (count > 0 && count !== corpus.rows) {
      failIdCount(corpus.rows, count)
    }
    return corpus
  } catch (error) {
    await corpus.close()
    throw error
  }
}

async function openCorpus(target: string, source: RowsInput, ids: IdList, work: WorkOptions): Promise<Corpus> {
  if (typeof source === 'string') return openNpyCorpus([source])
  if (isPaths(source)) return openNpyCorpus(source)
  const intake = await Intake.open(target, ids, work)
  try {
    for await (const item of batchesIn(source)) {
      if (isBatch(item)) await intake.add(item.embeddings, item.ids)
      else await intake.add(item)
    }
    return intake.corpus()
  } catch (error) {
    await intake.close()
    throw error
  }
}

function batchesIn(
  source: Exclude<RowsInput, string>,
): Iterable<Batch | Batch['embeddings']> | AsyncIterable<Batch | Batch['embeddings']> {
  // One matrix, or one vector, is one batch.
  const isOne = reading('source', () => isTensorLike(source)) || ArrayBuffer.isView(source)
  if (isOne) return [source as unknown as Batch['embeddings']]
  checkIterable(source, 'source', 'paths of .npy files, or batches of embeddings')
  return source as Exclude<typeof source, readonly string[]>
}

/** The files that rows come from, for `refuseInputs`. */
export function pathsIn(source: RowsInput): [name: string, path: string][] {
  const paths = typeof source === 'string' ? [source] : isPaths(source) ? source : []
  return paths.map((path) => ['source', path])
}

function isPaths(source: RowsInput): source is readonly string[] {
  return reading('source', () => {
    if (!Array.isArray(source)) return false
    // Not `every`, which passes over holes: an array may claim billions of them.
    for (const item of source) if (typeof item !== 'string') return false
    return true
  })
}

function isBatch(item: Batch | Batch['embeddings']): item is Batch {
  return typeof item === 'object' && item !== null && reading('source', () => 'embeddings' in item)
}
