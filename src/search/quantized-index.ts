/// <reference lib="esnext.disposable" preserve="true" />

import { checkSameDims } from '../base/check.js'
import { closedError } from '../base/closed.js'
import { checkOptions } from '../base/options.js'
import { checkOwn, OWN, showAs } from '../base/shown.js'
import type { ColumnCodes } from '../codes/column.js'
import type { Precision } from '../codes/precision.js'
import { Calibration } from '../codes/ranges.js'
import type { Backend } from '../kernels/workspace.js'
import { allowedRows } from '../rows/filter.js'
import { type Embeddings, type Matrix, type RowSource, toRows, type Vector } from '../rows/matrix.js'
import type { Rotation } from '../transform/rotation.js'
import { type Transform, transformRows } from '../transform/transform.js'
import { ADD_CHECKS, type AddOptions, extendIds } from './add-options.js'
import { type BuildOptions, planIndex, type RowGrowth, takeNote } from './build-plan.js'
import { Clipping, codesClipping } from './clipping.js'
import { CodeStore } from './code-store.js'
import type { Refit } from './early-rows.js'
import { growStore } from './growth.js'
import type { Recipe } from './recipe.js'
import type { IndexExtras } from './row-records.js'
import { searchStore } from './search.js'
import { checkSearchOptions, SEARCH_CHECKS, type SearchOptions } from './search-options.js'
import type { SearchResult } from './search-result.js'
import type { Stages } from './stages.js'
import { transformQueries } from './transform-queries.js'

/** What an index is made of. @internal */
export interface IndexState extends Omit<Recipe, 'columns'> {
  /** The columns are here. */
  readonly store: CodeStore
  /** What its file held beside. */
  readonly extras: IndexExtras | undefined
}

/** A smaller index is built and searched before the engine would be done compiling. */
const WARM_UP_MIN_ROWS = 1024
/** Rows that all searches of a warm-up scan together: some 5 ms, as long as their number stays within these limits. */
const WARM_UP_ROWS = 2_097_152
const MIN_WARM_UPS = 4
const MAX_WARM_UPS = 32
const warmedUp = new Set<string>()

/**
 * Embeddings as codes in one WebAssembly memory, searched there in two stages: a scan of small codes, then exact scores of
 * the candidates from larger ones. Dropping the object frees the memory, `dispose` does so at once.
 *
 * Method: binary codes with int8 rescoring, Shakir, Aarsen, Lee, "Binary and Scalar Embedding Quantization", 2024.
 */
export class QuantizedIndex {
  #state: IndexState | undefined
  readonly #growth: RowGrowth

  private constructor(own: object, state: IndexState, growth: RowGrowth) {
    checkOwn(own, 'QuantizedIndex', 'QuantizedIndex.build(embeddings)')
    showAs(this, 'QuantizedIndex', 'size dims coarse rescore backend byteLength rotation')
    this.#state = state
    this.#growth = growth
  }

  /**
   * Quantizes embeddings (rows x dims) into a new index.
   * @throws PackvecError EMPTY, NOT_FINITE, RAGGED_ROWS, DIMS_MISMATCH, TOO_LARGE, ...
   */
  static build(embeddings: Embeddings, options?: BuildOptions): QuantizedIndex {
    const { rows, stages, transform, columns, capacity, growth } = planIndex(embeddings, options)
    const store = new CodeStore({ dims: transform.dims, columns }, capacity)
    store.append(rows, 'embeddings')
    return new QuantizedIndex(OWN, { store, stages, transform, extras: undefined }, growth).#warmUp()
  }

  /** Makes an index of rows that are codes already. @internal */
  static fromCodes(
    { stages, transform, columns, extras }: Recipe & Pick<IndexState, 'extras'>,
    codes: readonly ColumnCodes[],
    rows: number,
  ): QuantizedIndex {
    const store = new CodeStore({ dims: transform.dims, columns }, rows)
    store.appendCodes(codes, rows)
    const clipping = new Clipping(codesClipping(columns, codes, transform.dims))
    return new QuantizedIndex(OWN, { store, stages, transform, extras }, { early: undefined, clipping }).#warmUp()
  }

  /** What the index is made of, for those who save it. @internal */
  get parts(): IndexState {
    return this.#open
  }

  /** Number of rows that can be found: those that a loaded file says are deleted are not counted. */
  get size(): number {
    return this.#open.extras?.size ?? this.#store.size
  }

  /** Number of all rows, the deleted ones too: ids are 0 to rows - 1 in the order of adding where a file gives no others. */
  get rows(): number {
    return this.#store.size
  }

  /** Dimensions of embeddings and queries. */
  get dims(): number {
    return this.#transform.inputDims
  }

  /** Bytes of all codes. */
  get codeBytes(): number {
    return this.rows * this.#store.rowBytes
  }

  /** Bytes of the whole memory: codes, room to grow, and what encoding and searching need. */
  get byteLength(): number {
    return this.#store.workspace.buffer.byteLength
  }

  /** What runs the kernels of this index. */
  get backend(): Backend {
    return this.#store.workspace.backend
  }

  /** Precision of the codes that the first stage scans. */
  get coarse(): Precision {
    return this.#stages.coarse
  }

  /** Precision of the codes that rescore the candidates; 'none' for one stage. */
  get rescore(): Precision | 'none' {
    return this.#stages.rescore
  }

  /** The ranges of the 8-bit codes, if there are any. A copy. */
  get calibration(): Calibration | undefined {
    const books = this.#store.spec.columns.map(({ book }) => book)
    return books.find((book) => book instanceof Calibration)?.clone()
  }

  /**
   * The share of the values added so far that lay outside ranges or int4 levels that are fixed (given, percentiles, or from a
   * file), and were cut off. Ranges that follow the rows cut nothing off. A warning comes once where it costs recall.
   */
  get clipped(): number {
    return this.#open && this.#growth.clipping.share
  }

  /** The rotation that embeddings and queries go through, if there is one. */
  get rotation(): Rotation | undefined {
    return this.#transform.rotation
  }

  /**
   * Quantizes more rows; on an error none is added. Ranges that were taken from the rows of the index follow the new ones, and
   * its codes with them: the first addition takes `dims` bytes a row more, up to 16,384 rows.
   * Rows of a loaded index that has ids need ids: numbers or texts as it has them, which no other row has.
   * @throws PackvecError DIMS_MISMATCH, NOT_FINITE, RAGGED_ROWS, INVALID_RANGES, INVALID_ARGUMENT (ids), TOO_LARGE
   */
  add(embeddings: Embeddings, options?: AddOptions): this {
    const store = this.#store
    const { dims, ids } = checkOptions(options, ADD_CHECKS)
    const source = toRows(embeddings, 'embeddings', dims)
    if (source.rows === 0) return this
    this.#checkDims('embeddings', source)
    const addIds = extendIds(this.#open.extras, source.rows, ids)
    const rows = transformRows(source, this.#transform, 'centred', 'embeddings')
    const refit = this.#growth.early?.refit(rows, store.spec.columns)
    if (refit === undefined) growStore(store, rows, 'embeddings')
    else this.#state = { ...this.#open, store: remade(store, refit) }
    takeNote(this.#growth, this.#store.spec.columns, rows, refit)
    addIds()
    return this
  }

  /**
   * The rows nearest to a float query, or to each of several: a vector gives one result, a matrix an array of them.
   * @throws PackvecError DIMS_MISMATCH, NOT_FINITE, QUANTIZED_INPUT, INVALID_ARGUMENT (topK, filter, ...)
   */
  search(query: Vector, options?: SearchOptions): SearchResult
  search(queries: Matrix, options?: SearchOptions): SearchResult[]
  search(queries: Embeddings, options?: SearchOptions): SearchResult | SearchResult[] {
    const checked = checkSearchOptions(checkOptions(options, SEARCH_CHECKS), this.#stages.coarse)
    const source = toRows(queries, 'query')
    if (source.rows > 0) this.#checkDims('query', source)
    const rows = transformQueries(source, this.#transform)
    const { extras } = this.#open
    const allowed = extras ? extras.allowed(checked.filter) : allowedRows(checked.filter, this.rows, 'the index')
    const found = searchStore(this.#store, rows, this.#stages, checked, 'query', allowed)
    const results = extras ? extras.named(found) : found
    return source.single ? results[0]! : results
  }

  /**
   * `search` whose answer is an array whatever comes: one result for a vector, as for a matrix of one row.
   * @throws PackvecError as `search` does
   */
  searchMany(queries: Embeddings, options?: SearchOptions): SearchResult[] {
    return [this.search(queries as Matrix, options)].flat()
  }

  /**
   * Lets go of the memory now, also where the index is still referred to; `using index = ...` does it at the end of the block.
   * Everything but `dispose` throws `DISPOSED` from then on.
   */
  dispose(): void {
    this.#state = undefined
  }

  /** `dispose`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose()
  }

  get #open(): IndexState {
    if (this.#state !== undefined) return this.#state
    throw closedError('index', 'disposed: build or load another one')
  }

  get #store(): CodeStore {
    return this.#open.store
  }

  get #stages(): Stages {
    return this.#open.stages
  }

  get #transform(): Transform {
    return this.#open.transform
  }

  /**
   * Searches the new index a few times: the engine compiles the kernels and the code around them on first use, and again when
   * they have run a while, which takes as long as many searches (measured: a first search of 8,192 rows took 40 times the
   * steady one, 1.3 times with this). Once a process and kind of index: what was compiled serves the next one too.
   */
  #warmUp(): this {
    const { coarse, rescore } = this.#stages
    const kind = `${coarse} ${rescore} ${this.dims}`
    if (this.size < WARM_UP_MIN_ROWS || warmedUp.has(kind) || this.backend !== 'wasm') return this
    warmedUp.add(kind)
    const query = Float32Array.from({ length: this.dims }, (_, d) => Math.sin(d + 1))
    const searches = Math.min(Math.max(MIN_WARM_UPS, Math.ceil(WARM_UP_ROWS / this.size)), MAX_WARM_UPS)
    for (let i = 0; i < searches; i++) this.search(query)
    return this
  }

  #checkDims(argument: string, source: RowSource): void {
    if (source.dims !== this.#transform.dims) checkSameDims(argument, source.dims, this.dims, 'the index')
  }
}

/** A store of all rows in the place of one, with codebooks that were taken anew. */
function remade(store: CodeStore, { rows, columns }: Refit): CodeStore {
  const other = new CodeStore({ dims: store.dims, columns }, Math.max(store.capacity, rows.rows))
  growStore(other, rows, 'embeddings')
  return other
}
