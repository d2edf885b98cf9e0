import { checkCount, checkOneOf, checkSameDims, describe, fail, reading } from '../base/check.js'
import { checkOptions } from '../base/options.js'
import { checkSeed, seededWords } from '../base/random.js'
import { Calibration } from '../codes/calibration.js'
import type { Codebook } from '../codes/codebook.js'
import type { CodeColumn } from '../codes/column.js'
import { isLevelPrecision } from '../codes/levels.js'
import { type Precision, precisionKind } from '../codes/precision.js'
import { BUILD_NAMES, checkOwnRows, checkScale, chooseCodebook, requireCodebook } from '../codes/quantize.js'
import { lookRows } from '../codes/suitability.js'
import type { IndexParts } from '../index-file/parts.js'
import { type RowSource, toRows } from '../rows/matrix.js'
import { fitOf, planStages } from '../search/build-plan.js'
import { openClipping } from '../search/clipping.js'
import { type Stages, storedPrecisions } from '../search/stages.js'
import { warnOfIndex } from '../search/suitability.js'
import { SAMPLE_ROWS } from '../transform/centre.js'
import { centreOn, openTransform, type Transform, transformRows } from '../transform/transform.js'
import { batchesOf, evenNumbers, evenRows, gatherRows } from './batches.js'
import type { Corpus } from './corpus.js'
import { openRotation } from './fit-rotation.js'
import type { BuildIndexOptions } from './options.js'
import { Progress } from './progress.js'

/** What the codes of an index are to be. */
export interface CodePlan extends IndexParts {
  readonly stages: Stages
}

/** Checks the options and finds ranges, levels and rotation: the first pass over a corpus, where it needs one. */
export async function planCodes(corpus: Corpus, options: BuildIndexOptions): Promise<CodePlan> {
  const stages = planStages(options)
  checkCalibration(options.calibration)
  const { rotation, ...rest } = options
  const opened = openTransform(corpus.dims, rest)
  const given = givenSample(corpus, opened, options)
  let drawn: Promise<RowSource> | undefined
  const sample = () => {
    drawn ??= given === undefined ? drawSample(corpus, options) : Promise.resolve(given)
    return drawn
  }
  const kept = options.center === true ? centreOn(opened, options, await sample(), 'embeddings') : opened
  const made = rotation && (await openRotation(rotation, kept, sample, options.signal))
  const { centre } = kept
  const transform = { ...openTransform(corpus.dims, made === undefined ? rest : { ...rest, rotation: made }), centre }
  const ranges = isRanges(options.calibration) ? options.calibration : undefined
  const columns: CodeColumn[] = []
  for (const precision of storedPrecisions(stages)) {
    const scale = checkScale(options.scale, precision)
    const book = await chooseBook(precision, corpus, transform, given, sample, options)
    const fit = fitOf(precision, given !== undefined, { ...options, calibration: ranges })
    columns.push({ precision, book: requireCodebook(book, precision, transform.dims, BUILD_NAMES), scale, fit })
  }
  const look = await evenRows(corpus, lookRows(corpus.rows), options.signal)
  warnOfIndex(look, { transform, stages, columns, rows: corpus.rows }, options.onWarning)
  openClipping(columns, transformRows(look, transform, 'centred', 'embeddings'), options.onWarning)
  return { stages, transform, columns }
}

async function chooseBook(
  precision: Precision,
  corpus: Corpus,
  transform: Transform,
  given: RowSource | undefined,
  sample: () => Promise<RowSource>,
  options: BuildIndexOptions,
): Promise<Codebook | undefined> {
  const { calibration, percentiles, levels } = options
  const kind = precisionKind(precision)
  if (kind === 'bits' || kind === 'floats') return undefined
  const isLevels = isLevelPrecision(precision)
  const ranges = isRanges(calibration) ? calibration : undefined
  const isKnown = given !== undefined || (isLevels ? levels !== undefined : ranges !== undefined)
  if (!isKnown && !isLevels && percentiles === undefined && !isSample(calibration)) {
    return streamRanges(precision, corpus, transform, options)
  }
  const encoded = (source: RowSource, name: string) => transformRows(source, transform, 'centred', name)
  // Its rows are never read where ranges or levels are known.
  const own = isKnown ? { rows: corpus.rows, dims: transform.dims, single: false, copyRows() {} } : await sample()
  const other = given && encoded(given, 'calibrationEmbeddings')
  const chosen = { ...options, ...(ranges === undefined ? {} : { ranges }) }
  return chooseCodebook([isKnown ? own : encoded(own, 'embeddings')], other, precision, chosen, BUILD_NAMES)
}

/** Minima and maxima of all rows, as they are encoded. */
async function streamRanges(
  precision: Precision,
  corpus: Corpus,
  transform: Transform,
  options: BuildIndexOptions,
): Promise<Codebook> {
  checkOwnRows(corpus.rows, precision, options, BUILD_NAMES)
  const scope = checkOneOf(options.scope ?? 'dimension', ['dimension', 'global'], 'scope')
  const ranges = new Calibration(transform.dims)
  const progress = new Progress(options.onProgress, 'calibrate', corpus.rows, corpus.rowBytes)
  for await (const batch of batchesOf(corpus, options.signal)) {
    ranges.addRows(transformRows(batch, transform, 'centred', batch.name), batch.name)
    progress.report(batch.first + batch.rows)
  }
  return scope === 'global' ? ranges.shareRange('embeddings') : ranges
}

/** The embeddings to calibrate on, where the caller gave some. */
function givenSample(corpus: Corpus, kept: Transform, options: BuildIndexOptions): RowSource | undefined {
  if (options.calibrationEmbeddings === undefined) return undefined
  const given = toRows(options.calibrationEmbeddings, 'calibrationEmbeddings')
  if (given.rows === 0) fail('EMPTY', 'calibrationEmbeddings', 'at least 1 row', '0 rows')
  if (given.dims !== kept.dims) checkSameDims('calibrationEmbeddings', given.dims, corpus.dims, 'the corpus')
  return given
}

/** Rows drawn at random, or evenly spaced: the same ones whatever the batches. */
function drawSample(corpus: Corpus, { calibration, onProgress, signal }: BuildIndexOptions): Promise<RowSource> {
  const count = Math.min(isSample(calibration) ? calibration.sample : SAMPLE_ROWS, corpus.rows)
  const numbers = isSample(calibration)
    ? drawRows(corpus.rows, count, calibration.seed ?? 0)
    : evenNumbers(count, corpus.rows)
  const progress = new Progress(onProgress, 'calibrate', count, corpus.rowBytes)
  return gatherRows(corpus, numbers, (rows) => progress.report(rows), signal)
}

/** `count` of the numbers below `rows`, rising, each choice equally likely: Knuth's algorithm S. */
function drawRows(rows: number, count: number, seed: number): Float64Array {
  const words = seededWords(seed)
  const drawn = new Float64Array(count)
  for (let row = 0, found = 0; found < count; row++) {
    if ((words() / 2 ** 32) * (rows - row) < count - found) drawn[found++] = row
  }
  return drawn
}

type CalibrationOption = BuildIndexOptions['calibration']

function isRanges(value: CalibrationOption): value is Calibration {
  return typeof value === 'object' && value !== null && 'buckets' in value
}

function isSample(value: CalibrationOption): value is { readonly sample: number; readonly seed?: number } {
  return typeof value === 'object' && value !== null && 'sample' in value
}

function checkCalibration(value: CalibrationOption): void {
  if (value === undefined || value === 'all') return
  if (reading('calibration', () => isRanges(value))) return
  if (!reading('calibration', () => isSample(value))) {
    fail('INVALID_ARGUMENT', 'calibration', "'all', { sample, seed } or a Calibration", describe(value))
  }
  checkOptions(value as object, { sample: checkCount, seed: checkSeed }, 'calibration')
}
