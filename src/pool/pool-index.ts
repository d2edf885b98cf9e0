import { checkSameDims } from '../base/check.js'
import { closedError } from '../base/closed.js'
import { checkOptions, type OptionChecks } from '../base/options.js'
import { checkOwn, OWN, showAs } from '../base/shown.js'
import type { Precision } from '../codes/precision.js'
import { DEADLINE_CHECKS, Deadline } from '../in-place/deadline.js'
import { type Allowed, allowedRows } from '../rows/filter.js'
import { type Embeddings, type Matrix, type RowSource, readRows, toRows, type Vector } from '../rows/matrix.js'
import { ADD_CHECKS, type AddOptions, extendIds } from '../search/add-options.js'
import { takeNote } from '../search/build-plan.js'
import { mergeShards } from '../search/merge.js'
import { checkSearchOptions, SEARCH_CHECKS, type SearchOptions } from '../search/search-options.js'
import { cutBelow, emptyResult, type SearchResult } from '../search/search-result.js'
import { transformQueries } from '../search/transform-queries.js'
import { transformRows } from '../transform/transform.js'
import type { Content } from './content.js'
import { settleAll } from './errors.js'
import { sharedFloats } from './feed.js'
import { growShards, remakeShards } from './grow.js'
import type { Link } from './link.js'
import type { Transport } from './transport.js'

/** Options of a search by several threads. */
export interface PoolSearchOptions extends SearchOptions {
  /** Rejects the search at once when aborted; what the workers began they end, and the next search waits for that. */
  readonly signal?: AbortSignal
  /** Milliseconds that the search may take, those included that it waits for its turn. */
  readonly timeout?: number
}

const POOL_SEARCH_CHECKS: OptionChecks<PoolSearchOptions> = {
  ...SEARCH_CHECKS,
  ...DEADLINE_CHECKS,
}

/** What an index asks of its pool. */
export interface PoolCore {
  readonly links: readonly Link[]
  readonly transport: Transport
  /** @throws PackvecError DISPOSED if the pool is closed, IO if a worker is lost */
  check(): void
  /** Runs work when all before it is done; rejects if the pool is closed or a worker is lost. */
  run<T>(work: () => Promise<T>, deadline?: Deadline): Promise<T>
}

/** Lets the workers free what belonged to an index that nobody can reach any more. */
const forgotten = new FinalizationRegistry<{ readonly core: PoolCore; readonly number: number }>(({ core, number }) => {
  void drop(core, number)
})

/**
 * An index whose rows lie with the workers of a pool, in about equal parts. Ids, scores and ties are those of a
 * `QuantizedIndex` with the same rows and options. `close` frees its memory; an index that is forgotten is closed when the
 * garbage collector finds it.
 */
export class PoolIndex {
  readonly #core: PoolCore
  readonly #content: Content
  /** Why the index cannot be used: it was closed, or an addition failed half-way. */
  #failure: Error | undefined
  #closing: Promise<void> | undefined

  private constructor(own: object, core: PoolCore, content: Content) {
    checkOwn(own, 'PoolIndex', 'pool.build(embeddings) or pool.open(bytes)')
    showAs(this, 'PoolIndex', 'size dims coarse rescore')
    this.#core = core
    this.#content = content
    forgotten.register(this, { core, number: content.number }, this)
  }

  /** @internal */
  static ofPool(core: PoolCore, content: Content): PoolIndex {
    return new PoolIndex(OWN, core, content)
  }

  /** Number of rows that can be found: those that a file says are deleted are not counted. */
  get size(): number {
    return this.#open.extras?.size ?? this.rows
  }

  /** Number of all rows, the deleted ones too: ids are 0 to rows - 1 in the order of adding where a file gives no others. */
  get rows(): number {
    return this.#open.map.size
  }

  /** Dimensions of embeddings and queries. */
  get dims(): number {
    return this.#open.transform.inputDims
  }

  /** Precision of the codes that the first stage scans. */
  get coarse(): Precision {
    return this.#open.stages.coarse
  }

  /** Precision of the codes that rescore the candidates; 'none' for one stage. */
  get rescore(): Precision | 'none' {
    return this.#open.stages.rescore
  }

  /** The share of the values added so far that fixed ranges or levels cut off, as that of a `QuantizedIndex`. */
  get clipped(): number {
    return this.#open.growth.clipping.share
  }

  /**
   * The rows nearest to a float query, or to each of several: a vector gives one result, a matrix an array of them. The
   * queries and the filter are copied before this returns.
   * @throws (rejects with) PackvecError as `QuantizedIndex.search` does; ABORTED with the signal's reason as its cause;
   * TIMEOUT; DISPOSED if the index or its pool is closed; IO if a worker is lost
   */
  search(query: Vector, options?: PoolSearchOptions): Promise<SearchResult>
  search(queries: Matrix, options?: PoolSearchOptions): Promise<SearchResult[]>
  async search(queries: Embeddings, given?: PoolSearchOptions): Promise<SearchResult | SearchResult[]> {
    this.#check()
    const options = checkOptions(given, POOL_SEARCH_CHECKS)
    const { stages, transform, extras } = this.#content
    const { filter, minScore, ...checked } = checkSearchOptions(options, stages.coarse)
    const source = toRows(queries, 'query')
    if (source.rows > 0) this.#checkDims('query', source)
    const { rows, centred, offset } = transformQueries(source, transform)
    const call = {
      index: this.#content.number,
      rows: source.rows,
      queries: readRows([rows as RowSource], 'query').values,
      centred: centred && readRows([centred], 'query').values,
      offsets: offset && Float64Array.from({ length: source.rows }, (_, row) => offset(row)),
      options: checked,
    }
    const offsets = call.offsets ?? new Float64Array(source.rows)
    const deadline = new Deadline(options)
    try {
      const results = await this.#run(async () => {
        // The rows there are when it is this search's turn: additions asked for before it are done.
        const allowed = extras ? extras.allowed(filter) : allowedRows(filter, this.rows, 'the index')
        const found = await this.#searchShards(call, offsets, allowed, deadline)
        const results = found.map((result) => cutBelow(result, minScore))
        return extras ? extras.named(results) : results
      }, deadline)
      return source.single ? results[0]! : results
    } finally {
      deadline.clear()
    }
  }

  /**
   * `search` whose answer is an array whatever comes: one result for a vector, as for a matrix of one row.
   * @throws (rejects with) what `search` does
   */
  async searchMany(queries: Embeddings, options?: PoolSearchOptions): Promise<SearchResult[]> {
    return [await this.search(queries as Matrix, options)].flat()
  }

  /**
   * Quantizes more rows; on an error none is added. Ranges, codes and ids follow them as in a `QuantizedIndex`. `embeddings`
   * and `ids` must not change before the promise settles.
   * @throws (rejects with) PackvecError DIMS_MISMATCH, NOT_FINITE, RAGGED_ROWS, INVALID_RANGES, INVALID_ARGUMENT (ids),
   * TOO_LARGE, DISPOSED, IO
   */
  async add(embeddings: Embeddings, options?: AddOptions): Promise<this> {
    this.#check()
    const { dims, ids } = checkOptions(options, ADD_CHECKS)
    const source = toRows(embeddings, 'embeddings', dims)
    if (source.rows === 0) return this
    this.#checkDims('embeddings', source)
    const { transform, extras, growth } = this.#content
    const rows = transformRows(source, transform, 'centred', 'embeddings')
    await this.#run(async () => {
      const addIds = extendIds(extras, rows.rows, ids)
      const shared = rows === source ? sharedFloats(embeddings, this.#core.transport.kind) : undefined
      const refit = growth.early?.refit(rows, this.#content.columns)
      const shards = { links: this.#core.links, content: this.#content, onBroken: (error: Error) => this.#break(error) }
      await (refit === undefined ? growShards(shards, rows, shared) : remakeShards(shards, refit))
      takeNote(growth, this.#content.columns, rows, refit)
      addIds()
    })
    return this
  }

  /**
   * Frees the memory of the index in all workers; the pool stays open. Everything but `close` gives `DISPOSED` from then on,
   * what waits for its turn too.
   */
  close(): Promise<void> {
    this.#failure = closedError('index', 'closed: build or open it again')
    forgotten.unregister(this)
    this.#closing ??= drop(this.#core, this.#content.number)
    return this.#closing
  }

  /** `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** What the index has, while it can be used. */
  get #open(): Content {
    this.#check()
    return this.#content
  }

  /** @throws PackvecError DISPOSED, IO, or why an addition failed half-way */
  #check(): void {
    if (this.#failure !== undefined) throw this.#failure
    this.#core.check()
  }

  #run<T>(work: () => Promise<T>, deadline?: Deadline): Promise<T> {
    return this.#core.run(async () => {
      if (this.#failure !== undefined) throw this.#failure
      return work()
    }, deadline)
  }

  /** Some shards have what others lack. */
  #break(error: Error): void {
    this.#failure ??= error
  }

  /** One round of messages if the first stage is final, two if exact scores decide. */
  async #searchShards(
    call: Parameters<Transport['scan']>[1],
    offsets: Float64Array,
    allowed: Allowed | undefined,
    deadline: Deadline,
  ): Promise<SearchResult[]> {
    const { map } = this.#content
    const shards = Array.from(this.#core.links.keys()).filter((shard) => map.sizeOf(shard) > 0)
    if (shards.length === 0 || call.rows === 0) return Array.from(offsets, emptyResult)
    const parts = allowed && shards.map((shard) => map.partOf(shard, allowed))
    const candidates = await this.#core.transport.scan(shards, call, parts)
    const rows = allowed?.count ?? map.size
    const scans = { shards, candidates, map, offsets, topK: call.options.topK, rows }
    return mergeShards(scans, async (calls) => {
      deadline.check()
      return this.#core.transport.rescore(calls)
    })
  }

  #checkDims(argument: string, source: RowSource): void {
    const { dims } = this.#content.transform
    if (source.dims !== dims) checkSameDims(argument, source.dims, this.dims, 'the index')
  }
}

/** Where the pool is closed or a worker is lost, the memory is gone already. */
async function drop({ links, run }: PoolCore, number: number): Promise<void> {
  await run(() => settleAll(links.map((link) => link.send({ op: 'drop', index: number })))).catch(() => {})
}
