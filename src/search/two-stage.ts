import { rowsOfBits } from '../base/bits.js'
import type { CodeRows } from '../codes/codes.js'
import type { Precision } from '../codes/precision.js'
import { roundUp } from '../kernels/regions.js'
import type { Workspace } from '../kernels/workspace.js'
import type { RowSource } from '../rows/matrix.js'
import { BestRows, type ScoreRows } from './best-rows.js'
import type { CodeStore } from './code-store.js'
import type { Rescorer, Scan, ScanRows } from './forms/form.js'
import { openRescorer, openScan } from './forms/registry.js'
import { fewCandidates } from './forms/rounding.js'
import { codesOf, decodedQueries } from './queries.js'
import { openSubset, type RowSubset } from './row-subset.js'
import { scanRanges } from './scan-ranges.js'
import type { ExactScores, SearchJob } from './search-job.js'
import { best, distanceResult, emptyResult, integerScores, type SearchResult } from './search-result.js'
import { firstStage } from './stages.js'

/** Queries scanned together, so that codes come from memory once for all of them. */
const MAX_BATCH = 64
/** With each effort a scan is asked for so many times the candidates, up to this share of the rows: then all are scored. */
const WIDENING = 8
/** The effort that scores all rows at once. */
export const ALL_ROWS = Number.POSITIVE_INFINITY

/** One way through the two stages over one store: where the scratch goes, and the work on a batch of queries. */
export class TwoStageSearch {
  readonly #store: CodeStore
  readonly #job: SearchJob
  readonly #effort: number
  readonly #scan: Scan
  readonly #subset: RowSubset
  #ranges: readonly ScanRows[] = []
  /** Exact scores of the scan's own codes, where the scan's scores are not the final ones. */
  readonly #exact: Rescorer | undefined
  /** Exact scores of the second stage; undefined where the first is final, or the second elsewhere. */
  readonly #second: Rescorer | undefined
  readonly #isFinal: boolean
  readonly #scanRows: RowSource | CodeRows
  readonly #offset: (row: number) => number
  /** Rows of a result. */
  readonly #topK: number
  /** Rows that the first stage is to find: candidates over all stores, or `topK`. */
  readonly #wanted: number
  /** Rows that the scan finds, and places for rows in the scratch. */
  readonly #k: number
  /** Whether all rows are scored, and none is scanned. */
  readonly #isExhaustive: boolean

  /**
   * Makes the search once, then the room in the scratch that a query needs: scans and rescorers take addresses when they run.
   * @param effort 0 at first; more where a search found that its answer was not sure
   * @throws PackvecError TOO_LARGE
   */
  constructor(job: SearchJob, effort = 0) {
    const { store, queries, stages, options, argument } = job
    const { coarse, rescore } = stages
    const { takesFloats, decodesQueries, isFinal } = firstStage(stages, options.scoring)
    const scan = openScan(store, coarse, options.scoring)
    this.#store = store
    this.#job = job
    this.#effort = effort
    this.#scan = scan
    this.#subset = openSubset(store, store.column(coarse), scan.usesFactors, job.allowed)
    this.#isFinal = isFinal
    this.#offset = queries.offset ?? (() => 0)
    const centred = takesFloats ? queries.rows : (queries.centred ?? queries.rows)
    this.#scanRows = decodesQueries ? decodedQueries(store, coarse, centred, argument) : centred
    const { rounded } = scan
    // Float scores that something is added to may become equal.
    const isMoved = isFinal && rounded === undefined && scan.scoreType === 'float' && queries.offset !== undefined
    if (rounded !== undefined || isMoved) this.#exact = openRescorer(store, coarse, scan.exactOf)
    if (!isFinal && !job.isRescoredElsewhere) this.#second = openRescorer(store, rescore as Precision)
    const rows = this.#subset.count
    this.#topK = Math.min(options.topK, rows)
    let found: number
    if (isFinal) {
      const k = this.#topK
      const first = rounded?.candidates(k, rows) ?? (isMoved || scan.mayTie ? fewCandidates(k) : k)
      this.#wanted = this.#topK
      found = Math.min(first * WIDENING ** effort, rows)
      this.#isExhaustive = this.#exact !== undefined && effort > 0 && found > rows / WIDENING
    } else {
      const candidates = Math.ceil(options.topK * options.rescoreMultiplier)
      this.#wanted = candidates + (rounded?.margin(candidates) ?? 0)
      found = Math.min(this.#wanted, rows)
      this.#isExhaustive = effort > 0
    }
    this.#k = this.#isExhaustive ? BestRows.roomOfAll(Math.min(this.#wanted, rows), rows).places : found
    if (this.bytes(1) > store.scratchBytes) store.reserve(store.size, this.bytes(1))
  }

  get #workspace(): Workspace {
    return this.#store.workspace
  }

  /** Rows that the first stage finds of each query, over all stores and in this one. */
  get candidates(): { readonly wanted: number; readonly count: number } {
    return { wanted: this.#wanted, count: Math.min(this.#wanted, this.#subset.count) }
  }

  get scoreType(): Scan['scoreType'] {
    return this.#scan.scoreType
  }

  /** Calls `use` on as many queries at a time as the scratch has room for. */
  forEachBatch(use: (first: number, count: number) => void): void {
    const { rows } = this.#scanRows
    const fitting = Math.floor((this.#store.scratchBytes - this.bytes(0)) / (this.bytes(1) - this.bytes(0)))
    const most = this.#isExhaustive ? 1 : MAX_BATCH
    const batch = Math.max(1, Math.min(fitting, most, this.#store.encoder.chunkRows))
    for (let first = 0; first < rows; first += batch) use(first, Math.min(batch, rows - first))
  }

  /** Bytes of scratch for a batch; each query may cost up to 15 bytes of alignment on top of the linear part. */
  bytes(count: number): number {
    const kernel = this.#isExhaustive
      ? BestRows.roomOfAll(this.candidates.count, this.#subset.count).scratchBytes
      : this.#scan.scratchBytes(count, this.#k)
    return this.#place(count).scratch - this.#store.scratchPtr + 16 * count + kernel
  }

  /** The result of each query of a batch, or the effort that it takes to be sure of one. */
  run(first: number, count: number): (SearchResult | number)[] {
    const at = this.#findBatch(first, count)
    if (this.#second !== undefined) this.#stage(this.#job.queries.rows, first, count)
    return Array.from({ length: count }, (_, i) => {
      if (this.#k === 0 && (this.#exact ?? this.#second) !== undefined) return emptyResult()
      const idsPtr = at.ids + 4 * this.#k * i
      const scoresPtr = at.scores + 4 * this.#k * i
      if (this.#isBlurred(i)) return ALL_ROWS
      if (this.#second !== undefined) return this.#rescored(i, first + i, at, idsPtr, scoresPtr)
      if (this.#exact === undefined) return this.#scanned(idsPtr, scoresPtr)
      if (this.#isExhaustive) return this.#read(idsPtr, scoresPtr)
      return this.#proven(i, first + i, at, idsPtr, scoresPtr)
    })
  }

  /**
   * Finds the candidates of a batch: calls `use` with each query, its rows and their scores, as far as the scan can tell; where
   * it cannot, with undefined.
   */
  scan(first: number, count: number, use: (query: number, ids?: Uint32Array, scores?: Int32Array) => void): void {
    const { buffer } = this.#workspace
    const at = this.#findBatch(first, count)
    const found = this.candidates.count
    for (let i = 0; i < count; i++) {
      if (this.#isBlurred(i)) use(first + i)
      else {
        const ids = new Uint32Array(buffer, at.ids + 4 * this.#k * i, found)
        use(first + i, ids, this.#comparable(new Int32Array(buffer, at.scores + 4 * this.#k * i, found)))
      }
    }
  }

  /** The second stage alone, of at most as many rows a query as the first stage finds. */
  rescore(counts: Uint32Array, ids: Uint32Array): ExactScores {
    const { buffer } = this.#workspace
    const second = this.#second!
    const scores = new Float32Array(ids.length)
    const constants = new Float64Array(counts.length)
    let from = 0
    this.forEachBatch((first, queryCount) => {
      const at = this.#place(queryCount)
      this.#stage(this.#job.queries.rows, first, queryCount)
      for (let i = 0; i < queryCount; i++) {
        const count = counts[first + i]!
        new Uint32Array(buffer, at.ids, count).set(ids.subarray(from, from + count))
        constants[first + i] = second.prepare(i, at.exactQuery)
        second.run(at.exactQuery, at.ids, count, at.scores)
        scores.set(new Float32Array(buffer, at.scores, count), from)
        from += count
      }
    })
    return { scores, constants }
  }

  /** The first stage of a batch: rows in the order of their scores. */
  #findBatch(first: number, count: number): Placed {
    const at = this.#place(count)
    if (this.#isExhaustive) {
      this.#findInAll(first, at)
      return at
    }
    this.#prepareScan(first, count, at.queries)
    if (this.#k === 0) return at
    if (first === 0) this.#ranges = this.#subset.open(this.#store.scratchPtr)
    // A scan for nobody.
    if (this.#areBlurred(count)) return at
    scanRanges(this.#workspace.buffer, this.#scan, this.#ranges, at, count, this.#k)
    this.#subset.toStoreRows?.(new Uint32Array(this.#workspace.buffer, at.ids, count * this.#k))
    return at
  }

  /** The best rows of one query by the exact scores of all rows. */
  #findInAll(query: number, at: Placed): void {
    this.#stage(this.#scanRows, query, 1)
    const constant = this.#exact!.prepare(0, at.exactQuery)
    // What is added decides only where final scores become equal by it.
    const score = this.#scoreRows(this.#exact!, at.exactQuery, this.#isFinal ? constant + this.#offset(query) : 0)
    const { allowed } = this.#job
    const rows = allowed && rowsOfBits(allowed.bits, allowed.count)
    this.#bestRows(at, at.ids, at.scores, this.candidates.count, score).ofAll(this.#subset.count, rows)
  }

  /** The result of a query if its candidates prove it. */
  #proven(i: number, query: number, at: Placed, idsPtr: number, scoresPtr: number): SearchResult | number {
    const { scoreType, rounded } = this.#scan
    const { buffer } = this.#workspace
    const constant = this.#exact!.prepare(i, at.exactQuery) + this.#offset(query)
    const { unit, high } = rounded?.rounding(i) ?? { unit: 1, high: 0 }
    const sums = new Int32Array(buffer, scoresPtr, this.#k)
    const bounds = new Float32Array(buffer, scoresPtr, this.#k)
    // Rounded to float32 as the scores are, so that those that become equal are seen.
    const bound = (place: number) => {
      const score = scoreType === 'integer' ? sums[place]! * unit + high : bounds[place]!
      return Math.fround(score + constant + Math.abs(constant) * 2 ** -48)
    }
    const score = this.#scoreRows(this.#exact!, at.exactQuery, constant)
    const isAll = this.#k === this.#subset.count
    const best = this.#bestRows(at, idsPtr, scoresPtr, this.#topK, score)
    const needed = best.ofCandidates(this.#k, isAll, bound)
    rounded?.learn(this.#topK, this.#subset.count, needed)
    return needed <= this.#k ? this.#read(idsPtr, scoresPtr) : this.#effort + 1
  }

  /** The result of a query by the second stage. */
  #rescored(i: number, query: number, at: Placed, idsPtr: number, scoresPtr: number): SearchResult {
    const constant = this.#second!.prepare(i, at.exactQuery) + this.#offset(query)
    const score = this.#scoreRows(this.#second!, at.exactQuery, constant)
    this.#bestRows(at, idsPtr, scoresPtr, this.#topK, score).of(this.candidates.count)
    return this.#read(idsPtr, scoresPtr)
  }

  /** The result of a query whose scan is exact. */
  #scanned(idsPtr: number, scoresPtr: number): SearchResult | number {
    const { buffer } = this.#workspace
    const ids = new Uint32Array(buffer, idsPtr, this.#k).slice()
    const { scoreType } = this.#scan
    if (scoreType === 'distance') return distanceResult(ids, new Uint32Array(buffer, scoresPtr, this.#k).slice())
    if (scoreType === 'float') return this.#read(idsPtr, scoresPtr)
    const scores = integerScores(this.#scan, new Int32Array(buffer, scoresPtr, this.#k))
    if (!this.#scan.mayTie) return { ids, scores }
    // Rows that were not found have the last integer at most, which may be the float of the k-th.
    const isSure = this.#k === this.#subset.count || scores[this.#k - 1]! < scores[this.#topK - 1]!
    return isSure ? best(ids, scores, this.#topK) : this.#effort + 1
  }

  #areBlurred(count: number): boolean {
    for (let i = 0; i < count; i++) if (!this.#isBlurred(i)) return false
    return true
  }

  /** Whether the scan can tell nothing of a query of the batch. */
  #isBlurred(i: number): boolean {
    return !this.#isExhaustive && this.#scan.rounded?.rounding(i).isBlurred === true
  }

  #read(idsPtr: number, scoresPtr: number): SearchResult {
    const { buffer } = this.#workspace
    return {
      ids: new Uint32Array(buffer, idsPtr, this.#topK).slice(),
      scores: new Float32Array(buffer, scoresPtr, this.#topK).slice(),
    }
  }

  #bestRows(at: Placed, idsPtr: number, scoresPtr: number, k: number, score: ScoreRows): BestRows {
    // The scan is over, and its scratch is free; it is never smaller than what the k best of its candidates need.
    return new BestRows(this.#workspace, { idsPtr, scoresPtr, scratchPtr: at.scratch }, k, score)
  }

  #scoreRows(rescorer: Rescorer, queryPtr: number, constant: number): ScoreRows {
    return (idsPtr, count, scoresPtr) => {
      rescorer.run(queryPtr, idsPtr, count, scoresPtr)
      if (constant === 0) return
      const scores = new Float32Array(this.#workspace.buffer, scoresPtr, count)
      for (let i = 0; i < count; i++) scores[i]! += constant
    }
  }

  /** Scores of all rows, in the place of the scan's, that compare as those do with the scores of other shards. */
  #comparable(scores: Int32Array): Int32Array {
    if (!this.#isExhaustive || this.#scan.scoreType === 'float') return scores
    return scores.map((bits) => bits ^ ((bits >> 31) & 0x7fffffff))
  }

  #place(count: number): Placed {
    const exactQuery = this.#store.scratchPtr + this.#subset.bytes
    const exactBytes = Math.max(this.#exact?.queryBytes ?? 0, this.#second?.queryBytes ?? 0)
    const queries = exactQuery + roundUp(exactBytes, 16)
    const ids = queries + count * this.#scan.queryBytes
    const scores = ids + 4 * count * this.#k
    return { exactQuery, queries, ids, scores, scratch: roundUp(scores + 4 * count * this.#k, 16) }
  }

  #stage(rows: RowSource | CodeRows, first: number, count: number): void {
    this.#store.encoder.stage(rows as RowSource, first, count, this.#job.argument)
  }

  #prepareScan(first: number, count: number, queriesPtr: number): void {
    const scan = this.#scan
    const rows = this.#scanRows
    if ('copyRows' in rows) {
      this.#stage(rows, first, count)
      scan.begin()
      for (let i = 0; i < count; i++) scan.prepare(i, queriesPtr + i * scan.formBytes)
      return
    }
    for (let i = 0; i < count; i++) scan.prepareCodes!(codesOf(rows, first + i), queriesPtr + i * scan.formBytes)
  }
}

/** Addresses of a batch in the scratch. */
interface Placed {
  readonly exactQuery: number
  readonly queries: number
  readonly ids: number
  readonly scores: number
  readonly scratch: number
}
