/** How large a run is. The figures are those of `full`; the others run the same code. */
export interface Sizes {
  readonly name: 'full' | 'quick' | 'browser' | 'tiny'
  /** Sizes of the regions that the read loops walk. */
  readonly limitBytes: readonly number[]
  /** Rows of the kernels that read codes, and of those that read float32. */
  readonly rows: number
  /** Rows of 48-byte codes beyond the last-level cache. */
  readonly memoryRows: number
  /** Samples a contender; plain JavaScript and batches take fewer. */
  readonly turns: number
  readonly slowTurns: number
  readonly corpora: readonly CorpusSize[]
  /** Questions that recall is taken over. */
  readonly queries: number
}

export interface CorpusSize {
  readonly name: string
  readonly rows: number
  readonly dims: number
}

/** 8,192 rows of 48 bytes fit a level-2 cache. */
export const CACHED_ROWS = 8192
export const DIMS = 384
export const TOP_K = 100
export const BATCH = 64

export const SIZES: Readonly<Record<Sizes['name'], Sizes>> = {
  full: {
    name: 'full',
    limitBytes: [28e6, 230e6, 900e6],
    rows: 593_891,
    memoryRows: 14_000_000,
    turns: 15,
    slowTurns: 3,
    corpora: [
      { name: 'large', rows: 593_891, dims: 384 },
      { name: 'wide', rows: 100_000, dims: 1024 },
    ],
    queries: 256,
  },
  quick: {
    name: 'quick',
    limitBytes: [28e6, 120e6],
    rows: 80_000,
    memoryRows: 1_500_000,
    turns: 7,
    slowTurns: 2,
    corpora: [
      { name: 'large', rows: 80_000, dims: 384 },
      { name: 'wide', rows: 20_000, dims: 1024 },
    ],
    queries: 64,
  },
  browser: {
    name: 'browser',
    limitBytes: [28e6, 230e6],
    rows: 204_800,
    memoryRows: 4_000_000,
    turns: 11,
    slowTurns: 3,
    corpora: [
      { name: 'large', rows: 200_000, dims: 384 },
      { name: 'wide', rows: 40_000, dims: 1024 },
    ],
    queries: 64,
  },
  tiny: {
    name: 'tiny',
    limitBytes: [65_536],
    rows: 600,
    memoryRows: 900,
    turns: 2,
    slowTurns: 1,
    corpora: [
      { name: 'large', rows: 700, dims: 384 },
      { name: 'wide', rows: 300, dims: 1024 },
    ],
    queries: 64,
  },
}
