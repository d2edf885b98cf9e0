import type { Allowed } from '../rows/filter.js'
import type { RescoreCall } from '../search/merge.js'
import type { BoardName, ScanCall, SharedScan } from './protocol.js'

// A call through shared memory: numbers stand in the worker's control block, arrays on a board that all workers see.

/** Arguments that come before those of the filter. */
const FILTER = 9
const SCORINGS = ['symmetric', 'asymmetric'] as const

export type Boards = Readonly<Record<BoardName, SharedArrayBuffer>>
export type Call = ({ readonly op: 'scan' } & ScanCall) | ({ readonly op: 'rescore' } & RescoreCall)

/** A worker's part of a filter, and the byte of the queries' board where it stands. */
export interface PlacedFilter extends Allowed {
  readonly at: number
}

/** The byte of the queries' board where the offsets stand: a multiple of 8. */
export function offsetsPlace({ queries, centred }: Pick<SharedScan, 'queries' | 'centred'>): number {
  return 8 * Math.ceil((queries.byteLength + (centred?.byteLength ?? 0)) / 8)
}

/** Writes the numbers of a scan; its queries stand at the start of their board, the centred ones and the offsets behind. */
export function writeScan(target: Float64Array, call: SharedScan, filter: PlacedFilter | undefined): void {
  const { index, rows, queries, centred, offsets, options } = call
  const { topK, rescoreMultiplier, scoring } = options
  const lengths = [queries.length, centred?.length ?? 0]
  target.set([0, index, rows, ...lengths, topK, rescoreMultiplier, SCORINGS.indexOf(scoring), offsets?.length ?? 0])
  target.set(filter === undefined ? [0, 0, 0, 0] : [1, filter.at, filter.bits.length, filter.count], FILTER)
}

/** Writes where a worker's survivors stand on their board: `at` is the first of its counts, its ids follow them. */
export function writeRescore(target: Float64Array, at: number, { counts, ids }: RescoreCall): void {
  target.set([1, at, counts.length, ids.length])
}

/** Reads either call; its arrays are views of the boards. */
export function readCall(source: Float64Array, boards: Boards): Call {
  const [op, a = 0, b = 0, c = 0, d = 0, topK = 0, rescoreMultiplier = 0, scoring = 0, offsetCount = 0] = source
  if (op === 1) {
    const counts = new Uint32Array(boards.survivors, 4 * a, b)
    return { op: 'rescore', counts, ids: new Uint32Array(boards.survivors, 4 * (a + b), c) }
  }
  const queries = new Float32Array(boards.queries, 0, c)
  const centred = d === 0 ? undefined : new Float32Array(boards.queries, 4 * c, d)
  const place = offsetsPlace({ queries, centred })
  const offsets = offsetCount === 0 ? undefined : new Float64Array(boards.queries, place, offsetCount)
  const options = { topK, rescoreMultiplier, scoring: SCORINGS[scoring]! }
  const [filtered, at = 0, length = 0, count = 0] = source.subarray(FILTER)
  const allowed = filtered ? { bits: new Uint8Array(boards.queries, at, length), count } : undefined
  return { op: 'scan', index: a, rows: b, queries, centred, offsets, options, allowed }
}
