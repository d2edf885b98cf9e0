import { describe, fail } from '../base/check.js'
import { PackvecError } from '../base/errors.js'
import { cosineOfPairs, type FloatRows, toFloatRows } from './floats.js'
import { pearson, spearman } from './metrics.js'
import { checkOnePerRow, type Measurement, type PreparedTask, timed } from './task.js'
import type { FittedTechnique } from './technique.js'
import type { EvaluationScoring, StsTask } from './types.js'

/**
 * Pairs with human scores. Symmetric scoring compares decoded codes with decoded codes, asymmetric scoring the first
 * text as float with the second as code.
 * @throws PackvecError INVALID_ARGUMENT for scores that do not match the rows, are no numbers, or are all the same
 */
export function prepareSts(task: StsTask): PreparedTask {
  const a = toFloatRows(task.a, 'a')
  const b = toFloatRows(task.b, 'b')
  if (a.rows !== b.rows || a.dims !== b.dims) {
    const message = `b is ${b.rows} x ${b.dims}, a is ${a.rows} x ${a.dims}: pairs need the same shape`
    throw new PackvecError('DIMS_MISMATCH', 'b', message)
  }
  checkOnePerRow(task.scores, 'scores', a.rows, 'a')
  const scores = Float64Array.from(task.scores, (score, i) => checkScore(score, i))
  if (scores.every((score) => score === scores[0])) {
    fail('INVALID_ARGUMENT', 'scores', 'made of at least 2 different values', `${scores.length} times ${scores[0]}`)
  }
  return {
    summary: {
      name: task.name ?? 'sts',
      kind: 'sts',
      dims: a.dims,
      counts: { pairs: a.rows },
      metrics: ['spearman', 'pearson'],
    },
    inputs: [a.data, b.data, scores, JSON.stringify(['sts', a.dims])],
    ownCalibration: { rows: bothSides(a, b), name: 'the pairs themselves, which are the test set', isTestSet: true },
    measure: (fitted, { scorings }) => scorings.flatMap((scoring) => measure(fitted, scoring, a, b, scores)),
  }
}

function measure(
  fitted: FittedTechnique,
  scoring: EvaluationScoring,
  a: FloatRows,
  b: FloatRows,
  scores: Float64Array,
): Measurement[] {
  const { result: codes, ms: encodeMs } = timed(() => ({ a: fitted.encode(a), b: fitted.encode(b) }))
  const { result: cosines, ms: searchMs } = timed(() => {
    if (scoring === 'packed-bytes') return cosineOfPairs(fitted.packed(codes.a), fitted.packed(codes.b))
    const left = scoring === 'symmetric' ? fitted.decode(codes.a) : fitted.transform(a)
    return cosineOfPairs(left, fitted.decode(codes.b))
  })
  const bytes = codes.b.rowBytes
  const common = { scoring, multiplier: 1, rescore: 'none', bytes, scanBytes: bytes, encodeMs, searchMs } as const
  return [
    { ...common, metric: 'spearman', value: orZero(spearman(cosines, scores)) },
    { ...common, metric: 'pearson', value: orZero(pearson(cosines, scores)) },
  ]
}

/** Cosines that are all the same say nothing about the scores: no correlation. */
function orZero(correlation: number): number {
  return Number.isNaN(correlation) ? 0 : correlation
}

function checkScore(score: unknown, i: number): number {
  if (typeof score === 'number' && Number.isFinite(score)) return score
  return fail('INVALID_ARGUMENT', 'scores', 'finite numbers', `${describe(score)} for pair ${i}`)
}

function bothSides(a: FloatRows, b: FloatRows): FloatRows {
  const data = new Float32Array(a.data.length + b.data.length)
  data.set(a.data)
  data.set(b.data, a.data.length)
  return { data, rows: a.rows + b.rows, dims: a.dims }
}
