import type { TopKKernel } from '../../kernels/search-kernels.js'
import type { CodeStore, StoredColumn } from '../code-store.js'
import type { Rounding } from './rounding.js'

/** How the first stage compares: codes with codes, or the float query with codes. */
export type Scoring = 'symmetric' | 'asymmetric'

/**
 * The scan of rows: a form of the query, and a kernel that gives the k best rows of each query of a batch. Made for every
 * search, so its fields are written out: an object made by a spread takes 5 µs longer (measured, V8 of Node 20).
 */
export interface Scan {
  /** Whether the factors of the rows belong to the scores. */
  readonly usesFactors: boolean
  /** Bytes of one query in the form the kernel takes; forms stand one behind the other, and behind them what else it takes. */
  readonly formBytes: number
  /** Bytes of one query with its part of what stands behind the forms. */
  readonly queryBytes: number
  /** Set where scores are those of the float query but rounded: exact scores of the candidates then decide. */
  readonly rounded: RoundedScan | undefined
  /** What the query that was prepared last was rounded from, where that came from this staged row. */
  readonly exactOf?: (stagedRow: number) => ExactQuery | undefined
  /** Floats of a rounded scan are upper bounds. */
  readonly scoreType: 'distance' | 'integer' | 'float'
  /** What integer scores are multiples of, 1 by default, and what they are counted from, 0 by default. */
  readonly scoreUnit?: number
  readonly scoreStart?: number
  /** Whether different integers may become one float32, so that their rows tie. */
  readonly mayTie?: boolean
  scratchBytes(queryCount: number, k: number): number
  /** Called before the queries of a batch are prepared. */
  begin(): void
  /** Writes the query's form to `queryPtr`, from the float query in a staged row. */
  prepare(stagedRow: number, queryPtr: number): void
  /** The same from codes, unpadded and unsigned bits; only where codes meet codes. */
  prepareCodes?(codes: Uint8Array, queryPtr: number): void
  /** Finds the k best of `rows`, of which at least k may be found; row numbers count from the first of `rows`. */
  run(
    rows: ScanRows,
    queriesPtr: number,
    queryCount: number,
    k: number,
    scratchPtr: number,
    idsPtr: number,
    scoresPtr: number,
  ): void
}

/** A float query as rescorers take it: a table of nibbles, or the folded query, and what to add to scores. */
export interface ExactQuery {
  readonly values: Float32Array
  readonly constant: number
}

/** What a scan with a rounded query knows beside its candidates. */
export interface RoundedScan {
  /** Candidates above the `k` wanted that another stage chooses from. */
  margin(k: number): number
  /** Candidates among which the `k` best of `rows` are usually found, and known to be the best. */
  candidates(k: number, rows: number): number
  /** Is told how many were needed, for the searches that follow. */
  learn(k: number, rows: number, needed: number): void
  /** The rounding of the query that was prepared from staged row `row`. A factor is in the scores already. */
  rounding(row: number): Rounding
}

/** What a scan goes through: rows of codes, and the addresses of a filter's bits and of the rows' factors, or 0. */
export interface ScanRows {
  /** The number of the first of these rows. */
  readonly first: number
  readonly codesPtr: number
  readonly rowCount: number
  readonly allowedPtr: number
  readonly factorsPtr: number
}

/** Exact scores of named rows for the float query: query · decode(row), up to the rounding of float32 sums. */
export interface Rescorer {
  /** Bytes of the query in the form the kernel takes. */
  readonly queryBytes: number
  /** Writes the query's form to `queryPtr`, from the float query in a staged row; returns what to add to each score. */
  prepare(stagedRow: number, queryPtr: number): number
  run(queryPtr: number, idsPtr: number, idCount: number, scoresPtr: number): void
}

/** How codes of one family are searched; what the codes are stands in the file of the same name in `codes/`. */
export interface SearchForm {
  /** How the first stage compares where the caller does not say. */
  readonly usualScoring: Scoring
  /** Whether codes with codes are the float query with codes, as for floats. */
  readonly isOneScoring?: boolean
  /** Whether codes with codes means that the query is decoded from its own codes and scanned as a float query. */
  readonly decodesQueries?: boolean
  /** Whether codes can be compared with codes where nobody knows their codebook. */
  readonly comparesWithoutBook?: boolean
  /** What the scores of codes with codes are. */
  readonly symmetricScore: Scan['scoreType']
  /** The scan of a store, which may move to another memory before it runs: addresses and views are taken when they are used. */
  openScan(store: CodeStore, column: StoredColumn, scoring: Scoring): Scan
  /** `exactOf`: the query in a staged row as the scan of the same codes made it, where that is known. */
  openRescorer(store: CodeStore, column: StoredColumn, exactOf?: Scan['exactOf']): Rescorer
}

/** Copies the float query of a staged row, padded to `stride` bytes, to `queryPtr`. */
export function copyStaged(store: CodeStore, stagedRow: number, stride: number, queryPtr: number): void {
  const from = store.encoder.stagedPtr(stagedRow)
  new Uint8Array(store.workspace.buffer).copyWithin(queryPtr, from, from + stride)
}

/** A kernel that needs nothing but the addresses. */
export function runKernel(topK: TopKKernel, stride: number): Scan['run'] {
  return ({ codesPtr, rowCount, allowedPtr }, queriesPtr, queryCount, k, scratchPtr, idsPtr, scoresPtr) =>
    topK(queriesPtr, queryCount, codesPtr, rowCount, stride, k, scratchPtr, idsPtr, scoresPtr, allowedPtr)
}
