/// <reference lib="esnext.disposable" preserve="true" />
import { Calibration } from './calibration.js'
import { checkCount, checkSameDims } from './check.js'
import { CodeStore, type Slot, type SlotRows } from './code-store.js'
import type { ScaleType } from './codebook.js'
import { PackvecError } from './errors.js'
import { allowedRows } from './filter.js'
import type { IndexExtras } from './ids.js'
import { isLevelPrecision, type Levels } from './levels.js'
import { type Embeddings, evenSample, type Matrix, type RowSource, toRows, type Vector } from './matrix.js'
import type { Queries } from './pass.js'
import { checkPrecision, type Precision } from './precision.js'
import type { Percentiles, Scope } from './quantiles.js'
import { checkScale, chooseCodebook, requireCodebook } from './quantize.js'
import type { Rotation } from './rotation.js'
import { searchStore } from './search.js'
import { checkSearchOptions, type SearchOptions } from './search-options.js'
import type { SearchResult } from './search-result.js'
import { type Stages, storedPrecisions } from './stages.js'
import { centreDots, openTransform, type Transform, type TransformOptions, transformRows } from './transform.js'
import type { Backend } from './workspace.js'

/** The codes of an index, what they are calibrated on, and what the embeddings pass through first. */
export interface BuildOptions extends TransformOptions {
  /** Codes that the first stage scans: 'binary' by default. */
  readonly coarse?: Precision
  /** Codes that rescore the candidates: 'int8' by default ('none' where `coarse` is float32); 'none' for one stage. */
  readonly rescore?: Precision | 'none'
  /** Embeddings to take ranges and levels from, as they come from the model; the corpus itself by default. */
  readonly calibrationEmbeddings?: Embeddings
  /** Ranges of 8-bit codes, of the embeddings as they are encoded: truncated and rotated, where that is asked for. */
  readonly calibration?: Calibration
  /** Levels of 2- or 4-bit codes, likewise. */
  readonly levels?: Levels
  /** Ranges or levels for each dimension, or for all at once; see `QuantizeOptions`. */
  readonly scope?: Scope
  /** Ranges between two percentiles; see `QuantizeOptions`. */
  readonly percentiles?: Percentiles
  /** Keeps a factor for each row beside codes of up to 8 bits; see `QuantizeOptions`. In memory it takes 4 bytes. */
  readonly scale?: boolean | ScaleType
  /** Rows to leave room for, so that `add` moves nothing until then. */
  readonly capacity?: number
  /** Width of a row, where `embeddings` is a flat array of several rows. */
  readonly dims?: number
  /** Gets each warning as a sentence; `console.warn` by default. */
  readonly onWarning?: (message: string) => void
}

/** What an index is made of. @internal */
export interface IndexState {
  readonly store: CodeStore
  readonly stages: Stages
  readonly transform: Transform
  /** What its file held beside. */
  readonly extras: IndexExtras | undefined
}

/**
 * Embeddings as codes in one WebAssembly memory, searched there in two stages: a scan of small codes, then exact scores of
 * the candidates from larger ones. Dropping the object frees the memory, `dispose` does so at once.
 *
 * Method: binary codes with int8 rescoring, Shakir, Aarsen, Lee, "Binary and Scalar Embedding Quantization", 2024.
 */
export class QuantizedIndex {
  #state: IndexState | undefined

  private constructor(store: CodeStore, stages: Stages, transform: Transform, extras?: IndexExtras) {
    this.#state = { store, stages, transform, extras }
  }

  /**
   * Quantizes embeddings (rows x dims) into a new index.
   * @throws PackvecError EMPTY, NOT_FINITE, RAGGED_ROWS, DIMS_MISMATCH, TOO_LARGE, ...
   */
  static build(embeddings: Embeddings, options: BuildOptions = {}): QuantizedIndex {
    const { rows, stages, transform, slots, capacity } = planIndex(embeddings, options)
    const store = new CodeStore({ dims: transform.dims, slots }, capacity)
    store.append(rows, 'embeddings')
    return new QuantizedIndex(store, stages, transform).#warmUp()
  }

  /** Makes an index of rows that are codes already. @internal */
  static fromCodes(
    { stages, transform, slots, extras }: Omit<IndexState, 'store'> & { readonly slots: readonly Slot[] },
    codes: readonly SlotRows[],
    rows: number,
  ): QuantizedIndex {
    const store = new CodeStore({ dims: transform.dims, slots }, rows)
    store.appendCodes(codes, rows)
    return new QuantizedIndex(store, stages, transform, extras).#warmUp()
  }

  /** What the index is made of, for those who save it. @internal */
  get parts(): IndexState {
    return this.#open
  }

  /** Number of rows; ids are 0 to size - 1 in the order of adding. */
  get size(): number {
    return this.#store.size
  }

  /** Dimensions of embeddings and queries. */
  get dims(): number {
    return this.#transform.inputDims
  }

  /** Bytes of all codes. */
  get codeBytes(): number {
    return this.#store.size * this.#store.rowBytes
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
    const books = this.#store.spec.slots.map(({ book }) => book)
    return books.find((book) => book instanceof Calibration)?.clone()
  }

  /** The rotation that embeddings and queries go through, if there is one. */
  get rotation(): Rotation | undefined {
    return this.#transform.rotation
  }

  /**
   * Quantizes more rows with the ranges of the index; on an error none is added.
   * @throws PackvecError DIMS_MISMATCH, NOT_FINITE, RAGGED_ROWS, TOO_LARGE
   */
  add(embeddings: Embeddings, options: { readonly dims?: number } = {}): this {
    const store = this.#store
    const source = toRows(embeddings, 'embeddings', options.dims)
    if (source.rows === 0) return this
    this.#checkDims('embeddings', source)
    store.append(transformRows(source, this.#transform, 'centred', 'embeddings'), 'embeddings')
    return this
  }

  /**
   * The rows nearest to a float query, or to each of several: a vector gives one result, a matrix an array of them.
   * @throws PackvecError DIMS_MISMATCH, NOT_FINITE, QUANTIZED_INPUT, INVALID_ARGUMENT (topK, filter, ...)
   */
  search(query: Vector, options?: SearchOptions): SearchResult
  search(queries: Matrix, options?: SearchOptions): SearchResult[]
  search(queries: Embeddings, options: SearchOptions = {}): SearchResult | SearchResult[] {
    const checked = checkSearchOptions(options, this.#stages.coarse)
    const source = toRows(queries, 'query')
    if (source.rows > 0) this.#checkDims('query', source)
    const rows = transformQueries(source, this.#transform)
    const allowed = allowedRows(checked.filter, this.size, 'the index')
    const results = searchStore(this.#store, rows, this.#stages, checked, 'query', allowed)
    return source.single ? results[0]! : results
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
    throw new PackvecError('DISPOSED', 'index', 'index must be open, got one that was disposed')
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
    const query = new Float32Array(this.dims).fill(1)
    const searches = Math.min(Math.max(MIN_WARM_UPS, Math.ceil(WARM_UP_ROWS / this.size)), MAX_WARM_UPS)
    for (let i = 0; i < searches; i++) this.search(query)
    return this
  }

  #checkDims(argument: string, source: RowSource): void {
    if (source.dims !== this.#transform.dims) checkSameDims(argument, source.dims, this.dims, 'the index')
  }
}

/** What an index over these embeddings is made of, before any row is encoded. */
export interface IndexPlan {
  /** The embeddings as they came, and as they are encoded: the same where nothing is done to them. */
  readonly source: RowSource
  readonly rows: RowSource
  readonly stages: Stages
  readonly transform: Transform
  readonly slots: readonly Slot[]
  /** Rows to make room for. */
  readonly capacity: number
}

/**
 * Checks the options of `build` and finds ranges and levels over the whole corpus; `packvec/pool` encodes rows elsewhere.
 * @internal
 */
export function planIndex(embeddings: Embeddings, options: BuildOptions): IndexPlan {
  const stages = planStages(options)
  const source = toRows(embeddings, 'embeddings', options.dims)
  if (source.rows === 0)
    throw new PackvecError('EMPTY', 'embeddings', 'embeddings must have at least 1 row, got 0 rows')
  const capacity = Math.max(source.rows, checkCount(options.capacity ?? source.rows, 'capacity'))
  const transform = openTransform(source.dims, options)
  const rows = transformRows(source, transform, 'centred', 'embeddings')
  return { source, rows, stages, transform, slots: chooseSlots(rows, transform, stages, options), capacity }
}

/** The codes that the options ask for, or the usual ones. @internal */
export function planStages(options: Pick<BuildOptions, 'coarse' | 'rescore'>): Stages {
  const coarse = checkPrecision(options.coarse ?? 'binary', 'coarse')
  return { coarse, rescore: checkRescore(options.rescore ?? (coarse === 'float32' ? 'none' : 'int8')) }
}

/** Queries as the codes of an index see them. @internal */
export function transformQueries(source: RowSource, transform: Transform): Queries {
  const rows = transformRows(source, transform, 'as is', 'query')
  const centre = transform.rotation?.centre
  if (centre === undefined) return { rows }
  // Rows were shifted before they were rotated: query · row = query' · row' + query · centre.
  const centred = transformRows(source, transform, 'centred', 'query')
  return { rows, centred, offset: centreDots(source, transform, centre) }
}

/** A smaller index is built and searched before the engine would be done compiling. */
const WARM_UP_MIN_ROWS = 1024
/** Rows that all searches of a warm-up scan together: some 5 ms, as long as their number stays within these limits. */
const WARM_UP_ROWS = 2_097_152
const MIN_WARM_UPS = 4
const MAX_WARM_UPS = 32
const warmedUp = new Set<string>()

/** Rows that levels and percentiles of a corpus are taken from, evenly spaced; minima and maxima see all rows. */
export const SAMPLE_ROWS = 16_384

function chooseSlots(rows: RowSource, transform: Transform, stages: Stages, options: BuildOptions): Slot[] {
  const { calibrationEmbeddings } = options
  const given = calibrationEmbeddings && toRows(calibrationEmbeddings, 'calibrationEmbeddings', options.dims)
  if (given && given.dims !== transform.dims) {
    checkSameDims('calibrationEmbeddings', given.dims, transform.inputDims, 'embeddings')
  }
  const sample = given && transformRows(given, transform, 'centred', 'calibrationEmbeddings')
  return storedPrecisions(stages).map((precision) => {
    const quantiles = isLevelPrecision(precision) || options.percentiles !== undefined
    const own = quantiles ? evenSample(rows, SAMPLE_ROWS) : rows
    const chosen = chooseCodebook([own], sample, precision, { ...options, ranges: options.calibration })
    const book = requireCodebook(chosen, precision, transform.dims)
    return { precision, book, scale: checkScale(options.scale, precision) }
  })
}

function checkRescore(value: Precision | 'none'): Precision | 'none' {
  return value === 'none' ? value : checkPrecision(value, 'rescore')
}
