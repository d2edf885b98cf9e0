import { isAllowed } from './allowed'
import { scoreToKey } from './order'

// A min-heap of at most k int64 entries, (key << 32) | ~row: the greater entry has the greater score or, at the same
// score, the lower row. The entry at the top is the one a better row replaces. The size (uint32) stands in front.
const HEADER_BYTES: usize = 16

export function heapBytes(k: usize): usize {
  return HEADER_BYTES + (k << 3)
}

export function resetBest(heapPtr: usize): void {
  store<u32>(heapPtr, 0)
}

/** The key that a better row must exceed; the least of all where fewer than k rows are kept. */
export function leastKey(heapPtr: usize, k: usize): i32 {
  return <usize>load<u32>(heapPtr) < k ? i32.MIN_VALUE : load<i32>(heapPtr + HEADER_BYTES, 4)
}

/** Offers the allowed rows of a tile by their int32 keys. */
export function selectBest(
  keysPtr: usize,
  rowCount: usize,
  firstRow: u32,
  k: usize,
  heapPtr: usize,
  allowedPtr: usize,
): void {
  const entriesPtr = heapPtr + HEADER_BYTES
  let size = <usize>load<u32>(heapPtr)
  let row: usize = 0
  for (; row < rowCount && size < k; ++row) {
    if (!isAllowed(allowedPtr, firstRow + <u32>row)) continue
    siftUp(entriesPtr, size++, entry(load<i32>(keysPtr + (row << 2)), firstRow + <u32>row))
  }
  store<u32>(heapPtr, <u32>size)
  // Rows come in order, so that a row whose key only equals the least one kept is never better.
  let least = load<i32>(entriesPtr, 4)
  for (; row + 16 <= rowCount; row += 16) {
    const group = keysPtr + (row << 2)
    const limit = i32x4.splat(least)
    const a = i32x4.gt_s(v128.load(group), limit)
    const b = i32x4.gt_s(v128.load(group, 16), limit)
    const c = i32x4.gt_s(v128.load(group, 32), limit)
    const d = i32x4.gt_s(v128.load(group, 48), limit)
    if (!v128.any_true(v128.or(v128.or(a, b), v128.or(c, d)))) continue
    // One bit a row: lanes of 0 and -1 survive both saturating narrowings.
    let mask = i8x16.bitmask(i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d)))
    for (; mask; mask &= mask - 1) {
      const position = row + <usize>ctz<i32>(mask)
      if (!isAllowed(allowedPtr, firstRow + <u32>position)) continue
      least = replaceLeast(entriesPtr, size, load<i32>(keysPtr + (position << 2)), firstRow + <u32>position, least)
    }
  }
  for (; row < rowCount; ++row) {
    if (!isAllowed(allowedPtr, firstRow + <u32>row)) continue
    least = replaceLeast(entriesPtr, size, load<i32>(keysPtr + (row << 2)), firstRow + <u32>row, least)
  }
}

/** Offers pairs of an id and a float32 score, ids in any order; `scoreToKey` gives their keys. */
export function offerPairs(idsPtr: usize, scoresPtr: usize, count: usize, k: usize, heapPtr: usize): void {
  const entriesPtr = heapPtr + HEADER_BYTES
  let size = <usize>load<u32>(heapPtr)
  for (let i: usize = 0; i < count; ++i) {
    const offered = entry(scoreToKey(load<f32>(scoresPtr + (i << 2))), load<u32>(idsPtr + (i << 2)))
    if (size < k) siftUp(entriesPtr, size++, offered)
    else if (offered > load<i64>(entriesPtr)) siftDown(entriesPtr, size, offered)
  }
  store<u32>(heapPtr, <u32>size)
}

/** Sorts the heap, which holds `found` rows, and writes row numbers and keys, best first. */
export function writeBest(heapPtr: usize, found: usize, idsPtr: usize, keysPtr: usize): void {
  assert(<usize>load<u32>(heapPtr) === found, 'k must be at most the number of allowed rows')
  const entriesPtr = heapPtr + HEADER_BYTES
  for (let size = found; size; --size) {
    const least = load<u64>(entriesPtr)
    const last = size - 1
    siftDown(entriesPtr, last, load<i64>(entriesPtr + (last << 3)))
    store<u32>(idsPtr + (last << 2), ~(<u32>least))
    store<u32>(keysPtr + (last << 2), <u32>(least >> 32))
  }
}

function entry(key: i32, row: u32): i64 {
  return ((<i64>key) << 32) | <i64>(<u64>~row)
}

/** Puts the row in the place of the least entry if its key is greater; returns the least key then. */
function replaceLeast(entriesPtr: usize, size: usize, key: i32, row: u32, least: i32): i32 {
  if (key <= least) return least
  siftDown(entriesPtr, size, entry(key, row))
  return load<i32>(entriesPtr, 4)
}

/** Moves parents down until `value` fits at `place` or above. */
function siftUp(entriesPtr: usize, place: usize, value: i64): void {
  while (place) {
    const parent = (place - 1) >> 1
    const above = load<i64>(entriesPtr + (parent << 3))
    if (above <= value) break
    store<i64>(entriesPtr + (place << 3), above)
    place = parent
  }
  store<i64>(entriesPtr + (place << 3), value)
}

/** Moves lesser children up from the top until `value` fits. */
function siftDown(entriesPtr: usize, size: usize, value: i64): void {
  let place: usize = 0
  for (let child: usize = 1; child < size; child = 2 * place + 1) {
    if (child + 1 < size && load<i64>(entriesPtr + (child << 3), 8) < load<i64>(entriesPtr + (child << 3))) ++child
    const below = load<i64>(entriesPtr + (child << 3))
    if (below >= value) break
    store<i64>(entriesPtr + (place << 3), below)
    place = child
  }
  store<i64>(entriesPtr + (place << 3), value)
}
