/// <reference lib="esnext.disposable" preserve="true" />
import { checkIterable, checkSameDims } from '../base/check.js'
import { closedError } from '../base/closed.js'
import { checkOptions, type OptionChecks } from '../base/options.js'
import { checkOwn, OWN, showAs } from '../base/shown.js'
import type { Precision } from '../codes/precision.js'
import type { Backend } from '../kernels/workspace.js'
import { allowedRows, copyFilter, type Filter } from '../rows/filter.js'
import { allowedInShards, type StoredFilter } from '../rows/filter-rows.js'
import type { Id } from '../rows/ids.js'
import { type Embeddings, type Matrix, type RowSource, readRows, toRows, type Vector } from '../rows/matrix.js'
import { checkSearchOptions, SEARCH_CHECKS, type SearchOptions } from '../search/search-options.js'
import type { Stages } from '../search/stages.js'
import type { Transform } from '../transform/transform.js'
import { DEADLINE_CHECKS, Deadline } from './deadline.js'
import { IndexNames } from './index-names.js'
import type { StoredResult } from './name-results.js'
import { RowScorer } from './row-scorer.js'
import { searchAll } from './search-all.js'
import { firstRows, type SearchedShards } from './search-shards.js'
import type { StoredShard } from './shard.js'

/** Options of a search over an index in a file; the filter goes by the ids that the file has. */
export interface StoredSearchOptions extends Omit<SearchOptions, 'filter'> {
  readonly filter?: StoredFilter
  readonly signal?: AbortSignal
  /** Milliseconds that the search may take; for `searchBatches`, each batch. */
  readonly timeout?: number
}

const STORED_SEARCH_CHECKS: OptionChecks<StoredSearchOptions> = {
  ...SEARCH_CHECKS,
  ...DEADLINE_CHECKS,
}

/** What an open index has, until it is closed. */
interface OpenShards extends SearchedShards {
  readonly transform: Transform
  readonly names: IndexNames
  readonly size: number
  readonly rows: number
  readonly byteLength: number
}

/**
 * An index in one or several files. The codes of the first stage are in memory; the codes that rescore stay in the file and are
 * read for the candidates only. Results are those of the whole index in memory, bit for bit. Searches may run side by side.
 * `openIndex` opens it.
 */
export class StoredIndex {
  #open: OpenShards | undefined
  #closing: Promise<void> | undefined

  private constructor(own: object, open: OpenShards) {
    checkOwn(own, 'StoredIndex', 'openIndex(source)')
    showAs(this, 'StoredIndex', 'size dims coarse rescore backend byteLength')
    this.#open = open
  }

  /** An index of files whose first stage is in memory. @internal */
  static ofShards(shards: readonly StoredShard[], stages: Stages): StoredIndex {
    const { transform, onDisk } = shards[0]!
    const scorer = onDisk && new RowScorer(transform.dims, onDisk.column)
    const rows = firstRows(shards).at(-1)!
    const facts = {
      rows,
      names: new IndexNames(shards, rows),
      size: shards.reduce((sum, { rows, live }) => sum + (live?.count ?? rows), 0),
      byteLength: shards.reduce((sum, { store }) => sum + store.workspace.buffer.byteLength, 0),
    }
    return new StoredIndex(OWN, { shards, stages, scorer, transform, ...facts })
  }

  /** Number of rows that can be found: deleted ones are not counted. */
  get size(): number {
    return this.#content.size
  }

  /** Number of all rows, the deleted ones too: how many bits a filter has. */
  get rows(): number {
    return this.#content.rows
  }

  /** Dimensions of embeddings and queries. */
  get dims(): number {
    return this.#content.transform.inputDims
  }

  /** What runs the kernels of this index. */
  get backend(): Backend {
    return this.#content.shards[0]!.store.workspace.backend
  }

  /** Bytes of the memories that hold codes. */
  get byteLength(): number {
    return this.#content.byteLength
  }

  /** SHA-256 of the header of each file, 64 hex digits: what the option `sha256` of `openIndex` pins. */
  get sha256(): readonly string[] {
    return this.#content.shards.map(({ sha256 }) => sha256)
  }

  /** Precision of the codes that the first stage scans. */
  get coarse(): Precision {
    return this.#content.stages.coarse
  }

  /** Precision of the codes that rescore the candidates; 'none' for one stage. */
  get rescore(): Precision | 'none' {
    return this.#content.stages.rescore
  }

  /**
   * The rows nearest to a float query, or to each of several: a vector gives one result, a matrix an array of them. Queries
   * and filter are copied before this returns.
   * @throws (rejects with) PackvecError as `QuantizedIndex.search` does; ABORTED, TIMEOUT; IO, INVALID_FILE, CHANGED where
   * the file cannot be read, is damaged, or is another one now
   */
  search(query: Vector, options?: StoredSearchOptions): Promise<StoredResult>
  search(queries: Matrix, options?: StoredSearchOptions): Promise<StoredResult[]>
  async search(queries: Embeddings, options?: StoredSearchOptions): Promise<StoredResult | StoredResult[]> {
    const open = this.#content
    const { filter, signal, timeout, ...others } = checkOptions(options, STORED_SEARCH_CHECKS)
    const checked = checkSearchOptions(others, open.stages.coarse)
    const wanted = filter === undefined ? undefined : copyFilter(filter as Filter)
    const source = toRows(queries, 'query')
    const copy = source.rows === 0 ? source : this.#copy(source)
    const deadline = new Deadline({ signal, timeout })
    try {
      const rows = wanted && (await open.names.rowsOf(wanted, deadline.signal))
      const allowed = allowedInShards(rows, open.shards)
      const results = await searchAll(open, copy, { ...checked, allowed, signal: deadline.signal }, deadline)
      return source.single ? results[0]! : results
    } catch (error) {
      // Whatever a source says that was closed meanwhile.
      throw this.#open === undefined && !deadline.signal.aborted ? closed() : error
    } finally {
      deadline.clear()
    }
  }

  /**
   * `search` that always returns an array: one result for a vector, as for a matrix of one row. For callers who
   * do not know which of the two they have.
   * @throws (rejects with) what `search` does
   */
  async searchMany(queries: Embeddings, options?: StoredSearchOptions): Promise<StoredResult[]> {
    return [await this.search(queries as Matrix, options)].flat()
  }

  /**
   * Searches matrix by matrix, as they come: an array of results for each, in order. Memory stays that of two matrices and
   * their results; while the candidates of one are read, the next is scanned.
   * @throws (rejects with) what `search` throws, and any error of `batches`
   */
  async *searchBatches(
    batches: AsyncIterable<Matrix> | Iterable<Matrix>,
    options?: StoredSearchOptions,
  ): AsyncGenerator<StoredResult[]> {
    checkIterable(batches, 'batches', 'an iterable of matrices')
    let before: Promise<StoredResult[]> | undefined
    for await (const batch of batches) {
      const running = this.search(batch, options)
      // A failure is thrown where it is awaited, which may be after the one before it.
      running.catch(() => {})
      if (before !== undefined) yield await before
      before = running
    }
    if (before !== undefined) yield await before
  }

  /**
   * Ids or keys as a filter of bits, for one that is used again: looking names up takes longer than a search. Ids that no row
   * has are left out.
   */
  async filterOf(ids: readonly Id[] | Uint32Array | ReadonlySet<Id>): Promise<{ readonly bits: Uint8Array }> {
    const { rows, names } = this.#content
    const { bits } = allowedRows(await names.rowsOf(copyFilter(ids as Filter), undefined), rows, 'the index')!
    return { bits }
  }

  /**
   * Frees the memory and lets go of files and connections. Everything but `close` gives `DISPOSED` from then on, and so does
   * a search under way that would read more.
   */
  close(): Promise<void> {
    const open = this.#open
    this.#open = undefined
    this.#closing ??= closeAll(open?.shards ?? [])
    return this.#closing
  }

  /** `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  get #content(): OpenShards {
    if (this.#open !== undefined) return this.#open
    throw closed()
  }

  /** The queries as they are now, checked. */
  #copy(source: RowSource): RowSource {
    const { inputDims, dims } = this.#content.transform
    if (source.dims !== dims) checkSameDims('query', source.dims, inputDims, 'the index')
    const { values } = readRows([source], 'query')
    return toRows({ data: values, dims: [source.rows, source.dims] }, 'query')
  }
}

const closed = () => closedError('index', 'closed: open it again')

async function closeAll(shards: readonly StoredShard[]): Promise<void> {
  await Promise.all(shards.map(({ source }) => source.close()))
}
