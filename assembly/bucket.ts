/**
 * Sixteen codes of sixteen values on the scale of their dimensions. T is u8: floor, saturating to 0..255; or i8: truncation
 * of the value less 128, saturating to -128..127; the subtraction comes first, truncation rounds towards the new zero.
 * Truncation equals floor for u8: they differ below zero only, where both end at 0. Conversion and both narrowings
 * saturate, so infinities end at a bound; NaN (infinity / infinity) becomes 0.
 */
function codes16<T>(v0: v128, v1: v128, v2: v128, v3: v128): v128 {
  if (isSigned<T>()) {
    const middle = f32x4.splat(128)
    return i8x16.narrow_i16x8_s(
      int16(f32x4.sub(v0, middle), f32x4.sub(v1, middle)),
      int16(f32x4.sub(v2, middle), f32x4.sub(v3, middle)),
    )
  }
  return i8x16.narrow_i16x8_u(int16(v0, v1), int16(v2, v3))
}

function int16(low: v128, high: v128): v128 {
  return i16x8.narrow_i32x4_s(i32x4.trunc_sat_f32x4_s(low), i32x4.trunc_sat_f32x4_s(high))
}

/** Four values on the scale of their dimensions. Divided: the reciprocal differs in about 2 of a million codes. */
function scaled(valuesPtr: usize, starts: v128, steps: v128): v128 {
  return f32x4.div(f32x4.sub(v128.load(valuesPtr), starts), steps)
}

/** Sixteen dimensions of `streams` rows that stand `valueStride` and `codeStride` bytes apart. */
function bucket16<T>(
  valuesPtr: usize,
  valueStride: usize,
  streams: i32,
  startsPtr: usize,
  stepsPtr: usize,
  codesPtr: usize,
  codeStride: usize,
  flips: v128,
): void {
  const start0 = v128.load(startsPtr)
  const start1 = v128.load(startsPtr, 16)
  const start2 = v128.load(startsPtr, 32)
  const start3 = v128.load(startsPtr, 48)
  const step0 = v128.load(stepsPtr)
  const step1 = v128.load(stepsPtr, 16)
  const step2 = v128.load(stepsPtr, 32)
  const step3 = v128.load(stepsPtr, 48)
  for (; streams; --streams) {
    const codes = codes16<T>(
      scaled(valuesPtr, start0, step0),
      scaled(valuesPtr + 16, start1, step1),
      scaled(valuesPtr + 32, start2, step2),
      scaled(valuesPtr + 48, start3, step3),
    )
    v128.store(codesPtr, v128.xor(codes, flips))
    valuesPtr += valueStride
    codesPtr += codeStride
  }
}

function bucketRows<T>(
  valuesPtr: usize,
  valueRowBytes: usize,
  rowCount: usize,
  startsPtr: usize,
  stepsPtr: usize,
  codesPtr: usize,
  codeRowBytes: usize,
  flip: u32,
): void {
  assert(codeRowBytes % 16 === 0, 'codeRowBytes must be a multiple of 16')
  assert(valueRowBytes >= codeRowBytes << 2, 'valueRowBytes must be at least 4 codeRowBytes')
  const flips = i8x16.splat(<i8>flip)
  // Rows of four quarters in lock step: four prefetch streams, 1.5 times one from memory (measured).
  const quarterRows = rowCount >> 2
  const valueStride = quarterRows * valueRowBytes
  const codeStride = quarterRows * codeRowBytes
  for (let left = quarterRows; left; --left) {
    for (let d: usize = 0; d < codeRowBytes; d += 16) {
      const at = d << 2
      const codes = codesPtr + d
      bucket16<T>(valuesPtr + at, valueStride, 4, startsPtr + at, stepsPtr + at, codes, codeStride, flips)
    }
    valuesPtr += valueRowBytes
    codesPtr += codeRowBytes
  }
  valuesPtr += 3 * valueStride
  codesPtr += 3 * codeStride
  const rest = <i32>(rowCount & 3)
  for (let d: usize = 0; d < codeRowBytes; d += 16) {
    const at = d << 2
    bucket16<T>(valuesPtr + at, valueRowBytes, rest, startsPtr + at, stepsPtr + at, codesPtr + d, codeRowBytes, flips)
  }
}

export function bucket(
  valuesPtr: usize,
  valueRowBytes: usize,
  rowCount: usize,
  startsPtr: usize,
  stepsPtr: usize,
  codesPtr: usize,
  codeRowBytes: usize,
  flip: u32,
): void {
  bucketRows<u8>(valuesPtr, valueRowBytes, rowCount, startsPtr, stepsPtr, codesPtr, codeRowBytes, flip)
}

export function bucketTruncate(
  valuesPtr: usize,
  valueRowBytes: usize,
  rowCount: usize,
  startsPtr: usize,
  stepsPtr: usize,
  codesPtr: usize,
  codeRowBytes: usize,
): void {
  bucketRows<i8>(valuesPtr, valueRowBytes, rowCount, startsPtr, stepsPtr, codesPtr, codeRowBytes, 0)
}
