import { boundLimit, boundOf, distancesToBounds, greatestFactor } from './bounds'
import { GROUP_ROWS, rowsToColumns } from './columns'
import { leastKey, resetBest, selectBest, writeBest } from './heap'
import { TILE_ROWS, tileRows } from './lanes'
import { keysToScores, keyToScore } from './order'
import { canImprove, nearestBytes, nearestLimit, resetNearest, selectNearest, writeNearest } from './select'
import { preparedBytes, prepareQuery, tableDistance } from './table-query'
import { sumRows } from './table-rows'
import { sumColumns } from './table-sums'

/** Bytes of a tile turned to columns: half of a level-1 cache. */
export const COLUMN_BYTES: usize = 24_576

/** Bytes of the widest rows that are scanned without columns. */
const WIDEST_IN_PLACE: usize = 128

/**
 * Rows of the first tile; each further one doubles, up to a sixteenth of all rows. Small ones give a limit early that later
 * groups are left by, large ones long streams.
 */
const FIRST_STEP: usize = 256

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
  factorsPtr: usize,
  boundsPtr: usize,
): void {
  assert(rowBytes !== 0 && rowBytes % 8 === 0, 'rowBytes must be a multiple of 8')
  assert(k !== 0, 'k must be at least 1')
  // With factors a state is a heap, and the scores of a tile stand behind it: it is never more than a state without them.
  // The scratch, as `tableScratchBytes` sizes it: distances of a tile, its columns, the greatest sum, the prepared form and
  // the state of each query.
  const counterCount = min<usize>(rowBytes << 7, 0xffff) + 2
  const columnsPtr = scratchPtr + (TILE_ROWS << 1)
  const sumsPtr = columnsPtr + max<usize>(COLUMN_BYTES, GROUP_ROWS * rowBytes)
  const queriesPtr = sumsPtr + (queryCount << 2)
  const queryBytes = preparedBytes(rowBytes)
  const statesPtr = queriesPtr + queryCount * queryBytes
  const stateBytes = nearestBytes(k, counterCount)
  for (let q: usize = 0; q < queryCount; ++q) {
    const sum = prepareQuery(tablesPtr + q * (rowBytes << 5), rowBytes, queriesPtr + q * queryBytes)
    assert(sum <= <u32>counterCount - 2, 'sums must be at most 65,535')
    store<u32>(sumsPtr + (q << 2), sum)
    if (factorsPtr) resetBest(statesPtr + q * stateBytes)
    else resetNearest(statesPtr + q * stateBytes, counterCount)
  }
  // One query reads narrow rows themselves, in long streams. Several share the columns of a small tile; so does one over
  // wide rows, whose blocks, out of order, would come from as many cache lines (192 bytes: 1.4 times slower, measured).
  const shared = queryCount > 1 || rowBytes > WIDEST_IN_PLACE
  const greatest = shared ? max<usize>(GROUP_ROWS, COLUMN_BYTES / rowBytes) : tileRows(rowBytes)
  const greatestStep =
    min<usize>(TILE_ROWS, min<usize>(greatest, max<usize>(FIRST_STEP, rowCount >> 4))) & ~(GROUP_ROWS - 1)
  let step = min<usize>(FIRST_STEP, greatestStep)
  let tile: usize = 0
  for (let first: usize = 0; first < rowCount; first += tile) {
    tile = min<usize>(step, rowCount - first)
    step = min<usize>(step << 1, greatestStep)
    const rowsPtr = codesPtr + first * rowBytes
    const streamRows = (tile >> 4) << 2
    if (shared) rowsToColumns(rowsPtr, streamRows, rowBytes, columnsPtr)
    const factor = factorsPtr ? greatestFactor(factorsPtr + (first << 2), tile) : 0
    for (let q: usize = 0; q < queryCount; ++q) {
      const statePtr = statesPtr + q * stateBytes
      const greatest = load<u32>(sumsPtr + (q << 2))
      const boundPtr = boundOf(boundsPtr, q)
      let limit: u32
      if (factorsPtr) limit = boundLimit(keyToScore(leastKey(statePtr, k)), factor, greatest, boundPtr)
      else if (canImprove(statePtr)) limit = nearestLimit(statePtr)
      else continue
      const queryPtr = queriesPtr + q * queryBytes
      if (shared) sumColumns(queryPtr, columnsPtr, streamRows, rowBytes, limit, scratchPtr)
      else sumRows(queryPtr, rowsPtr, streamRows, rowBytes, limit, scratchPtr)
      for (let row = streamRows << 2; row < tile; ++row) {
        store<u16>(scratchPtr + (row << 1), <u16>tableDistance(queryPtr, rowsPtr + row * rowBytes, rowBytes))
      }
      if (!factorsPtr) {
        selectNearest(scratchPtr, tile, <u32>first, <u32>k, statePtr, counterCount, allowedPtr)
        continue
      }
      const keysPtr = statePtr + stateBytes - (TILE_ROWS << 2)
      distancesToBounds(scratchPtr, tile, greatest, factorsPtr + (first << 2), boundPtr, keysPtr)
      selectBest(keysPtr, tile, <u32>first, k, statePtr, allowedPtr)
    }
  }
  const found = min(k, rowCount)
  for (let q: usize = 0; q < queryCount; ++q) {
    const offset = (q * found) << 2
    if (factorsPtr) {
      writeBest(statesPtr + q * stateBytes, found, idsPtr + offset, scoresPtr + offset)
      keysToScores(scoresPtr + offset, found)
      continue
    }
    writeNearest(statesPtr + q * stateBytes, counterCount, <u32>found, idsPtr + offset, scoresPtr + offset)
    const sum = load<u32>(sumsPtr + (q << 2))
    for (let i: usize = 0; i < found; ++i) {
      const scorePtr = scoresPtr + offset + (i << 2)
      store<u32>(scorePtr, sum - load<u32>(scorePtr))
    }
  }
}
