import {
  checkArray,
  checkBoolean,
  checkCount,
  checkFactor,
  checkFunction,
  checkString,
  describe,
  fail,
} from '../base/check.js'
import type { OptionChecks } from '../base/options.js'
import { checkSeed } from '../base/random.js'
import { checkPath } from '../files/path.js'
import type { CalibrationSource, ClassificationTask, EvaluateOptions, RetrievalTask, StsTask } from './types.js'

// What the objects that `evaluate` takes may hold; types.ts has types only.

export const EVALUATE_CHECKS: OptionChecks<EvaluateOptions> = {
  calibration: true,
  techniques: checkArray,
  scorings: checkArray,
  multipliers: (values, name) => {
    for (const value of checkArray(values, name)) checkFactor(value, name)
  },
  keep: true,
  seed: checkSeed,
  cache: checkPath,
  spectra: checkBoolean,
  onProgress: checkFunction,
  onWarning: checkFunction,
}

export const CALIBRATION_CHECKS: OptionChecks<CalibrationSource> = { embeddings: true, name: checkString }

export const STS_CHECKS: OptionChecks<StsTask> = { kind: true, name: checkString, a: true, b: true, scores: true }

export const CLASSIFICATION_CHECKS: OptionChecks<ClassificationTask> = {
  kind: true,
  name: checkString,
  train: true,
  trainLabels: checkLabels,
  test: true,
  testLabels: checkLabels,
  samplesPerClass: checkCount,
  draws: checkDraws,
}

export const RETRIEVAL_CHECKS: OptionChecks<RetrievalTask> = {
  kind: true,
  name: checkString,
  corpus: true,
  queries: true,
  qrels: checkQrels,
  topK: checkCount,
}

/** As many as anyone waits for. */
const MAX_DRAWS = 10_000

function checkDraws(draws: unknown, argument: string): void {
  if (checkCount(draws, argument) > MAX_DRAWS) fail('TOO_LARGE', argument, `at most ${MAX_DRAWS}`, String(draws))
}

function checkLabels(labels: unknown, argument: string): void {
  for (const label of checkArray(labels, argument)) {
    if (typeof label !== 'string') fail('INVALID_ARGUMENT', argument, 'texts', describe(label))
  }
}

function checkQrels(qrels: unknown, argument: string): void {
  for (const grades of checkArray(qrels, argument)) {
    if (!(grades instanceof Map))
      fail('INVALID_ARGUMENT', argument, 'one Map of rows to grades per query', describe(grades))
  }
}
