import { cutQuery, type FoundLists } from './cut.js'
import type { Scan, ScanRows } from './forms/form.js'

/** Addresses of a batch of queries: their forms, the rows and the scores found of each, and scratch. */
export interface BatchAddresses {
  readonly queries: number
  readonly ids: number
  readonly scores: number
  readonly scratch: number
}

/** Finds the k best rows of each query of a batch over ranges of rows, which hold at least k in all. */
export function scanRanges(
  buffer: ArrayBuffer,
  scan: Scan,
  ranges: readonly ScanRows[],
  at: BatchAddresses,
  count: number,
  k: number,
): void {
  if (ranges.length === 1) {
    scanRange(buffer, scan, ranges[0]!, at, count, k)
    return
  }
  const found = ranges.map((range): FoundLists => {
    const each = Math.min(k, range.rowCount)
    const ids = scanRange(buffer, scan, range, at, count, each).slice()
    // The next range writes over them.
    const scores = new Int32Array(buffer, at.scores, count * each).slice()
    return { ids, candidates: { count: each, scores, scoreType: scan.scoreType } }
  })
  for (let query = 0; query < count; query++) {
    const cut = cutQuery(found, query, k)
    const rows = new Uint32Array(buffer, at.ids + 4 * k * query, k)
    const bits = new Int32Array(buffer, at.scores + 4 * k * query, k)
    for (let i = 0; i < k; i++) {
      const { ids, candidates } = found[cut.from[i]!]!
      rows[i] = ids[cut.at[i]!]!
      bits[i] = candidates.scores[cut.at[i]!]!
    }
  }
}

/** Scans one range; gives the rows found, as the store numbers them. */
function scanRange(
  buffer: ArrayBuffer,
  scan: Scan,
  range: ScanRows,
  { queries, ids, scores, scratch }: BatchAddresses,
  count: number,
  k: number,
): Uint32Array {
  scan.run(range, queries, count, k, scratch, ids, scores)
  const rows = new Uint32Array(buffer, ids, count * k)
  if (range.first > 0) for (let i = 0; i < rows.length; i++) rows[i]! += range.first
  return rows
}
