import { checkOneOf, checkSameDims, describe, fail, failEmpty, isInstance, reading } from '../base/check.js'
import { PackvecError } from '../base/errors.js'
import { checkOptions, type OptionChecks } from '../base/options.js'
import { checkOwn, OWN, showAs } from '../base/shown.js'
import { type Embeddings, type RowSource, readRows, toRows } from '../rows/matrix.js'
import type { Precision } from './precision.js'
import { checkPercentiles, matrixQuantiles, type Percentiles, type Scope } from './quantiles.js'

/** The codes of 2 and 4 bits, whose values are levels found from a sample. */
export type LevelPrecision = 'ternary' | 'quaternary' | 'int4'

/** How thresholds and levels are taken from embeddings. */
export interface LevelOptions {
  /** 'global' (default): thresholds of the flattened matrix; 'dimension': each dimension its own. */
  readonly scope?: Scope
  /** int4: the percentiles between which the 16 levels lie; [1, 99] by default. */
  readonly percentiles?: Percentiles
  /** Width of a row, where the sample is a flat array of several rows. */
  readonly dims?: number
}

const LEVEL_CHECKS: OptionChecks<LevelOptions> = { scope: true, percentiles: true, dims: true }

/** What stands in saved levels. */
export interface LevelsJSON {
  readonly format: 'packvec-levels'
  readonly version: 1
  readonly precision: LevelPrecision
  readonly scope: Scope
  readonly dims: number
  readonly thresholds: readonly (readonly number[])[]
  readonly values: readonly (readonly number[])[]
}

const FRACTIONS = { ternary: [1 / 3, 2 / 3], quaternary: [1 / 4, 1 / 2, 3 / 4] } as const
const INT4_CODES = 16

/** The fractions of values that lie below the thresholds. */
function fractionsOf(precision: LevelPrecision, percentiles: Percentiles | undefined): readonly number[] {
  return precision === 'int4' ? checkPercentiles(percentiles ?? [1, 99]) : FRACTIONS[precision]
}

/**
 * The thresholds and decoded values of ternary, quaternary and int4 codes.
 *
 * `ternary` and `quaternary`: thresholds are quantiles of a sample (1/3, 2/3; 1/4, 1/2, 3/4), a code counts the thresholds
 * that x lies strictly above, and decodes to the mean of its bucket in the sample, so that a dot with the decoded vector is
 * the least-squares one. `int4`: 16 levels at equal steps between two percentiles, the nearest one.
 */
export class Levels {
  readonly precision: LevelPrecision
  readonly dims: number
  readonly scope: Scope
  readonly #thresholds: readonly Float32Array[]
  readonly #values: readonly Float32Array[]

  private constructor(
    own: object,
    precision: LevelPrecision,
    dims: number,
    scope: Scope,
    thresholds: readonly Float32Array[],
    values: readonly Float32Array[],
  ) {
    checkOwn(own, 'Levels', 'Levels.from(embeddings, precision)')
    showAs(this, 'Levels', 'precision dims scope')
    this.precision = precision
    this.dims = dims
    this.scope = scope
    this.#thresholds = thresholds
    this.#values = values
  }

  /** The levels of a sample, rows x dims. @throws PackvecError EMPTY, NOT_FINITE, and those of the shape */
  static from(embeddings: Embeddings, precision: LevelPrecision, given?: LevelOptions): Levels {
    const argument = 'calibrationEmbeddings'
    const options = checkOptions(given, LEVEL_CHECKS)
    return Levels.fromSources([toRows(embeddings, argument, options.dims)], precision, options, argument)
  }

  /** @internal */
  static fromSources(
    sources: readonly RowSource[],
    precision: LevelPrecision,
    options: LevelOptions,
    argument: string,
  ): Levels {
    checkOneOf(precision, ['ternary', 'quaternary', 'int4'], 'precision')
    const scope = checkOneOf(options.scope ?? 'global', ['global', 'dimension'], 'scope')
    const { values, dims } = readRows(sources, argument)
    if (values.length === 0) failEmpty(argument)
    if (precision === 'int4') {
      const fractions = fractionsOf(precision, options.percentiles)
      const [low, high] = matrixQuantiles(values, dims, fractions, scope)
      return Levels.#uniform(dims, scope, low!, high!)
    }
    const thresholds = matrixQuantiles(values, dims, fractionsOf(precision, undefined), scope)
    return new Levels(OWN, precision, dims, scope, thresholds, bucketMeans(values, dims, thresholds, scope))
  }

  /** Sixteen levels from `low` to `high`, both kept as the thresholds. */
  static #uniform(dims: number, scope: Scope, low: Float32Array, high: Float32Array): Levels {
    const steps = low.map((start, d) => Math.fround(high[d]! - start) / (INT4_CODES - 1))
    const values = Array.from({ length: INT4_CODES }, (_, code) => low.map((start, d) => start + code * steps[d]!))
    return new Levels(OWN, 'int4', dims, scope, [low, high], values)
  }

  /** Reads what `toJSON` gave, as an object or as its text. @throws PackvecError INVALID_FILE */
  static fromJSON(json: string | LevelsJSON): Levels {
    return reading('levels', () => Levels.#read(parse(json)))
  }

  static #read({ format, version, precision, scope, dims, thresholds, values }: LevelsJSON): Levels {
    if (format !== 'packvec-levels')
      fail('INVALID_FILE', 'levels', 'saved packvec levels', `format ${describe(format)}`)
    if (version !== 1) fail('UNSUPPORTED', 'levels.version', '1', `${describe(version)}: update packvec`)
    checkOneOf(precision, ['ternary', 'quaternary', 'int4'] as const, 'levels.precision')
    checkOneOf(scope, ['global', 'dimension'] as const, 'levels.scope')
    if (!Number.isSafeInteger(dims) || dims < 1) fail('INVALID_FILE', 'levels.dims', 'a whole number', describe(dims))
    const counts = { ternary: [2, 3], quaternary: [3, 4], int4: [2, INT4_CODES] }[precision] as [number, number]
    const saved = (name: string, rows: unknown, count: number) => {
      const fits = (row: unknown) => Array.isArray(row) && row.length === dims && row.every(Number.isFinite)
      if (Array.isArray(rows) && rows.length === count && rows.every(fits)) return rows as number[][]
      return fail('INVALID_FILE', `levels.${name}`, `${count} rows of ${dims} finite numbers`, describe(rows))
    }
    return new Levels(
      OWN,
      precision,
      dims,
      scope,
      saved('thresholds', thresholds, counts[0]).map((row) => Float32Array.from(row)),
      saved('values', values, counts[1]).map((row) => Float32Array.from(row)),
    )
  }

  /** What separates the codes, one array of `dims` each; for int4 the lowest and the highest level. Copies. */
  get thresholds(): Float32Array[] {
    return this.#thresholds.map((row) => row.slice())
  }

  /** What each code decodes to, one array of `dims` a code. Copies. */
  get values(): Float32Array[] {
    return this.#values.map((row) => row.slice())
  }

  /** @internal Decoded values, not copied. */
  get table(): readonly Float32Array[] {
    return this.#values
  }

  /** @internal int4: first level and step of each dimension (1 where all levels are one). */
  get buckets(): { mins: Float32Array; steps: Float32Array } {
    const mins = this.#values[0]!
    const steps = mins.map((min, d) => Math.fround(this.#thresholds[1]![d]! - min) / (INT4_CODES - 1))
    return { mins, steps: steps.map((step) => (step === 0 ? 1 : step)) }
  }

  /** @internal Thresholds, not copied. */
  get cuts(): readonly Float32Array[] {
    return this.#thresholds
  }

  /** Called by `JSON.stringify`; `Levels.fromJSON` reads it. */
  toJSON(): LevelsJSON {
    const { precision, scope, dims } = this
    const rows = (arrays: readonly ArrayLike<number>[]) => arrays.map((row) => Array.from(row))
    const saved = { thresholds: rows(this.#thresholds), values: rows(this.#values) }
    return { format: 'packvec-levels', version: 1, precision, scope, dims, ...saved }
  }
}

/** The fractions of values that lie below the first threshold and above the last one. */
export function outerFractions({ precision }: Levels, percentiles: Percentiles | undefined): [number, number] {
  const fractions = fractionsOf(precision, percentiles)
  return [fractions[0]!, 1 - fractions.at(-1)!]
}

/** Mean of the sample's values in each bucket; of an empty bucket, the nearest threshold. */
function bucketMeans(
  values: Float32Array,
  dims: number,
  thresholds: readonly Float32Array[],
  scope: Scope,
): Float32Array[] {
  const codes = thresholds.length + 1
  const sums = new Float64Array(codes * dims)
  const counts = new Float64Array(codes * dims)
  for (let i = 0; i < values.length; i++) {
    const d = i % dims
    let code = 0
    for (const row of thresholds) if (values[i]! > row[d]!) code++
    const at = code * dims + (scope === 'global' ? 0 : d)
    sums[at]! += values[i]!
    counts[at]!++
  }
  return Array.from({ length: codes }, (_, code) =>
    Float32Array.from({ length: dims }, (_, d) => {
      const at = code * dims + (scope === 'global' ? 0 : d)
      return counts[at]! > 0 ? sums[at]! / counts[at]! : thresholds[Math.min(code, codes - 2)]![d]!
    }),
  )
}

function parse(json: string | LevelsJSON): LevelsJSON {
  if (typeof json !== 'string') return json ?? {}
  try {
    return JSON.parse(json) ?? {}
  } catch (cause) {
    throw new PackvecError('INVALID_FILE', 'levels', `levels must be JSON: ${String(cause)}`, { cause })
  }
}

export function checkLevels(levels: unknown, precision: Precision, dims: number): Levels {
  if (!isInstance(levels, Levels)) return fail('INVALID_ARGUMENT', 'levels', 'an instance of Levels', describe(levels))
  if (levels.precision !== precision)
    fail('INVALID_ARGUMENT', 'levels', `made for ${precision}`, `levels for ${levels.precision}`)
  checkSameDims('levels', levels.dims, dims, 'the embeddings')
  return levels
}
