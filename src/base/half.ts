/**
 * Widens float16 to float32 in place: the halves lie in the second half of the bytes of `floats`, and value i is written
 * before or onto the half it came from, never onto one still to be read. Exact for every half, infinities and NaN payloads
 * included.
 */
export function widenHalves(floats: Float32Array): void {
  const bits = new Uint32Array(floats.buffer, floats.byteOffset, floats.length)
  const halves = new Uint16Array(floats.buffer, floats.byteOffset + 2 * floats.length, floats.length)
  for (let i = 0; i < bits.length; i++) bits[i] = floatBits(halves[i]!)
}

/** The bits of the float32 that equals the float16 with the bits `half`. */
export function floatBits(half: number): number {
  const sign = (half & 0x8000) << 16
  const exponent = (half >> 10) & 31
  const fraction = half & 0x3ff
  if (exponent === 31) return sign | 0x7f800000 | (fraction << 13)
  // The bias goes from 15 to 127.
  if (exponent > 0) return sign | ((exponent + 112) << 23) | (fraction << 13)
  if (fraction === 0) return sign
  // A subnormal half is fraction · 2^-24, which float32 holds as a normal number: shift its top bit to the hidden place.
  const shift = Math.clz32(fraction) - 21
  return sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13)
}

/** The float16 nearest to a float32, ties to even, as bits; too large a value becomes infinity. */
export function halfBits(value: number): number {
  const float = new Float32Array([value])
  const bits = new Uint32Array(float.buffer)[0]!
  const sign = (bits >>> 16) & 0x8000
  const magnitude = Math.abs(float[0]!)
  if (Number.isNaN(magnitude)) return sign | 0x7e00
  // Half an ulp below 2^16: what rounds to 65,536 or more has no finite half.
  if (magnitude >= 65_520) return sign | 0x7c00
  // Below 2^-14 halves lie 2^-24 apart, above 2^(exponent - 10).
  const exponent = Math.max(Math.floor(Math.log2(magnitude)), -14)
  const units = roundEven(magnitude * 2 ** (10 - exponent))
  return sign | (exponent === -14 && units < 1024 ? units : ((exponent + 15) << 10) + (units - 1024))
}

/** Whether a half holds the value to its 11 bits: zero, and values within its normal numbers. */
export function fitsHalf(value: number): boolean {
  const magnitude = Math.abs(value)
  return magnitude === 0 || (magnitude >= 2 ** -14 && magnitude < 65_520)
}

/** The float32 that a value becomes when it is stored as float16. */
export function roundToHalf(value: number): number {
  return new Float32Array(new Uint32Array([floatBits(halfBits(value))]).buffer)[0]!
}

function roundEven(value: number): number {
  const floor = Math.floor(value)
  const rest = value - floor
  if (rest !== 0.5) return Math.round(value)
  return floor % 2 === 0 ? floor : floor + 1
}
