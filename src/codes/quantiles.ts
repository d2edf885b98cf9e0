import { describe, fail, reading } from '../base/check.js'

/**
 * Quantiles as `numpy.quantile` gives them for float32 data: linear interpolation between neighbours (type 7 of Hyndman and
 * Fan, 1996), the position in float64, every step after it in float32. Sorts `values` in place.
 */
export function quantilesOf(values: Float32Array, fractions: readonly number[]): number[] {
  values.sort()
  const last = values.length - 1
  return fractions.map((fraction) => {
    const position = last * fraction
    const below = Math.min(Math.floor(position), last)
    const a = values[below]!
    const b = values[Math.min(below + 1, last)]!
    const weight = position - below
    const difference = Math.fround(b - a)
    if (weight < 0.5) return Math.fround(a + Math.fround(difference * Math.fround(weight)))
    return Math.fround(b - Math.fround(difference * Math.fround(1 - weight)))
  })
}

/** Quantiles of each dimension, or of all values at once: fractions x dims, where 'global' repeats the one value. */
export function matrixQuantiles(
  values: Float32Array,
  dims: number,
  fractions: readonly number[],
  scope: Scope,
): Float32Array[] {
  if (scope === 'global') {
    return quantilesOf(values.slice(), fractions).map((value) => new Float32Array(dims).fill(value))
  }
  const rows = values.length / dims
  const column = new Float32Array(rows)
  const quantiles = fractions.map(() => new Float32Array(dims))
  for (let d = 0; d < dims; d++) {
    for (let row = 0; row < rows; row++) column[row] = values[row * dims + d]!
    for (const [i, value] of quantilesOf(column, fractions).entries()) quantiles[i]![d] = value
  }
  return quantiles
}

/** Whether each dimension has thresholds of its own or all share those of the flattened matrix. */
export type Scope = 'dimension' | 'global'

/** Low and high percentile, 0 to 100, the first below the second. */
export type Percentiles = readonly [low: number, high: number]

/** The percentiles as fractions. */
export function checkPercentiles(percentiles: Percentiles): [number, number] {
  const pair = reading('percentiles', () => (Array.isArray(percentiles) ? percentiles.slice(0, 3) : []))
  const isPair = pair.length === 2
  const [low, high]: readonly unknown[] = pair
  if (isPair && typeof low === 'number' && typeof high === 'number' && low >= 0 && high <= 100 && low < high) {
    return [low / 100, high / 100]
  }
  const got = isPair ? `[${describe(low)}, ${describe(high)}]` : describe(percentiles)
  return fail('INVALID_ARGUMENT', 'percentiles', '[low, high] with 0 <= low < high <= 100', got)
}
