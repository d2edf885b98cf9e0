import { checkCount, checkSameDims, describe, fail, failEmpty, reading } from '../base/check.js'
import { checkOptions } from '../base/options.js'
import { checkSeed, seededWords } from '../base/random.js'
import { checkOwnRows, chooseBook, fitOf, requireBook } from '../codes/choose-book.js'
import type { BookCollector, Codebook } from '../codes/code.js'
import { checkScale } from '../codes/code-options.js'
import type { CodeColumn } from '../codes/column.js'
import type { Precision } from '../codes/precision.js'
import { codeOf } from '../codes/registry.js'
import { lookRows } from '../codes/suitability.js'
import { type RowSource, toRows } from '../rows/matrix.js'
import { openClipping } from '../search/clipping.js'
import type { Recipe } from '../search/recipe.js'
import { checkStages, storedPrecisions } from '../search/stages.js'
import { warnOfIndex } from '../search/suitability.js'
import { SAMPLE_ROWS } from '../transform/centre.js'
import { centreOn, openTransform, type Transform, transformRows } from '../transform/transform.js'
import { batchesOf, evenNumbers, evenRows, gatherRows } from './batches.js'
import type { Corpus } from './corpus.js'
import { openRotation } from './fit-rotation.js'
import type { BuildIndexOptions } from './options.js'
import { Progress } from './progress.js'

/** Checks the options and finds ranges, levels and rotation: the first pass over a corpus, if one is needed. */
export async function planCodes(corpus: Corpus, options: BuildIndexOptions): Promise<Recipe> {
  const stages = checkStages(options)
  checkPolicy(options.calibrateOn)
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
  const columns: CodeColumn[] = []
  for (const precision of storedPrecisions(stages)) {
    const scale = checkScale(options.scale, precision)
    const book = requireBook(
      await bookOf(precision, corpus, transform, given, sample, options),
      precision,
      transform.dims,
    )
    columns.push({ precision, book, scale, fit: fitOf(precision, given !== undefined, options) })
  }
  const recipe = { stages, transform, columns }
  const look = await evenRows(corpus, lookRows(corpus.rows), options.signal)
  warnOfIndex(look, recipe, corpus.rows, options.onWarning)
  openClipping(columns, transformRows(look, transform, 'centred', 'embeddings'), options.onWarning)
  return recipe
}

async function bookOf(
  precision: Precision,
  corpus: Corpus,
  transform: Transform,
  given: RowSource | undefined,
  sample: () => Promise<RowSource>,
  options: BuildIndexOptions,
): Promise<Codebook | undefined> {
  const { books } = codeOf(precision)
  if (books === undefined) return undefined
  const isKnown = given !== undefined || options[books.option] !== undefined
  if (!isKnown && !books.isSampled(options) && !isSample(options.calibrateOn)) {
    checkOwnRows(corpus.rows, precision, options)
    return collectBook(books.collect!(transform.dims, options), corpus, transform, options)
  }
  const encoded = (source: RowSource, name: string) => transformRows(source, transform, 'centred', name)
  // Its rows are never read where ranges or levels are known.
  const unread = { rows: corpus.rows, dims: transform.dims, single: false, copyRows() {} }
  const own = isKnown ? unread : encoded(await sample(), 'embeddings')
  return chooseBook([own], given && encoded(given, 'calibrationEmbeddings'), precision, options)
}

/** A codebook of all rows, as they are encoded. */
async function collectBook(
  collector: BookCollector,
  corpus: Corpus,
  transform: Transform,
  { onProgress, signal }: BuildIndexOptions,
): Promise<Codebook> {
  const progress = new Progress(onProgress, 'calibrate', corpus.rows, corpus.rowBytes)
  for await (const batch of batchesOf(corpus, signal)) {
    collector.add(transformRows(batch, transform, 'centred', batch.name), batch.name)
    progress.report(batch.first + batch.rows)
  }
  return collector.finish('embeddings')
}

/** The embeddings to calibrate on, if the caller gave some. */
function givenSample(corpus: Corpus, kept: Transform, options: BuildIndexOptions): RowSource | undefined {
  if (options.calibrationEmbeddings === undefined) return undefined
  const given = toRows(options.calibrationEmbeddings, 'calibrationEmbeddings')
  if (given.rows === 0) failEmpty('calibrationEmbeddings')
  if (given.dims !== kept.dims) checkSameDims('calibrationEmbeddings', given.dims, corpus.dims, 'the corpus')
  return given
}

/** Rows drawn at random, or evenly spaced: the same for any batches. */
function drawSample(corpus: Corpus, { calibrateOn, onProgress, signal }: BuildIndexOptions): Promise<RowSource> {
  const count = Math.min(isSample(calibrateOn) ? calibrateOn.sample : SAMPLE_ROWS, corpus.rows)
  const numbers = isSample(calibrateOn)
    ? drawRows(corpus.rows, count, calibrateOn.seed ?? 0)
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

type Policy = BuildIndexOptions['calibrateOn']

function isSample(policy: Policy): policy is { readonly sample: number; readonly seed?: number } {
  return typeof policy === 'object' && policy !== null && 'sample' in policy
}

function checkPolicy(policy: Policy): void {
  if (policy === undefined || policy === 'all') return
  if (!reading('calibrateOn', () => isSample(policy))) {
    fail('INVALID_ARGUMENT', 'calibrateOn', "'all' or { sample, seed }", describe(policy))
  }
  checkOptions(policy as object, { sample: checkCount, seed: checkSeed }, 'calibrateOn')
}
