/** What the integer sums of a scan say of the exact scores, before factors: score - sum · unit lies from `low` to `high`. */
export interface Rounding {
  readonly unit: number
  readonly low: number
  readonly high: number
  /** No sum is greater, up to the sign. */
  readonly greatest: number
  /** The half width of the rounding beside the spread of the scores, both guessed from the query alone. */
  readonly width: number
  /**
   * Whether the rounding drowns all but the widest dimensions, as where an outlier sets the unit: then the scan's order means
   * little. It depends on the query and the codebook alone, so that all shards of an index agree.
   */
  readonly isBlurred: boolean
}

/** The widest parts of a query that may decide most of a score, while the others decide among rows that share their codes. */
const WIDEST = 8
/** The rounding must be this many times smaller than the spread of the other parts. */
const CLEAR = 6

/**
 * What the parts of a query, nibbles or dimensions, make of the scores of rows together. `spreads`: the standard deviation of
 * each over the rows, in units; `noise`: that of its rounding.
 */
export function spreadOf(spreads: Float64Array, noise: number): { readonly size: number; readonly isBlurred: boolean } {
  const widest = new Float64Array(WIDEST)
  let [parts, total, lost, eighth] = [0, 0, 0, 0]
  for (let i = 0; i < spreads.length; i++) {
    const square = spreads[i]! * spreads[i]!
    if (square === 0) continue
    parts++
    total += square
    lost += Math.min(square, noise * noise)
    if (square <= eighth) continue
    let place = WIDEST - 1
    for (; place > 0 && widest[place - 1]! < square; place--) widest[place] = widest[place - 1]!
    widest[place] = square
    eighth = widest[WIDEST - 1]!
  }
  let rest = total
  for (let i = 0; i < Math.min(WIDEST, parts >> 2); i++) rest -= widest[i]!
  return { size: Math.sqrt(total), isBlurred: rest < CLEAR * CLEAR * lost }
}

/** Candidates for k rows that are found, and rescored, at next to no cost. */
export function fewCandidates(k: number): number {
  return 2 * k + 64
}

/**
 * Candidates among which the `k` best of `rows` are expected to be, and to be known as such, where scores lie normally and
 * the rounding is `width` standard deviations wide: the rows above the k-th score less that.
 */
export function expectedCandidates(k: number, rows: number, width: number): number {
  if (rows <= 16 * k) return rows
  const t = Math.sqrt(2 * Math.log(rows / k))
  const place = t - (Math.log(t) + 0.92) / t
  const left = place - width
  return left < 0.5 ? rows : (k * Math.exp(place * width - (width * width) / 2) * place) / left
}

/**
 * The record of `BoundKernel` for a row's factor: unit, high, low. What the kernel's own float32 arithmetic may lose, at most
 * four roundings of numbers up to `size`, is added.
 */
export function writeBound({ unit, low, high, greatest }: Rounding, constant: number, target: Float32Array): void {
  const size = greatest * unit + Math.abs(constant) + Math.max(Math.abs(low), Math.abs(high))
  const slack = 2 ** -21 * size
  target.set([unit, constant + high + slack, constant + low - slack, 0])
}
