/** The kernels that turn rows of float32 into codes: all that `quantizeEmbeddings` needs. Rules of layout: `kernels.ts`. */
export interface EncodeKernels {
  /** Position of the first NaN or infinity among `floatCount` float32 (a multiple of 16), or -1. */
  firstNonFinite(valuesPtr: number, floatCount: number): number

  /**
   * Lowers `mins` and raises `maxs` (float32, `valueRowBytes` each) by `rowCount` rows of float32: mergeable, the order of
   * rows does not matter but for the sign of a zero.
   */
  minMax(valuesPtr: number, valueRowBytes: number, rowCount: number, minsPtr: number, maxsPtr: number): void

  /**
   * 8 · `codeBytes` float32 to `codeBytes` bytes (a multiple of 8) of bits, first value in the top bit of the first byte,
   * 1 where x > 0: `numpy.packbits(x > 0)`.
   */
  packBits(valuesPtr: number, codesPtr: number, codeBytes: number): void

  /**
   * Scalar buckets: clamp(floor((x - start) / step), 0, 255) XOR `flip` (0 gives uint8, 0x80 gives int8), in float32.
   * `starts` and `steps` hold `codeRowBytes` float32 each.
   */
  bucket(
    valuesPtr: number,
    valueRowBytes: number,
    rowCount: number,
    startsPtr: number,
    stepsPtr: number,
    codesPtr: number,
    codeRowBytes: number,
    flip: number,
  ): void

  /** int8 codes as sentence-transformers made them up to 5.6: trunc((x - start) / step - 128), saturating, in float32. */
  bucketTruncate(
    valuesPtr: number,
    valueRowBytes: number,
    rowCount: number,
    startsPtr: number,
    stepsPtr: number,
    codesPtr: number,
    codeRowBytes: number,
  ): void

  /**
   * 2-bit codes, four a byte, the first in the top bits: how many of three thresholds x lies strictly above. `thresholds`
   * are three rows of `valueRowBytes`; where a code has fewer levels, and in the padding, a threshold is +Infinity.
   * `codeRowBytes` is a multiple of 8, `valueRowBytes` at least 16 · `codeRowBytes`.
   */
  levels2(
    valuesPtr: number,
    valueRowBytes: number,
    rowCount: number,
    thresholdsPtr: number,
    codesPtr: number,
    codeRowBytes: number,
  ): void

  /**
   * 4-bit codes, two a byte, the first in the top bits: clamp(nearest((x - start) / step), 0, 15), in float32, ties to even.
   * `starts` and `steps` hold 2 · `codeRowBytes` float32 each; in the padding 0 and 1. `codeRowBytes` is a multiple of 8,
   * `valueRowBytes` at least 8 · `codeRowBytes`.
   */
  levels4(
    valuesPtr: number,
    valueRowBytes: number,
    rowCount: number,
    startsPtr: number,
    stepsPtr: number,
    codesPtr: number,
    codeRowBytes: number,
  ): void
}
