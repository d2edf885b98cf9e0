import { checkCount, checkSameDims, failEmpty } from '../base/check.js'
import { checkOptions, type OptionChecks } from '../base/options.js'
import { chooseBook, fitOf, requireBook } from '../codes/choose-book.js'
import { CODE_CHECKS, type CodeOptions, checkScale, sampleOf } from '../codes/code-options.js'
import type { CodeColumn } from '../codes/column.js'
import type { Precision } from '../codes/precision.js'
import { codeOf } from '../codes/registry.js'
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
import type { Recipe } from './recipe.js'
import { checkStages, type Stages, storedPrecisions } from './stages.js'
import { warnOfIndex } from './suitability.js'

/** The codes of an index. */
export interface StageChoice {
  /** Codes that the first stage scans: 'binary' by default. */
  readonly coarse?: Precision
  /** Codes that rescore the candidates: 'int8' by default ('none' where `coarse` is float32); 'none' for one stage. */
  readonly rescore?: Precision | 'none'
}

/** The codes of an index, what they are calibrated on, and what the embeddings pass through first. */
export interface BuildOptions extends CodeOptions, TransformOptions, StageChoice {
  /** Rows to leave room for, so that `add` moves nothing until then. */
  readonly capacity?: number
  /** Width of a row, where `embeddings` is a flat array of several rows. */
  readonly dims?: number
}

const BUILD_CHECKS: OptionChecks<BuildOptions> = {
  ...CODE_CHECKS,
  ...TRANSFORM_CHECKS,
  coarse: true,
  rescore: true,
  capacity: true,
  dims: true,
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
export interface BuildPlan extends Recipe {
  /** The embeddings as they came, and as they are encoded: the same where nothing is done to them. */
  readonly source: RowSource
  readonly rows: RowSource
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
  const stages = checkStages(options)
  const source = toRows(embeddings, 'embeddings', options.dims)
  if (source.rows === 0) failEmpty('embeddings')
  const capacity = Math.max(source.rows, checkCount(options.capacity ?? source.rows, 'capacity'))
  const opened = openTransform(source.dims, options)
  const sample = givenSample(opened, options)
  const transform = centreOn(opened, options, sample ?? source, 'embeddings')
  const rows = transformRows(source, transform, 'centred', 'embeddings')
  const columns = chooseColumns(rows, sample, transform, stages, options)
  const look = evenSample(source, lookRows(rows.rows))
  warnOfIndex(look, { transform, stages, columns }, rows.rows, options.onWarning)
  const clipping = openClipping(columns, transformRows(look, transform, 'centred', 'embeddings'), options.onWarning)
  const growth = { early: EarlyRows.of(columns, rows), clipping }
  return { source, rows, stages, transform, columns, capacity, growth }
}

/** The embeddings to calibrate on, where the caller gave some. */
function givenSample(transform: Transform, options: BuildOptions): RowSource | undefined {
  const given = sampleOf(options, options.dims ?? 0)
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
    const own = codeOf(precision).books?.isSampled(options) ? evenSample(rows, SAMPLE_ROWS) : rows
    const book = requireBook(chooseBook([own], sample, precision, options), precision, transform.dims)
    const fit = fitOf(precision, given !== undefined, options)
    return { precision, book, scale: checkScale(options.scale, precision), fit }
  })
}
