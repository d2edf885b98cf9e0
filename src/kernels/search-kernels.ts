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

/** The kernels that search codes. Rules of layout: `kernels.ts`. */
export interface SearchKernels {
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
