import { throwIfAborted } from '../base/abort.js'
import { checkSameDims } from '../base/check.js'
import { PackvecError } from '../base/errors.js'
import { scratchEncoder } from '../codes/encoder.js'
import { bytesOf } from '../index-file/layout.js'
import { takeIds } from '../rows/check-ids.js'
import type { Id } from '../rows/ids.js'
import { type RowSource, toRows } from '../rows/matrix.js'
import { type Corpus, checkRowCount, spoolCorpus } from './corpus.js'
import type { IdList } from './id-list.js'
import type { Batch, BatchIds, WorkOptions } from './options.js'
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
