// Memory is sized before a module is open, so that these numbers stand here once more; a test compares them with the wasm's own.

/** Rows scored before the select runs. */
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

/** Bytes of a tile that `scanTableTopK` turns to columns. */
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
