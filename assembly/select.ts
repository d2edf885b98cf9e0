import { isAllowed } from './allowed'
import { TILE_ROWS } from './lanes'

// The state of one query, as `hammingScratchBytes` sizes it: 16 bytes of header, `counterCount` uint32 counters (how
// many accepted rows have this distance), then accepted rows in row order, each a distance and a row number (uint32).
const THRESHOLD: usize = 0
const NEARER: usize = 4
const CANDIDATES: usize = 8
const HEADER_BYTES: usize = 16

export function nearestBytes(k: usize, counterCount: usize): usize {
  return HEADER_BYTES + (counterCount << 2) + (((k << 1) + TILE_ROWS) << 3)
}

/** No row is accepted yet and every distance would be. */
export function resetNearest(statePtr: usize, counterCount: usize): void {
  store<u32>(statePtr, <u32>counterCount - 1, THRESHOLD)
  store<u32>(statePtr, 0, NEARER)
  store<u32>(statePtr, 0, CANDIDATES)
  memory.fill(statePtr + HEADER_BYTES, 0, counterCount << 2)
}

/** Distances of this and above no longer count, in 16 bits. */
export function nearestLimit(statePtr: usize): u32 {
  return min<u32>(load<u32>(statePtr, THRESHOLD), 0xffff)
}

/** False once k rows at distance 0 are found. */
export function canImprove(statePtr: usize): bool {
  return load<u32>(statePtr, THRESHOLD) !== 0
}

/**
 * Accepts the allowed rows of a tile nearer than the threshold and lowers it by counting: `nearer` accepted rows lie
 * below the threshold, always fewer than k. Distances are small integers, so no heap is needed; a row at the threshold
 * itself comes after k others that are at least as near.
 */
export function selectNearest(
  distancesPtr: usize,
  rowCount: usize,
  firstRow: u32,
  k: u32,
  statePtr: usize,
  counterCount: usize,
  allowedPtr: usize,
): void {
  if (load<u32>(statePtr, CANDIDATES) > 2 * k) compact(k, statePtr, counterCount)
  let row: usize = 0
  for (; row + 32 <= rowCount; row += 32) {
    // 32 distances against threshold - 1 ("at most" takes fewer instructions than "below"), clamped to 16 bits.
    const limit = i16x8.splat(<i16>min<u32>(load<u32>(statePtr, THRESHOLD) - 1, 0xffff))
    const group = distancesPtr + (row << 1)
    const a = i16x8.le_u(v128.load(group), limit)
    const b = i16x8.le_u(v128.load(group, 16), limit)
    const c = i16x8.le_u(v128.load(group, 32), limit)
    const d = i16x8.le_u(v128.load(group, 48), limit)
    if (!v128.any_true(v128.or(v128.or(a, b), v128.or(c, d)))) continue
    // One bit a row, in row order: the saturating narrowing keeps 0 and -1.
    const low = i8x16.bitmask(i8x16.narrow_i16x8_s(a, b))
    let mask = <u32>low | ((<u32>i8x16.bitmask(i8x16.narrow_i16x8_s(c, d))) << 16)
    for (; mask; mask &= mask - 1) {
      const position = row + <usize>ctz<u32>(mask)
      if (!isAllowed(allowedPtr, firstRow + <u32>position)) continue
      accept(load<u16>(distancesPtr + (position << 1)), firstRow + <u32>position, k, statePtr, counterCount)
    }
    if (!canImprove(statePtr)) return
  }
  for (; row < rowCount; ++row) {
    if (!isAllowed(allowedPtr, firstRow + <u32>row)) continue
    accept(load<u16>(distancesPtr + (row << 1)), firstRow + <u32>row, k, statePtr, counterCount)
  }
}

function accept(distance: u32, row: u32, k: u32, statePtr: usize, counterCount: usize): void {
  let threshold = load<u32>(statePtr, THRESHOLD)
  if (distance >= threshold) return
  const countersPtr = statePtr + HEADER_BYTES
  const counterPtr = countersPtr + ((<usize>distance) << 2)
  store<u32>(counterPtr, load<u32>(counterPtr) + 1)
  const candidates = load<u32>(statePtr, CANDIDATES)
  assert(candidates < 2 * k + <u32>TILE_ROWS, 'the candidates must fit their buffer')
  const candidatePtr = countersPtr + (counterCount << 2) + ((<usize>candidates) << 3)
  store<u32>(candidatePtr, distance)
  store<u32>(candidatePtr, row, 4)
  store<u32>(statePtr, candidates + 1, CANDIDATES)
  let nearer = load<u32>(statePtr, NEARER) + 1
  if (nearer >= k) {
    while (nearer >= k) nearer -= load<u32>(countersPtr + ((<usize>--threshold) << 2))
    store<u32>(statePtr, threshold, THRESHOLD)
  }
  store<u32>(statePtr, nearer, NEARER)
}

/** Drops the candidates that later ones have pushed out: at most k remain, still in row order. */
function compact(k: u32, statePtr: usize, counterCount: usize): void {
  const threshold = load<u32>(statePtr, THRESHOLD)
  const candidatesPtr = statePtr + HEADER_BYTES + (counterCount << 2)
  const end = candidatesPtr + ((<usize>load<u32>(statePtr, CANDIDATES)) << 3)
  let ties = k - load<u32>(statePtr, NEARER)
  let kept = candidatesPtr
  for (let ptr = candidatesPtr; ptr !== end; ptr += 8) {
    const distance = load<u32>(ptr)
    if (distance > threshold) continue
    if (distance === threshold) {
      if (!ties) continue
      --ties
    }
    store<u64>(kept, load<u64>(ptr))
    kept += 8
  }
  const count = <u32>((kept - candidatesPtr) >> 3)
  assert(count <= k, 'at most k candidates can still be among the nearest')
  store<u32>(statePtr, count, CANDIDATES)
}

/** The nearest `found` rows, nearest first, ties by row: a counting sort, for the candidates are in row order. */
export function writeNearest(
  statePtr: usize,
  counterCount: usize,
  found: u32,
  idsPtr: usize,
  distancesPtr: usize,
): void {
  const threshold = load<u32>(statePtr, THRESHOLD)
  const countersPtr = statePtr + HEADER_BYTES
  // Counters become the place of the next row at their distance; what lies at the threshold follows the nearer ones.
  let place: u32 = 0
  for (let distance: u32 = 0; distance <= threshold; ++distance) {
    const counterPtr = countersPtr + ((<usize>distance) << 2)
    const count = load<u32>(counterPtr)
    store<u32>(counterPtr, place)
    place += count
  }
  assert(place >= found, 'k must be at most the number of allowed rows')
  const candidatesPtr = countersPtr + (counterCount << 2)
  const candidates = load<u32>(statePtr, CANDIDATES)
  for (let i: u32 = 0; i < candidates; ++i) {
    const distance = load<u32>(candidatesPtr + ((<usize>i) << 3))
    if (distance > threshold) continue
    const counterPtr = countersPtr + ((<usize>distance) << 2)
    const rank = load<u32>(counterPtr)
    if (rank >= found) continue
    store<u32>(counterPtr, rank + 1)
    store<u32>(idsPtr + ((<usize>rank) << 2), load<u32>(candidatesPtr + ((<usize>i) << 3), 4))
    store<u32>(distancesPtr + ((<usize>rank) << 2), distance)
  }
}
