/**
 * Seeded uniform numbers in [0, 1): mulberry32 (Tommy Ettinger, public domain). The same seed draws the same
 * everywhere.
 */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

/** `count` different items in random order (Fisher-Yates, stopped early). */
export function sample<T>(items: readonly T[], count: number, random: () => number): T[] {
  const pool = items.slice()
  for (let i = 0; i < count; i++) {
    const j = i + Math.floor(random() * (pool.length - i))
    ;[pool[i], pool[j]] = [pool[j]!, pool[i]!]
  }
  return pool.slice(0, count)
}
