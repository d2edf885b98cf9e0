import { checkCount, checkFactor, checkOneOf } from './check.js'
import type { CodeStore } from './code-store.js'
import type { CodeRows } from './codes.js'
import { flipSigns } from './encoder.js'
import type { RowSource } from './matrix.js'
import { codeRowBytes, type Precision, precisionKind } from './precision.js'
import { roundUp } from './regions.js'
import { openRescorer, openScan, type Rescorer, type Scan, type Scoring } from './scorers.js'

export interface SearchOptions {
  /** Results a query, 10 by default; more than there are rows gives the rows. */
  readonly topK?: number
  /** The first stage finds topK · rescoreMultiplier candidates for the second to choose from; 4 by default. */
  readonly rescoreMultiplier?: number
  /**
   * 'symmetric' compares codes with codes in the first stage (Hamming distance; dot of integer codes), 'asymmetric' the float
   * query with codes. By default bits are symmetric and 8-bit codes asymmetric, since raw 8-bit codes of dimensions with
   * different ranges misrank.
   */
  readonly scoring?: Scoring
}

/** Best first, ties by lower id; arrays of min(topK, rows) that belong to the caller. */
export interface SearchResult {
  readonly ids: Uint32Array
  /** Higher is better: a dot product, or minus the Hamming distance where bits were not rescored. */
  readonly scores: Float32Array
  /** Hamming distances, where they are the score. */
  readonly distances?: Uint32Array
}

/** What the two stages run on; 'none' leaves the first stage's order. */
export interface Stages {
  readonly coarse: Precision
  readonly rescore: Precision | 'none'
}

/** Queries scanned together, so that codes come from memory once for all of them. */
const MAX_BATCH = 64

export type QueryRows = { readonly floats: RowSource } | { readonly codes: CodeRows }

/** Reads topK, rescoreMultiplier and scoring, and fills in their defaults. */
export function checkSearchOptions(options: SearchOptions, coarse: Precision): Required<SearchOptions> {
  const bits = precisionKind(coarse) === 'bits'
  const { topK = 10, rescoreMultiplier = 4, scoring = bits ? 'symmetric' : 'asymmetric' } = options
  return {
    topK: checkCount(topK, 'topK'),
    rescoreMultiplier: checkFactor(rescoreMultiplier, 'rescoreMultiplier'),
    scoring: checkOneOf(scoring, ['symmetric', 'asymmetric'], 'scoring'),
  }
}

/** Searches a store in one or two stages, a batch of queries at a time. Float queries are checked batch by batch. */
export function searchStore(
  store: CodeStore,
  queries: QueryRows,
  stages: Stages,
  options: Required<SearchOptions>,
  argument: string,
): SearchResult[] {
  const source = 'codes' in queries ? queries.codes : queries.floats
  const results: SearchResult[] = []
  if (store.size === 0) return Array.from({ length: source.rows }, emptyResult)
  let pass = planPass(store, stages, options)
  if (pass.bytes(1) > store.scratchBytes) {
    store.reserve(store.size, pass.bytes(1))
    pass = planPass(store, stages, options)
  }
  const fitting = Math.floor((store.scratchBytes - pass.bytes(0)) / (pass.bytes(1) - pass.bytes(0)))
  const batch = Math.max(1, Math.min(fitting, MAX_BATCH, store.encoder.chunkRows))
  for (let first = 0; first < source.rows; first += batch) {
    const count = Math.min(batch, source.rows - first)
    results.push(...pass.run(queries, first, count, argument))
  }
  return results
}

/** One way through the stages: sizes of the scratch and the work on a batch. */
interface Pass {
  bytes(queryCount: number): number
  run(queries: QueryRows, first: number, count: number, argument: string): SearchResult[]
}

function planPass(store: CodeStore, stages: Stages, options: Required<SearchOptions>): Pass {
  const coarseKind = precisionKind(stages.coarse)
  const scan = openScan(store, coarseKind, options.scoring)
  const rescorer = chooseRescorer(store, stages, scan, options.scoring)
  const topK = Math.min(options.topK, store.size)
  const oversampled = rescorer.oversample ? Math.ceil(options.topK * options.rescoreMultiplier) : options.topK
  const k = Math.min(oversampled + scan.margin, store.size)
  const rescoreBytes = rescorer.use?.queryBytes ?? 0
  const place = (count: number) => {
    const rescoreQuery = store.scratchPtr
    const queries = rescoreQuery + roundUp(rescoreBytes, 16)
    const ids = queries + count * scan.queryBytes
    const scores = ids + 4 * count * k
    const scratch = roundUp(scores + 4 * count * k, 16)
    return { rescoreQuery, queries, ids, scores, scratch }
  }
  return {
    // Each query may cost up to 15 bytes of alignment on top of the linear part.
    bytes: (count) => place(count).scratch - store.scratchPtr + 16 * count + scan.scratchBytes(count, k),
    run(queries, first, count, argument) {
      const { buffer } = store.workspace
      const at = place(count)
      prepareQueries(store, stages, scan, queries, first, count, at.queries, argument)
      scan.run(at.queries, count, k, at.scratch, at.ids, at.scores)
      return Array.from({ length: count }, (_, i) => {
        const idsPtr = at.ids + 4 * k * i
        const scoresPtr = at.scores + 4 * k * i
        if (rescorer.use === undefined) return readScan(buffer, scan, idsPtr, scoresPtr, topK)
        // In order of rows, so that memory is walked one way and equal scores stand by lower id.
        const ids = new Uint32Array(buffer, idsPtr, k).sort()
        const constant = rescorer.use.prepare(i, at.rescoreQuery)
        rescorer.use.run(at.rescoreQuery, idsPtr, k, scoresPtr)
        return best(ids, new Float32Array(buffer, scoresPtr, k), constant, topK)
      })
    },
  }
}

function chooseRescorer(
  store: CodeStore,
  stages: Stages,
  scan: Scan,
  scoring: Scoring,
): { use: Rescorer | undefined; oversample: boolean } {
  const coarseKind = precisionKind(stages.coarse)
  const kind = stages.rescore === 'none' ? undefined : precisionKind(stages.rescore)
  const final = kind === undefined || (kind === coarseKind && (scoring === 'asymmetric' || kind === 'floats'))
  if (!final) return { use: openRescorer(store, kind), oversample: true }
  // The first stage has the final scores already, but for the rounding of an int16 query.
  return { use: scan.margin > 0 ? openRescorer(store, coarseKind) : undefined, oversample: false }
}

function prepareQueries(
  store: CodeStore,
  stages: Stages,
  scan: Scan,
  queries: QueryRows,
  first: number,
  count: number,
  queriesPtr: number,
  argument: string,
): void {
  if ('codes' in queries) {
    const { bytes, precision } = queries.codes
    const rowBytes = codeRowBytes(precision, store.dims)
    for (let i = 0; i < count; i++) {
      const codes = bytes.slice((first + i) * rowBytes, (first + i + 1) * rowBytes)
      if (precision === 'binary') flipSigns(codes)
      scan.prepareCodes!(codes, queriesPtr + i * scan.queryBytes)
    }
    return
  }
  const { encoder } = store
  encoder.stage(queries.floats, first, count, argument)
  if (scan.scoreType === 'integer' && scan.margin === 0) encoder.setBuckets(store.calibration!.buckets, stages.coarse)
  for (let i = 0; i < count; i++) {
    scan.prepare(i, queriesPtr + i * scan.queryBytes)
  }
}

function readScan(buffer: ArrayBuffer, scan: Scan, idsPtr: number, scoresPtr: number, topK: number): SearchResult {
  const ids = new Uint32Array(buffer, idsPtr, topK).slice()
  switch (scan.scoreType) {
    case 'float':
      return { ids, scores: new Float32Array(buffer, scoresPtr, topK).slice() }
    case 'integer':
      return { ids, scores: new Float32Array(new Int32Array(buffer, scoresPtr, topK)) }
    default: {
      const distances = new Uint32Array(buffer, scoresPtr, topK).slice()
      const scores = new Float32Array(topK)
      for (let i = 0; i < topK; i++) scores[i] = 0 - distances[i]!
      return { ids, scores, distances }
    }
  }
}

/** The `topK` best of candidates that stand in order of their ids. */
function best(ids: Uint32Array, scores: Float32Array, constant: number, topK: number): SearchResult {
  const order = Array.from(ids.keys()).sort((a, b) => scores[b]! - scores[a]! || a - b)
  const chosen = order.slice(0, topK)
  return {
    ids: Uint32Array.from(chosen, (i) => ids[i]!),
    scores: Float32Array.from(chosen, (i) => scores[i]! + constant),
  }
}

function emptyResult(): SearchResult {
  return { ids: new Uint32Array(0), scores: new Float32Array(0) }
}
