import type { RotateKernels } from './rotate-kernels.js'

/**
 * Scans all rows for each query of a batch and writes the min(k, rowCount) best: row numbers and scores a query.
 *
 * `allowedPtr`, where it is given and not 0: ceil(rowCount / 8) bytes of a filter. Row i is scanned for as if it were not
 * there unless bit i & 7 (the lowest is 0) of byte i >> 3 is set; at least min(k, rowCount) rows must be allowed.
 */
export type TopKKernel = (
  queriesPtr: number,
  queryCount: number,
  codesPtr: number,
  rowCount: number,
  rowBytes: number,
  k: number,
  scratchPtr: number,
  idsPtr: number,
  scoresPtr: number,
  allowedPtr?: number,
) => void

/**
 * A scan whose integer sums are a rounded form of float scores, with a factor for each row. Without `factorsPtr` (0) it is a
 * `TopKKernel`. With it: `rowCount` float32, and for each query at `boundsPtr` a record of four float32, unit, high, low and
 * 0, where a row's exact score lies between (sum · unit + low) · factor and (sum · unit + high) · factor. The best rows are
 * then those of the greatest upper bound of the two, and scores are these bounds, float32, each operation rounded.
 *
 * `start` is what 8-bit sums are counted from; 0 by default.
 */
export type BoundKernel = (
  queriesPtr: number,
  queryCount: number,
  codesPtr: number,
  rowCount: number,
  rowBytes: number,
  k: number,
  scratchPtr: number,
  idsPtr: number,
  scoresPtr: number,
  allowedPtr?: number,
  factorsPtr?: number,
  boundsPtr?: number,
  start?: number,
) => void

/** Scores the rows named by `idCount` uint32 for one query. */
export type RowsKernel = (
  queryPtr: number,
  codesPtr: number,
  rowBytes: number,
  idsPtr: number,
  idCount: number,
  scoresPtr: number,
) => void

/**
 * The boundary between TypeScript and the kernels: arithmetic on byte addresses in one memory, nothing else.
 *
 * Two implementations answer to it: the wasm in `assembly/` and the plain TypeScript of `reference.ts`. Both give the same
 * integers bit for bit; float sums agree to rounding (the order of addition differs).
 *
 * Layout rules, decided in `precision.ts`: a row of codes below 8 bits is a multiple of 8 bytes, a row of 8-bit codes a multiple of 16
 * bytes, a row of float32 a multiple of 64 bytes; what lies behind the last dimension is zero and never changes a result.
 * Addresses need no alignment. Inputs are finite.
 */
export interface Kernels extends RotateKernels {
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

  /**
   * For each of `queryCount` packed queries the min(k, rowCount) rows of least Hamming distance, nearest first, ties by
   * lower row. Writes min(k, rowCount) row numbers (uint32) and distances (uint32) a query.
   * `scratchPtr`: `hammingScratchBytes(queryCount, k, rowBytes)` bytes. Bits are counted 64 at a time.
   */
  readonly hammingTopK: TopKKernel

  /** `hammingTopK` with bits counted in 16 lanes of 8: the same results. `popcount.ts` chooses the faster of the two. */
  readonly hammingTopKLanes: TopKKernel

  /**
   * The min(k, rowCount) rows of largest dot product with each int16 query, best first, ties by lower row. Row numbers are
   * uint32, scores int32: `start` and the sum over any codes must stay within an int32, which the caller ensures by the scale
   * of the query and by `start`.
   * `queriesPtr`: `queryCount` rows of `rowBytes` int16. `scratchPtr`: `dotScratchBytes(queryCount, k)` bytes.
   */
  readonly dotI8TopK: BoundKernel

  /** `dotI8TopK` over unsigned codes. */
  readonly dotU8TopK: BoundKernel

  /** `dotI8TopK` over float32 rows, with float32 queries of `rowBytes` bytes and float32 scores. */
  readonly dotF32TopK: TopKKernel

  /**
   * The symmetric dot of 2-bit codes: the min(k, rowCount) rows of largest sum of (2c - centre2) · (2c' - centre2) over the
   * first `dims` dimensions, int32, best first, ties by lower row. `centre2` is 3 for quaternary codes (-3, -1, 1, 3) and
   * 2 for ternary ones (-2, 0, 2), of which none is 3. Queries are rows of codes; what pads both is zero.
   * `scratchPtr`: `dotScratchBytes(queryCount, k)`. `allowedPtr` as in `TopKKernel`.
   */
  dotPairsTopK(
    queriesPtr: number,
    queryCount: number,
    codesPtr: number,
    rowCount: number,
    rowBytes: number,
    k: number,
    centre2: number,
    dims: number,
    scratchPtr: number,
    idsPtr: number,
    scoresPtr: number,
    allowedPtr?: number,
  ): void

  /**
   * A float query for codes below 8 bits is a table of 16 float32 a nibble: what each value of the nibble adds to the score.
   * This adds the two nibbles of a byte: from 2 · `rowBytes` tables (high nibble of the first byte first, 128 bytes a byte)
   * to `rowBytes` tables of 256 float32. The two do not overlap.
   */
  expandTable(nibbleTablePtr: number, rowBytes: number, tablePtr: number): void

  /**
   * The rows with the largest sums of look-ups in nibble tables rounded to uint8: 2 · `rowBytes` tables of 16 bytes (high nibble of
   * the first byte first) a query. The greatest entries of the four tables of two bytes (those at an even place and the next)
   * add up to at most 255, those of all tables of a query to at most 65,535. Scores are uint32, exact sums of entries; ties by lower row. `scratchPtr`: `tableScratchBytes(queryCount, k, rowBytes)`.
   */
  readonly scanTableTopK: BoundKernel

  /** Dot of a float32 query (`rowBytes` float32) with the int8 rows named by `idCount` uint32; float32 scores. */
  readonly dotI8Rows: RowsKernel

  /** `dotI8Rows` over unsigned codes. */
  readonly dotU8Rows: RowsKernel

  /** Dot of a float32 query (`rowBytes` bytes) with the float32 rows named by `idCount` uint32; float32 scores. */
  readonly dotF32Rows: RowsKernel

  /** Sums of look-ups of the rows named by `idCount` uint32, from one table of `expandTable`; float32 scores. */
  readonly dotTableRows: RowsKernel

  /** The same bits from the nibble tables that `expandTable` takes: twice the look-ups, for few rows. */
  readonly dotNibblesRows: RowsKernel

  /**
   * The min(k, count) pairs of greatest score among `count` ids (uint32) and scores (float32, not NaN), best first, ties by
   * lower id; -0 counts, and comes out, as 0. The output may take the place of the input.
   * `scratchPtr`: `bestScratchBytes(k)` bytes.
   */
  selectBest(
    idsPtr: number,
    scoresPtr: number,
    count: number,
    k: number,
    scratchPtr: number,
    outIdsPtr: number,
    outScoresPtr: number,
  ): void
}

/** Rows scored before the select runs: 4,096 scores of 4 bytes fit a level-1 cache. */
export const TILE_ROWS = 4096

/** Bytes of scratch that `hammingTopK` needs: a tile of distances, then counters and candidates of each query. */
export function hammingScratchBytes(queryCount: number, k: number, rowBytes: number): number {
  const counters = 4 * (rowBytes * 8 + 2)
  const candidates = 8 * (2 * k + TILE_ROWS)
  return 2 * TILE_ROWS + queryCount * (16 + counters + candidates)
}

/** Bytes of scratch that the `dot...TopK` kernels need: a tile of scores, then a heap of k entries a query. */
export function dotScratchBytes(queryCount: number, k: number): number {
  return 4 * TILE_ROWS + queryCount * (16 + 8 * k)
}

/** Bytes of scratch that `selectBest` needs: a heap of k entries, no more than the scratch of any scan for as many rows. */
export function bestScratchBytes(k: number): number {
  return 16 + 8 * k
}

/** Bytes of a tile that `scanTableTopK` turns to columns: `COLUMN_BYTES` in `assembly/table-scan.ts`. */
const COLUMN_BYTES = 24_576

/**
 * Bytes of scratch that `scanTableTopK` needs: distances of a tile, its columns; of each query its greatest sum, its tables
 * and the order of their blocks, counters and candidates.
 */
export function tableScratchBytes(queryCount: number, k: number, rowBytes: number): number {
  const columns = Math.max(COLUMN_BYTES, 16 * rowBytes)
  const counters = 4 * (Math.min(128 * rowBytes, 65_535) + 2)
  const candidates = 8 * (2 * k + TILE_ROWS)
  const prepared = 4 + 32 * rowBytes + rowBytes / 2
  return 2 * TILE_ROWS + columns + queryCount * (prepared + 16 + counters + candidates)
}
