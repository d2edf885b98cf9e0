import { GROUP_ROWS, rowsToColumns } from './columns'
import { TILE_ROWS } from './lanes'
import { canImprove, nearestBytes, resetNearest, selectNearest, writeNearest } from './select'
import { greatestSum, sumColumns, tableDistance } from './table-sums'

/** Bytes of a tile turned to columns: half of a level-1 cache. The same number stands in `src/kernels.ts`. */
const COLUMN_BYTES: usize = 24_576

export function scanTableTopK(
  tablesPtr: usize,
  queryCount: usize,
  codesPtr: usize,
  rowCount: usize,
  rowBytes: usize,
  k: usize,
  scratchPtr: usize,
  idsPtr: usize,
  scoresPtr: usize,
  allowedPtr: usize,
): void {
  assert(rowBytes !== 0 && rowBytes % 8 === 0, 'rowBytes must be a multiple of 8')
  assert(k !== 0, 'k must be at least 1')
  // The scratch, as `tableScratchBytes` sizes it: distances of a tile, its columns, the limit and the state of each query.
  const counterCount = min<usize>(126 * rowBytes, 0xffff) + 2
  const columnsPtr = scratchPtr + (TILE_ROWS << 1)
  const limitsPtr = columnsPtr + max<usize>(COLUMN_BYTES, GROUP_ROWS * rowBytes)
  const statesPtr = limitsPtr + (queryCount << 2)
  const stateBytes = nearestBytes(k, counterCount)
  for (let q: usize = 0; q < queryCount; ++q) {
    const limit = greatestSum(tablesPtr + q * (rowBytes << 5), rowBytes)
    assert(limit <= <u32>counterCount - 2, 'entries must be at most 63 and sums at most 65,535')
    store<u32>(limitsPtr + (q << 2), limit)
    resetNearest(statesPtr + q * stateBytes, counterCount)
  }
  const step = min<usize>(TILE_ROWS, max<usize>(GROUP_ROWS, (COLUMN_BYTES / rowBytes) & ~(GROUP_ROWS - 1)))
  for (let first: usize = 0; first < rowCount; first += step) {
    const rowsPtr = codesPtr + first * rowBytes
    const tile = min<usize>(step, rowCount - first)
    const streamRows = (tile >> 4) << 2
    // Once for all queries of the batch, which makes each of them 0.7 times one alone (measured).
    rowsToColumns(rowsPtr, streamRows, rowBytes, columnsPtr)
    for (let q: usize = 0; q < queryCount; ++q) {
      const statePtr = statesPtr + q * stateBytes
      if (!canImprove(statePtr)) continue
      const tablePtr = tablesPtr + q * (rowBytes << 5)
      const limit = load<u32>(limitsPtr + (q << 2))
      sumColumns(tablePtr, columnsPtr, streamRows, rowBytes, limit, scratchPtr)
      for (let row = streamRows << 2; row < tile; ++row) {
        const distance = tableDistance(tablePtr, rowsPtr + row * rowBytes, rowBytes, limit)
        store<u16>(scratchPtr + (row << 1), <u16>distance)
      }
      selectNearest(scratchPtr, tile, <u32>first, <u32>k, statePtr, counterCount, allowedPtr)
    }
  }
  const found = min(k, rowCount)
  for (let q: usize = 0; q < queryCount; ++q) {
    const offset = (q * found) << 2
    writeNearest(statesPtr + q * stateBytes, counterCount, <u32>found, idsPtr + offset, scoresPtr + offset)
    const limit = load<u32>(limitsPtr + (q << 2))
    for (let i: usize = 0; i < found; ++i) {
      const scorePtr = scoresPtr + offset + (i << 2)
      store<u32>(scorePtr, limit - load<u32>(scorePtr))
    }
  }
}
