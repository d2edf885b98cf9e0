import { describe, fail } from './check.js'

/** @throws PackvecError INVALID_ARGUMENT unless the seed is a whole number from 0 to 2^32 - 1 */
export function checkSeed(seed: unknown): number {
  if (typeof seed === 'number' && Number.isSafeInteger(seed) && seed >= 0 && seed <= 0xffffffff) return seed
  return fail('INVALID_ARGUMENT', 'seed', 'a whole number from 0 to 4294967295', describe(seed))
}

/**
 * Uniform uint32 from a seed: xoshiro128** (Blackman & Vigna 2018), with a state of four words of splitmix32, which are the
 * murmur3 finaliser over seed + i · 0x9e3779b9. Saved rotations depend on every bit of it.
 */
export function seededWords(seed: number): () => number {
  let [a, b, c, d] = [1, 2, 3, 4].map((i) => mixed((seed + Math.imul(i, 0x9e3779b9)) >>> 0)) as [
    number,
    number,
    number,
    number,
  ]
  return () => {
    const word = Math.imul(rotl(Math.imul(b, 5), 7), 9)
    const t = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= t
    d = rotl(d, 11)
    return word >>> 0
  }
}

/** Standard normal float64, by Marsaglia's polar method over 53-bit uniforms. */
export function seededNormals(seed: number): () => number {
  const words = seededWords(seed)
  const uniform = () => ((words() >>> 5) * 67_108_864 + (words() >>> 6)) / 4_503_599_627_370_496 - 1
  let spare: number | undefined
  return () => {
    if (spare !== undefined) {
      const value = spare
      spare = undefined
      return value
    }
    for (;;) {
      const x = uniform()
      const y = uniform()
      const s = x * x + y * y
      if (s >= 1 || s === 0) continue
      const factor = Math.sqrt((-2 * logarithm(s)) / s)
      spare = y * factor
      return x * factor
    }
  }
}

/**
 * Natural logarithm of a normal positive float64, to a few units in the last place. Math.log may differ between engines
 * in the last bit; sums, products and quotients may not.
 */
export function logarithm(x: number): number {
  const bits = new DataView(new ArrayBuffer(8))
  bits.setFloat64(0, x)
  const high = bits.getUint32(0)
  let exponent = (high >>> 20) - 1023
  bits.setUint32(0, (high & 0xfffff) | 0x3ff00000)
  let mantissa = bits.getFloat64(0)
  if (mantissa > Math.SQRT2) {
    mantissa /= 2
    exponent++
  }
  // log m = 2 artanh t with t = (m - 1) / (m + 1), |t| <= 0.172: t^25 is below the last bit.
  const t = (mantissa - 1) / (mantissa + 1)
  const square = t * t
  let series = 0
  for (let k = 25; k >= 3; k -= 2) series = (series + 1 / k) * square
  return exponent * Math.LN2 + 2 * t * (1 + series)
}

function rotl(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits))
}

function mixed(word: number): number {
  let h = word
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) | 0
}
