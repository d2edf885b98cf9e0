import { scanTileLanes } from './hamming-lanes'
import { scanTile } from './hamming-scan'
import { TILE_ROWS, tileRows } from './lanes'
import { canImprove, nearestBytes, resetNearest, selectNearest, writeNearest } from './select'

export function hammingTopK(
  queriesPtr: usize,
  queryCount: usize,
  codesPtr: usize,
  rowCount: usize,
  rowBytes: usize,
  k: usize,
  scratchPtr: usize,
  idsPtr: usize,
  distancesPtr: usize,
  allowedPtr: usize,
): void {
  search(false, queriesPtr, queryCount, codesPtr, rowCount, rowBytes, k, scratchPtr, idsPtr, distancesPtr, allowedPtr)
}

export function hammingTopKLanes(
  queriesPtr: usize,
  queryCount: usize,
  codesPtr: usize,
  rowCount: usize,
  rowBytes: usize,
  k: usize,
  scratchPtr: usize,
  idsPtr: usize,
  distancesPtr: usize,
  allowedPtr: usize,
): void {
  search(true, queriesPtr, queryCount, codesPtr, rowCount, rowBytes, k, scratchPtr, idsPtr, distancesPtr, allowedPtr)
}

function search(
  lanes: bool,
  queriesPtr: usize,
  queryCount: usize,
  codesPtr: usize,
  rowCount: usize,
  rowBytes: usize,
  k: usize,
  scratchPtr: usize,
  idsPtr: usize,
  distancesPtr: usize,
  allowedPtr: usize,
): void {
  assert(rowBytes !== 0 && rowBytes % 8 === 0, 'rowBytes must be a multiple of 8')
  assert(rowBytes <= 8192, 'rowBytes must be at most 8192')
  assert(k !== 0, 'k must be at least 1')
  // The scratch, as `hammingScratchBytes` sizes it: distances of a tile, then the state of each query.
  const counterCount = (rowBytes << 3) + 2
  const statesPtr = scratchPtr + (TILE_ROWS << 1)
  const stateBytes = nearestBytes(k, counterCount)
  for (let q: usize = 0; q < queryCount; ++q) resetNearest(statesPtr + q * stateBytes, counterCount)
  const step = tileRows(rowBytes)
  for (let first: usize = 0; first < rowCount; first += step) {
    const rowsPtr = codesPtr + first * rowBytes
    const tile = min<usize>(step, rowCount - first)
    // Every query passes over the tile while it is in the cache: a batch reads the codes from memory once.
    for (let q: usize = 0; q < queryCount; ++q) {
      const statePtr = statesPtr + q * stateBytes
      if (!canImprove(statePtr)) continue
      if (lanes) scanTileLanes(queriesPtr + q * rowBytes, rowsPtr, tile, rowBytes, scratchPtr)
      else scanTile(queriesPtr + q * rowBytes, rowsPtr, tile, rowBytes, scratchPtr)
      selectNearest(scratchPtr, tile, <u32>first, <u32>k, statePtr, counterCount, allowedPtr)
    }
  }
  const found = min(k, rowCount)
  for (let q: usize = 0; q < queryCount; ++q) {
    const offset = (q * found) << 2
    writeNearest(statesPtr + q * stateBytes, counterCount, <u32>found, idsPtr + offset, distancesPtr + offset)
  }
}
