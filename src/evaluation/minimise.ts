/** Value of a function at `x`; writes its gradient to `gradient`. */
export type Objective = (x: Float64Array, gradient: Float64Array) => number

export interface MinimiseOptions {
  /** Done when no entry of the gradient is larger. */
  readonly tolerance: number
  readonly maxIterations: number
}

/** Pairs of steps that stand for the curvature, as in scikit-learn and scipy. */
const MEMORY = 10
/** Share of the decrease promised by the slope that a step must bring (Armijo). */
const SUFFICIENT = 1e-4

interface Pair {
  step: Float64Array
  turn: Float64Array
  curvature: number
}

/**
 * The minimum of a smooth convex function, by L-BFGS with backtracking; moves `x` there and returns it.
 *
 * Own code, because no library fits: fmin's build exports nothing under Node's ES modules, optimization-js works on
 * plain arrays and pulls its build tools in, ml-logistic-regression takes 50,000 fixed steps one class against the
 * rest.
 *
 * Method: Nocedal & Wright, Numerical Optimization, 2006, algorithms 7.4 (two-loop recursion) and 3.1 (backtracking).
 */
export function minimise(objective: Objective, x: Float64Array, options: MinimiseOptions): Float64Array {
  const pairs: Pair[] = []
  let gradient = new Float64Array(x.length)
  let value = objective(x, gradient)
  for (let iteration = 0; iteration < options.maxIterations; iteration++) {
    if (largest(gradient) <= options.tolerance) break
    const direction = descent(gradient, pairs)
    const slope = dot(direction, gradient)
    const next = { x: new Float64Array(x.length), gradient: new Float64Array(x.length) }
    let length = pairs.length === 0 ? Math.min(1, 1 / Math.sqrt(-slope)) : 1
    let nextValue = Number.POSITIVE_INFINITY
    for (let tries = 0; tries < 40; tries++, length /= 2) {
      for (let i = 0; i < x.length; i++) next.x[i] = x[i]! + length * direction[i]!
      nextValue = objective(next.x, next.gradient)
      if (nextValue <= value + SUFFICIENT * length * slope) break
    }
    // No step goes down any more: rounding decides, this is the minimum.
    if (!(nextValue < value)) break
    const step = difference(next.x, x)
    const turn = difference(next.gradient, gradient)
    const curvature = dot(step, turn)
    if (curvature > 1e-12 * dot(turn, turn)) pairs.push({ step, turn, curvature })
    if (pairs.length > MEMORY) pairs.shift()
    x.set(next.x)
    gradient = next.gradient
    value = nextValue
  }
  return x
}

/** Minus the gradient times the inverse of the curvature that the pairs tell of. */
function descent(gradient: Float64Array, pairs: readonly Pair[]): Float64Array {
  const direction = gradient.map((slope) => -slope)
  const shares: number[] = []
  for (let i = pairs.length - 1; i >= 0; i--) {
    const { step, turn, curvature } = pairs[i]!
    shares[i] = dot(step, direction) / curvature
    add(direction, -shares[i]!, turn)
  }
  const last = pairs.at(-1)
  if (last !== undefined) {
    const scale = last.curvature / dot(last.turn, last.turn)
    for (let i = 0; i < direction.length; i++) direction[i] = direction[i]! * scale
  }
  for (const [i, { step, turn, curvature }] of pairs.entries()) {
    add(direction, shares[i]! - dot(turn, direction) / curvature, step)
  }
  return direction
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

function add(target: Float64Array, factor: number, values: Float64Array): void {
  for (let i = 0; i < target.length; i++) target[i] = target[i]! + factor * values[i]!
}

function difference(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value - b[i]!)
}

function largest(values: Float64Array): number {
  let most = 0
  for (const value of values) if (Math.abs(value) > most) most = Math.abs(value)
  return most
}
