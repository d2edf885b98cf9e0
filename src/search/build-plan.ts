import { checkCount, checkFunction, checkSameDims } from '../base/check.js'
import { PackvecError } from '../base/errors.js'
import { checkOptions, type OptionChecks } from '../base/options.js'
import type { Calibration } from '../codes/calibration.js'
import type { BookFit, ScaleType } from '../codes/codebook.js'
import type { CodeColumn } from '../codes/column.js'
import { isLevelPrecision, type Levels } from '../codes/levels.js'
import { checkPrecision, type Precision, precisionKind } from '../codes/precision.js'
import type { Percentiles, Scope } from '../codes/quantiles.js'
import { BUILD_NAMES, type CodebookOptions, checkScale, chooseCodebook, requireCodebook } from '../codes/quantize.js'
import { lookRows } from '../codes/suitability.js'
import { type Embeddings, evenSample, type RowSource, toRows } from '../rows/matrix.js'
import { SAMPLE_ROWS } from '../transform/centre.js'
import {
  centreOn,
  openTransform,
  TRANSFORM_CHECKS,
  type Transform,
  type TransformOptions,
  transformRows,
} from '../transform/transform.js'
import { type Clipping, openClipping } from './clipping.js'
import { EarlyRows, type Refit } from './early-rows.js'
import { type Stages, storedPrecisions } from './stages.js'
import { warnOfIndex } from './suitability.js'

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

const BUILD_CHECKS: OptionChecks<BuildOptions> = {
  ...TRANSFORM_CHECKS,
  coarse: true,
  rescore: true,
  calibrationEmbeddings: true,
  calibration: true,
  levels: true,
  scope: true,
  percentiles: true,
  scale: true,
  capacity: true,
  dims: true,
  onWarning: checkFunction,
}

/** What an index keeps of its rows for those that are added. @internal */
export interface RowGrowth {
  early: EarlyRows | undefined
  clipping: Clipping
}

/** Keeps rows that were added for what comes, and counts what was cut off of them. @internal */
export function takeNote(
  growth: RowGrowth,
  columns: readonly CodeColumn[],
  rows: RowSource,
  refit: Refit | undefined,
): void {
  const { early, clipping } = growth
  growth.early = early?.keep(rows, refit !== undefined)
  if (early === undefined) clipping.add(columns, rows)
  // From here on codebooks stay.
  else if (growth.early === undefined && refit) growth.clipping = clipping.anew(columns, refit.rows)
}

/** What an index over these embeddings is made of, before any row is encoded. */
export interface BuildPlan {
  /** The embeddings as they came, and as they are encoded: the same where nothing is done to them. */
  readonly source: RowSource
  readonly rows: RowSource
  readonly stages: Stages
  readonly transform: Transform
  readonly columns: readonly CodeColumn[]
  /** Rows to make room for. */
  readonly capacity: number
  /** What becomes of rows that are added. */
  readonly growth: RowGrowth
}

/**
 * Checks the options of `build` and finds ranges and levels over the whole corpus; `packvec/pool` encodes rows elsewhere.
 * @internal
 */
export function planIndex(embeddings: Embeddings, given: BuildOptions | undefined): BuildPlan {
  const options = checkOptions(given, BUILD_CHECKS)
  const stages = planStages(options)
  const source = toRows(embeddings, 'embeddings', options.dims)
  if (source.rows === 0)
    throw new PackvecError('EMPTY', 'embeddings', 'embeddings must have at least 1 row, got 0 rows')
  const capacity = Math.max(source.rows, checkCount(options.capacity ?? source.rows, 'capacity'))
  const opened = openTransform(source.dims, options)
  const sample = givenSample(opened, options)
  const transform = centreOn(opened, options, sample ?? source, 'embeddings')
  const rows = transformRows(source, transform, 'centred', 'embeddings')
  const columns = chooseColumns(rows, sample, transform, stages, options)
  const look = evenSample(source, lookRows(rows.rows))
  warnOfIndex(look, { transform, stages, columns, rows: rows.rows }, options.onWarning)
  const clipping = openClipping(columns, transformRows(look, transform, 'centred', 'embeddings'), options.onWarning)
  const growth = { early: EarlyRows.of(columns, rows), clipping }
  return { source, rows, stages, transform, columns, capacity, growth }
}

/** The codes that the options ask for, or the usual ones. @internal */
export function planStages(options: Pick<BuildOptions, 'coarse' | 'rescore'>): Stages {
  const coarse = checkPrecision(options.coarse ?? 'binary', 'coarse')
  return { coarse, rescore: checkRescore(options.rescore ?? (coarse === 'float32' ? 'none' : 'int8')) }
}

/** The embeddings to calibrate on, where the caller gave some. */
function givenSample(
  transform: Transform,
  { calibrationEmbeddings, dims }: Pick<BuildOptions, 'calibrationEmbeddings' | 'dims'>,
): RowSource | undefined {
  const given = calibrationEmbeddings && toRows(calibrationEmbeddings, 'calibrationEmbeddings', dims)
  if (given && given.dims !== transform.dims) {
    checkSameDims('calibrationEmbeddings', given.dims, transform.inputDims, 'embeddings')
  }
  return given
}

function chooseColumns(
  rows: RowSource,
  given: RowSource | undefined,
  transform: Transform,
  stages: Stages,
  options: BuildOptions,
): CodeColumn[] {
  const sample = given && transformRows(given, transform, 'centred', 'calibrationEmbeddings')
  return storedPrecisions(stages).map((precision) => {
    const quantiles = isLevelPrecision(precision) || options.percentiles !== undefined
    const own = quantiles ? evenSample(rows, SAMPLE_ROWS) : rows
    const chosen = chooseCodebook([own], sample, precision, { ...options, ranges: options.calibration }, BUILD_NAMES)
    const book = requireCodebook(chosen, precision, transform.dims, BUILD_NAMES)
    const fit = fitOf(precision, given !== undefined, options)
    return { precision, book, scale: checkScale(options.scale, precision), fit }
  })
}

/** How a codebook follows the rows that are added: not at all where the caller gave it, or a sample for it. */
export function fitOf(
  precision: Precision,
  sampled: boolean,
  {
    calibration,
    levels,
    scope,
    percentiles,
  }: Pick<CodebookOptions, 'levels' | 'scope' | 'percentiles'> & { calibration?: unknown },
): BookFit | undefined {
  const kind = precisionKind(precision)
  const isLevels = isLevelPrecision(precision)
  if (kind === 'bits' || kind === 'floats' || sampled || (isLevels ? levels : calibration) !== undefined)
    return undefined
  return { scope: scope ?? (isLevels ? 'global' : 'dimension'), percentiles }
}

function checkRescore(value: Precision | 'none'): Precision | 'none' {
  return value === 'none' ? value : checkPrecision(value, 'rescore')
}
