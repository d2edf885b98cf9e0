/// <reference lib="esnext.disposable" preserve="true" />
import { PackvecError } from '../base/errors.js'
import { checkOptions } from '../base/options.js'
import { checkOwn, OWN, showAs } from '../base/shown.js'
import { checkPath } from '../files/path.js'
import { refuseInputs } from '../files/target.js'
import { checkIds } from '../rows/check-ids.js'
import type { Embeddings } from '../rows/matrix.js'
import { checkBuildOptions, writeNew } from './build.js'
import { IdList } from './id-list.js'
import { Intake } from './intake.js'
import { type BatchIds, BUILD_INDEX_CHECKS, type BuildIndexOptions } from './options.js'

/** What may go well the next time. */
const REPEATABLE: readonly string[] = ['IO', 'LOCKED', 'CHANGED']

/** Builds an index file from batches that the caller brings one by one; `buildIndex` takes them from an iterable. */
export class IndexBuilder {
  readonly #path: string
  readonly #options: BuildIndexOptions
  readonly #ids: IdList
  readonly #intake: Intake
  #isOpen = true
  /** Settles when the calls before have ended: they work one after the other. */
  #last: Promise<unknown> = Promise.resolve()

  private constructor(own: object, path: string, options: BuildIndexOptions, ids: IdList, intake: Intake) {
    checkOwn(own, 'IndexBuilder', 'IndexBuilder.open(path)')
    showAs(this, 'IndexBuilder', 'path rows')
    this.#path = path
    this.#options = options
    this.#ids = ids
    this.#intake = intake
  }

  /** @throws PackvecError `INVALID_ARGUMENT`, `IO` */
  static async open(target: string, given?: Omit<BuildIndexOptions, 'ids'>): Promise<IndexBuilder> {
    const path = checkPath(target)
    const { ids: _, ...checks } = BUILD_INDEX_CHECKS
    const options = checkBuildOptions(given, checks)
    await refuseInputs(path, [['index to follow', options.like]])
    const ids = new IdList(path)
    return new IndexBuilder(OWN, path, options, ids, await Intake.open(path, ids, options))
  }

  /** The file that `finish` writes. */
  get path(): string {
    return this.#path
  }

  /** Number of rows taken so far. */
  get rows(): number {
    return this.#intake.rows
  }

  /**
   * Takes some rows, with an id for each or for none of them all. On any error none is taken, and the builder goes on. Calls
   * need not wait for one another: their rows come in the order of the calls. `embeddings` must stay as they are until the
   * promise settles.
   * @throws PackvecError NOT_FINITE, RAGGED_ROWS, DIMS_MISMATCH, INVALID_ARGUMENT (ids), IO
   */
  async add(embeddings: Embeddings, options?: { readonly ids?: BatchIds }): Promise<void> {
    this.#checkOpen()
    const { ids } = checkOptions(options, { ids: checkIds })
    await this.#inTurn(() => this.#intake.add(embeddings, ids))
  }

  /**
   * Waits for the rows under way and writes the file. Where that fails for want of room or for another writer (`IO`,
   * `LOCKED`, `CHANGED`), the rows are kept: call it again, or `discard`.
   * @throws PackvecError as `buildIndex` does
   */
  async finish(): Promise<void> {
    this.#checkOpen()
    this.#isOpen = false
    await this.#inTurn(async () => {
      try {
        await writeNew(this.#path, this.#intake.corpus(), this.#ids, this.#options)
      } catch (error) {
        this.#isOpen = error instanceof PackvecError && REPEATABLE.includes(error.code)
        throw error
      } finally {
        if (!this.#isOpen) await this.#close()
      }
    })
  }

  /** Forgets all rows; nothing was written. */
  async discard(): Promise<void> {
    this.#isOpen = false
    await this.#inTurn(() => this.#close())
  }

  /** `discard`, for `await using`: after `finish` there is nothing left to forget. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.discard()
  }

  async #close(): Promise<void> {
    await this.#intake.close()
    await this.#ids.close()
  }

  async #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(run)
    this.#last = turn.catch(() => {})
    return turn
  }

  #checkOpen(): void {
    if (!this.#isOpen)
      throw new PackvecError('INVALID_ARGUMENT', 'builder', 'the builder is finished or discarded: open another one')
  }
}
