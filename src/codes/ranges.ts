import { checkOneOf, checkSameDims, describe, fail, failEmpty, isInstance, reading } from '../base/check.js'
import { PackvecError } from '../base/errors.js'
import { MAX_DIMS } from '../base/max-dims.js'
import { checkOptions, DIMS_CHECKS, type OptionChecks } from '../base/options.js'
import { showAs } from '../base/shown.js'
import { type Embeddings, type RowSource, readRows, toRows } from '../rows/matrix.js'
import { type Buckets, type MinMax, scratchEncoder } from './encoder.js'
import { checkPercentiles, matrixQuantiles, type Percentiles, type Scope } from './quantiles.js'

/** What stands in a saved calibration: every number is a float32 and is read back as the same one. */
export interface CalibrationJSON {
  readonly format: 'packvec-calibration'
  readonly version: 1
  readonly dims: number
  readonly rows: number
  readonly min: readonly number[]
  readonly max: readonly number[]
}

/** How ranges are taken from embeddings. */
export interface CalibrationOptions {
  /** 'dimension' (default): each dimension its own range; 'global': one range for the whole matrix. */
  readonly scope?: Scope
  /** Ranges between two percentiles instead of minimum and maximum; what lies outside is clipped. */
  readonly percentiles?: Percentiles
  /** Width of a row, where the sample is a flat array of several rows. */
  readonly dims?: number
}

const CALIBRATION_CHECKS: OptionChecks<CalibrationOptions> = { scope: true, percentiles: true, dims: true }

/** Ranges as a caller may give them: a calibration, or a 2 x dims matrix of minima and maxima. */
export type RangesInput = Calibration | Embeddings

/**
 * The range of each dimension, from which scalar codes get their buckets. Feed it a sample at once or batch by batch, merge
 * calibrations of parts, save it as JSON: the ranges are the same bits whatever the batching and the order.
 */
export class Calibration {
  readonly dims: number
  #rows = 0
  #mins: Float32Array
  #maxs: Float32Array
  #buckets: Buckets | undefined

  /** An empty calibration for embeddings of `dims` dimensions; `add` gives it rows. */
  constructor(dims: number) {
    if (!Number.isSafeInteger(dims) || dims < 1)
      fail('ZERO_DIMS', 'dims', 'a whole number of at least 1', describe(dims))
    if (dims > MAX_DIMS) fail('TOO_LARGE', 'dims', `at most ${MAX_DIMS}`, String(dims))
    showAs(this, 'Calibration', 'dims rows')
    this.dims = dims
    this.#mins = new Float32Array(dims).fill(Number.POSITIVE_INFINITY)
    this.#maxs = new Float32Array(dims).fill(Number.NEGATIVE_INFINITY)
  }

  /**
   * The calibration of a sample, rows x dims: minima and maxima, or two percentiles of each dimension; with
   * `scope: 'global'` one range for the whole matrix.
   * @throws PackvecError EMPTY, NOT_FINITE, and those of the shape
   */
  static from(embeddings: Embeddings, given?: CalibrationOptions): Calibration {
    const options = checkOptions(given, CALIBRATION_CHECKS)
    const source = toRows(embeddings, 'calibrationEmbeddings', options.dims)
    if (source.rows === 0) failEmpty('calibrationEmbeddings')
    return Calibration.fromSources([source], options, 'calibrationEmbeddings')
  }

  /** @internal The shared calibration of several matrices. */
  static fromSources(sources: readonly RowSource[], options: CalibrationOptions, argument = 'embeddings'): Calibration {
    const scope = checkOneOf(options.scope ?? 'dimension', ['dimension', 'global'], 'scope')
    const calibration = new Calibration(sources[0]!.dims)
    if (options.percentiles !== undefined) {
      const { values, dims } = readRows(sources, argument)
      const [low, high] = matrixQuantiles(values, dims, checkPercentiles(options.percentiles), scope)
      calibration.#set(low!, high!, values.length / dims, argument)
      return calibration
    }
    for (const [i, source] of sources.entries()) {
      if (source.rows > 0) calibration.addRows(source, sources.length === 1 ? argument : `${argument}[${i}]`)
    }
    return scope === 'global' ? calibration.shareRange(argument) : calibration
  }

  /** @internal Ranges known already, with the number of rows they were taken from. Not copied. */
  static ofMinMax(mins: Float32Array, maxs: Float32Array, rows: number): Calibration {
    const calibration = new Calibration(mins.length)
    calibration.#set(mins, maxs, rows, 'embeddings')
    return calibration
  }

  /** A calibration with ranges known already, 2 x dims: minima, then maxima. @throws PackvecError INVALID_RANGES */
  static fromRanges(ranges: RangesInput, options?: { readonly dims?: number }): Calibration {
    return Calibration.readRanges(ranges, checkOptions(options, DIMS_CHECKS).dims, 'ranges')
  }

  /** @internal `fromRanges`, where the ranges have a name of the caller's. */
  static readRanges(ranges: RangesInput, dims: number | undefined, argument: string): Calibration {
    if (isInstance(ranges, Calibration)) return ranges.clone()
    const source = toRows(ranges, argument, dims)
    if (source.rows !== 2) fail('INVALID_RANGES', argument, '2 rows, minima and maxima', `${source.rows}`)
    const values = new Float32Array(2 * source.dims)
    source.copyRows(0, 2, values, source.dims)
    const calibration = new Calibration(source.dims)
    calibration.#set(values.subarray(0, source.dims), values.subarray(source.dims), 0, argument)
    return calibration
  }

  /** Reads what `toJSON` gave, as an object or as its text. @throws PackvecError INVALID_FILE or INVALID_RANGES */
  static fromJSON(json: string | CalibrationJSON): Calibration {
    return reading('calibration', () => Calibration.#read(typeof json === 'string' ? parseJSON(json) : json))
  }

  static #read(saved: unknown): Calibration {
    const { format, version, dims, rows, min, max } = (saved ?? {}) as Partial<CalibrationJSON>
    if (format !== 'packvec-calibration') {
      fail('INVALID_FILE', 'calibration', 'a saved packvec calibration', `format ${describe(format)}`)
    }
    if (version !== 1) fail('UNSUPPORTED', 'calibration.version', '1', `${describe(version)}: update packvec`)
    if (!Number.isSafeInteger(rows) || (rows as number) < 0) {
      fail('INVALID_FILE', 'calibration.rows', 'a whole number', describe(rows))
    }
    // Before there is room for as many dimensions as the text claims.
    const [mins, maxs] = [savedRow(min, dims!, 'min'), savedRow(max, dims!, 'max')]
    const calibration = new Calibration(dims!)
    calibration.#set(mins, maxs, rows!, 'calibration')
    return calibration
  }

  /** Rows seen so far; 0 where the ranges were given. */
  get rows(): number {
    return this.#rows
  }

  /** Minima and maxima, `dims` each, as copies. @throws PackvecError EMPTY before the first row */
  get minMax(): MinMax {
    if (this.#mins[0] === Number.POSITIVE_INFINITY) {
      failEmpty('calibration')
    }
    // Adding 0 makes -0 into 0: which of the two a minimum keeps depends on the order of rows.
    return { mins: this.#mins.map((min) => min + 0), maxs: this.#maxs.map((max) => max + 0) }
  }

  /** 2 x dims: minima, then maxima, as sentence-transformers takes them. A copy. */
  get ranges(): Float32Array {
    const { mins, maxs } = this.minMax
    const ranges = new Float32Array(2 * this.dims)
    ranges.set(mins)
    ranges.set(maxs, this.dims)
    return ranges
  }

  /** Width of a bucket of each dimension: (max - min) / 255, and 1 where a dimension is constant. A copy. */
  get steps(): Float32Array {
    return this.buckets.steps.slice()
  }

  /**
   * The buckets that 8-bit codes are made with: step = (max - min) / 255 in float32, and 1 where that is 0.
   * @internal shared, not a copy
   */
  get buckets(): Buckets {
    if (this.#buckets === undefined) {
      const { mins, maxs } = this.minMax
      // Storing to a Float32Array rounds each quotient once, as float32 division does: its operands are float32.
      const steps = mins.map((min, i) => Math.fround(maxs[i]! - min) / 255)
      this.#buckets = { mins, steps: steps.map((step) => (step === 0 ? 1 : step)) }
    }
    return this.#buckets
  }

  /** A calibration with the same ranges, that later rows do not change. */
  clone(): Calibration {
    const copy = new Calibration(this.dims)
    copy.#mins = this.#mins.slice()
    copy.#maxs = this.#maxs.slice()
    copy.#rows = this.#rows
    return copy
  }

  /** Widens the ranges by more rows; on an error nothing changes. @throws PackvecError NOT_FINITE, DIMS_MISMATCH */
  add(embeddings: Embeddings): this {
    const source = toRows(embeddings, 'embeddings')
    if (source.rows === 0) return this
    checkSameDims('embeddings', source.dims, this.dims, 'the calibration')
    return this.addRows(source, 'embeddings')
  }

  /** Widens the ranges by those of another calibration. @throws PackvecError DIMS_MISMATCH */
  merge(other: Calibration): this {
    if (!isInstance(other, Calibration)) fail('INVALID_ARGUMENT', 'other', 'a Calibration', describe(other))
    checkSameDims('other', other.dims, this.dims, 'the calibration')
    if (other.#mins[0] !== Number.POSITIVE_INFINITY) this.#widen({ mins: other.#mins, maxs: other.#maxs }, other.#rows)
    return this
  }

  /** Called by `JSON.stringify`; `Calibration.fromJSON` reads it. */
  toJSON(): CalibrationJSON {
    const { mins, maxs } = this.minMax
    const { dims, rows } = this
    return { format: 'packvec-calibration', version: 1, dims, rows, min: Array.from(mins), max: Array.from(maxs) }
  }

  /** Widens the ranges by rows, at least one. @internal */
  addRows(source: RowSource, argument: string): this {
    const { mins, maxs } = scratchEncoder(this.dims).encoder.minMax(source, argument)
    this.#widen({ mins, maxs }, source.rows)
    return this
  }

  /** Gives all dimensions the range that holds theirs. @internal */
  shareRange(argument: string): this {
    const { mins, maxs } = this.minMax
    this.#set(mins.fill(lowest(mins)), maxs.fill(-lowest(maxs.map((max) => -max))), this.#rows, argument)
    return this
  }

  #widen({ mins, maxs }: MinMax, rows: number): void {
    const lower = this.#mins.map((min, i) => Math.min(min, mins[i]!))
    const upper = this.#maxs.map((max, i) => Math.max(max, maxs[i]!))
    this.#set(lower, upper, this.#rows + rows, 'embeddings')
  }

  #set(mins: Float32Array, maxs: Float32Array, rows: number, argument: string): void {
    for (let i = 0; i < this.dims; i++) {
      // A width beyond float32 would make every step infinite and every code 0.
      if (mins[i]! <= maxs[i]! && Number.isFinite(Math.fround(maxs[i]! - mins[i]!))) continue
      const message = `${argument} must have min <= max and a finite width, got ${mins[i]} and ${maxs[i]} at dimension ${i}`
      throw new PackvecError('INVALID_RANGES', argument, message)
    }
    this.#mins = mins
    this.#maxs = maxs
    this.#rows = rows
    this.#buckets = undefined
  }
}

function lowest(values: Float32Array): number {
  return values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY)
}

function parseJSON(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new PackvecError('INVALID_FILE', 'calibration', `calibration must be JSON: ${String(cause)}`, { cause })
  }
}

function savedRow(values: unknown, dims: number, name: string): Float32Array {
  const row = Array.isArray(values) ? values : []
  if (row.length !== dims || !row.every((value) => typeof value === 'number')) {
    fail('INVALID_FILE', `calibration.${name}`, `${dims} numbers`, describe(values))
  }
  return Float32Array.from(row as number[])
}
