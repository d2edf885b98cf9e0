import type { Scan, ScanRows } from './forms/form.js'

/** Addresses of a batch of queries: their forms, the rows and the scores found of each, and scratch. */
export interface BatchAddresses {
  readonly queries: number
  readonly ids: number
  readonly scores: number
  readonly scratch: number
}

/**
 * Finds the k best rows of each query of a batch over ranges of rows, which hold at least k in all; row numbers count on from
 * range to range.
 */
export function scanRanges(
  buffer: ArrayBuffer,
  scan: Scan,
  ranges: readonly ScanRows[],
  { queries, ids, scores, scratch }: BatchAddresses,
  count: number,
  k: number,
): void {
  if (ranges.length === 1) {
    scan.run(ranges[0]!, queries, count, k, scratch, ids, scores)
    return
  }
  const found: Found[] = Array.from({ length: count }, () => ({ rows: [], scores: [] }))
  let first = 0
  for (const range of ranges) {
    const each = Math.min(k, range.rowCount)
    scan.run(range, queries, count, each, scratch, ids, scores)
    const [foundRows, foundScores] = [
      new Uint32Array(buffer, ids, count * each),
      scoresAt(buffer, scan, scores, count * each),
    ]
    for (let q = 0; q < count; q++) {
      const rows = Array.from(foundRows.subarray(q * each, (q + 1) * each), (row) => first + row)
      found[q] = merged(
        found[q]!,
        { rows, scores: Array.from(foundScores.subarray(q * each, (q + 1) * each)) },
        scan,
        k,
      )
    }
    first += range.rowCount
  }
  for (const [q, best] of found.entries()) {
    new Uint32Array(buffer, ids + 4 * k * q, k).set(best.rows)
    scoresAt(buffer, scan, scores + 4 * k * q, k).set(best.scores)
  }
}

/** Rows of a query, best first, with the scores of the scan. */
interface Found {
  readonly rows: readonly number[]
  readonly scores: readonly number[]
}

function scoresAt(buffer: ArrayBuffer, { scoreType }: Scan, ptr: number, length: number) {
  if (scoreType === 'float') return new Float32Array(buffer, ptr, length)
  return scoreType === 'distance' ? new Uint32Array(buffer, ptr, length) : new Int32Array(buffer, ptr, length)
}

/** The k best of both; of equal ones those of `a`, whose rows are lower. */
function merged(a: Found, b: Found, { scoreType }: Scan, k: number): Found {
  const sign = scoreType === 'distance' ? -1 : 1
  const rows: number[] = []
  const scores: number[] = []
  for (let [i, j] = [0, 0]; rows.length < k && (i < a.rows.length || j < b.rows.length); ) {
    const takesA = j >= b.rows.length || (i < a.rows.length && sign * a.scores[i]! >= sign * b.scores[j]!)
    const [from, at] = takesA ? [a, i++] : [b, j++]
    rows.push(from.rows[at]!)
    scores.push(from.scores[at]!)
  }
  return { rows, scores }
}
