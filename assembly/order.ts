/**
 * Turns `count` float32 into int32 keys of the same order, in place: a negative float has its other 31 bits flipped,
 * since a larger magnitude is a smaller number. There is no -0 among them: a sum that starts from 0 never is. The buffer
 * is a tile of scores, so the last group of four may run past `count`.
 */
export function scoresToKeys(scoresPtr: usize, count: usize): void {
  for (let i: usize = 0; i < count; i += 4) {
    const ptr = scoresPtr + (i << 2)
    const bits = v128.load(ptr)
    v128.store(ptr, v128.xor(bits, v128.and(i32x4.shr_s(bits, 31), i32x4.splat(0x7fffffff))))
  }
}

/** The key of one score; adding 0 turns -0, which a product may be, into 0. */
export function scoreToKey(score: f32): i32 {
  const bits = reinterpret<i32>(score + 0)
  return bits ^ ((bits >> 31) & 0x7fffffff)
}

/** The way back for one. */
export function keyToScore(key: i32): f32 {
  return reinterpret<f32>(key ^ ((key >> 31) & 0x7fffffff))
}

/** The way back, exactly `count` of them: the flip is its own inverse. */
export function keysToScores(keysPtr: usize, count: usize): void {
  for (; count; --count) {
    const key = load<i32>(keysPtr)
    store<i32>(keysPtr, key ^ ((key >> 31) & 0x7fffffff))
    keysPtr += 4
  }
}
