import type { FloatRows } from './floats.js'
import { minimise, type Objective } from './minimise.js'
import { multiplyTransposed, transpose, widen } from './multiply.js'

/** A fitted multinomial logistic regression: `weights` is classes x dims, `intercepts` one a class. */
export interface LogisticModel {
  readonly weights: Float64Array
  readonly intercepts: Float64Array
  readonly classes: number
  readonly dims: number
}

export interface LogisticOptions {
  /** Inverse strength of the penalty, 1 by default: the loss is C · sum of log losses + |weights|² / 2. */
  readonly C?: number
  readonly maxIterations?: number
}

/** scikit-learn's `tol`: on the gradient of the mean loss. */
const TOLERANCE = 1e-4

/**
 * Multinomial logistic regression with an L2 penalty on the weights and none on the intercepts: the objective and the
 * stopping rule of scikit-learn's LogisticRegression(C=1, solver='lbfgs'), so also its accuracy.
 *
 * @param labels class of each row, 0 to classes - 1
 */
export function fitLogistic(
  rows: FloatRows,
  labels: ArrayLike<number>,
  classes: number,
  options: LogisticOptions = {},
): LogisticModel {
  const { dims } = rows
  const parameters = new Float64Array(classes * (dims + 1))
  const objective = logisticObjective(rows, labels, classes, options.C ?? 1)
  minimise(objective, parameters, { tolerance: TOLERANCE, maxIterations: options.maxIterations ?? 1000 })
  const weights = parameters.subarray(0, classes * dims)
  return { weights, intercepts: parameters.subarray(classes * dims), classes, dims }
}

function logisticObjective(rows: FloatRows, labels: ArrayLike<number>, classes: number, C: number): Objective {
  const { rows: count, dims } = rows
  const features = widen(rows.data)
  const columns = transpose(features, count, dims)
  const logits = new Float64Array(count * classes)
  const penalty = 1 / (C * count)
  return (parameters, gradient) => {
    const weights = parameters.subarray(0, classes * dims)
    multiplyTransposed(features, weights, logits, count, classes, dims)
    let loss = 0
    const interceptSlopes = new Float64Array(classes)
    for (let row = 0; row < count; row++) {
      const scores = logits.subarray(row * classes, (row + 1) * classes)
      loss += softmaxLoss(scores, parameters.subarray(classes * dims), labels[row]!)
      for (let c = 0; c < classes; c++) interceptSlopes[c] = interceptSlopes[c]! + scores[c]! / count
    }
    const slopes = gradient.subarray(0, classes * dims)
    multiplyTransposed(transpose(logits, count, classes), columns, slopes, classes, dims, count)
    let squares = 0
    for (let i = 0; i < slopes.length; i++) {
      squares += weights[i]! * weights[i]!
      slopes[i] = slopes[i]! / count + penalty * weights[i]!
    }
    gradient.set(interceptSlopes, classes * dims)
    return loss / count + (penalty * squares) / 2
  }
}

/** Turns scores into probabilities less the truth, in place, and returns the log loss of the row. */
function softmaxLoss(scores: Float64Array, intercepts: Float64Array, label: number): number {
  let highest = Number.NEGATIVE_INFINITY
  for (let c = 0; c < scores.length; c++) {
    scores[c] = scores[c]! + intercepts[c]!
    if (scores[c]! > highest) highest = scores[c]!
  }
  const right = scores[label]! - highest
  let sum = 0
  for (let c = 0; c < scores.length; c++) {
    scores[c] = Math.exp(scores[c]! - highest)
    sum += scores[c]!
  }
  for (let c = 0; c < scores.length; c++) scores[c] = scores[c]! / sum
  scores[label] = scores[label]! - 1
  return Math.log(sum) - right
}

/** The most probable class of each row; the lower one where two tie. */
export function predictLogistic(model: LogisticModel, rows: FloatRows): Int32Array {
  const { weights, intercepts, classes, dims } = model
  const logits = new Float64Array(rows.rows * classes)
  multiplyTransposed(widen(rows.data), weights, logits, rows.rows, classes, dims)
  return Int32Array.from({ length: rows.rows }, (_, row) => {
    let best = 0
    for (let c = 1; c < classes; c++) {
      if (logits[row * classes + c]! + intercepts[c]! > logits[row * classes + best]! + intercepts[best]!) best = c
    }
    return best
  })
}
