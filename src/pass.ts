import type { CodeStore } from './code-store.js'
import { openDecoder } from './codebook.js'
import type { CodeRows } from './codes.js'
import { encodeAll } from './encode.js'
import { flipSigns } from './encoder.js'
import type { Allowed } from './filter.js'
import type { RowSource } from './matrix.js'
import { codeRowBytes, precisionKind } from './precision.js'
import { roundUp } from './regions.js'
import { openRescorer, type Rescorer } from './rescorers.js'
import { openArea, type ScanArea, type ScanRows } from './scan-area.js'
import { openScan, type Scan } from './scans.js'
import type { StageOptions } from './search-options.js'
import { emptyResult, type ScoreForm, type SearchResult, scanScores } from './search-result.js'
import { isFinal, type Stages } from './stages.js'

export interface Queries {
  /** Float queries, or codes of the first stage's precision. */
  readonly rows: RowSource | CodeRows
  /** Float queries shifted as the rows were before they were encoded, for codes with codes; `rows` by default. */
  readonly centred?: RowSource | undefined
  /** What to add to the dot of query `row` with decoded rows. */
  readonly offset?: ((row: number) => number) | undefined
}

/** What the first stage finds in one of several stores: `count` rows a query, best first, ties by lower row. */
export interface Candidates extends ScoreForm {
  /** Candidates that a query keeps over all stores; `count` is this or the rows of the store that may be found. */
  readonly wanted: number
  readonly count: number
  readonly ids: Uint32Array<ArrayBuffer>
  /** 32 bits a score, which `scanScores` reads. */
  readonly scores: Int32Array<ArrayBuffer>
  /** Whether exact scores decide among the candidates; otherwise the scan's are final. */
  readonly rescored: boolean
}

/** Scores of the second stage, before what is added to all of a query's. */
export interface ExactScores {
  readonly scores: Float32Array<ArrayBuffer>
  /** What to add to the scores of each query. */
  readonly constants: Float64Array<ArrayBuffer>
}

/** Queries scanned together, so that codes come from memory once for all of them. */
const MAX_BATCH = 64

/** A pass over all rows, or those `allowed`, with scratch for a query at least. @throws PackvecError TOO_LARGE */
export function openPass(...args: ConstructorParameters<typeof Pass>): Pass {
  const [store] = args
  const pass = new Pass(...args)
  if (pass.bytes(1) <= store.scratchBytes) return pass
  store.reserve(store.size, pass.bytes(1))
  return new Pass(...args)
}

/** One way through the stages over one memory: where the scratch goes, and the work on a batch. */
export class Pass {
  readonly #store: CodeStore
  readonly #argument: string
  readonly #scan: Scan
  readonly #area: ScanArea
  #rows: ScanRows | undefined
  /** Exact scores of the candidates; undefined where the scan's own are exact and final. */
  readonly #rescorer: Rescorer | undefined
  readonly #scanRows: RowSource | CodeRows
  /** Float queries of the rescorer. */
  readonly #exactRows: RowSource | CodeRows
  readonly #offset: (row: number) => number
  readonly #topK: number
  /** Candidates of the scan, and as many as there are rows for that may be found. */
  readonly #wanted: number
  readonly #k: number

  constructor(
    store: CodeStore,
    queries: Queries,
    stages: Stages,
    options: StageOptions,
    argument: string,
    allowed?: Allowed,
  ) {
    const kind = precisionKind(stages.coarse)
    const second = stages.rescore === 'none' ? undefined : precisionKind(stages.rescore)
    const asymmetric = options.scoring === 'asymmetric' || kind === 'floats'
    const final = isFinal(stages, options.scoring)
    const scan = openScan(store, kind, options.scoring)
    this.#store = store
    this.#argument = argument
    this.#scan = scan
    this.#area = openArea(store, scan.codesPtr, scan.rowBytes, allowed)
    this.#offset = queries.offset ?? (() => 0)
    const centred = asymmetric ? queries.rows : (queries.centred ?? queries.rows)
    this.#scanRows = kind === 'nibbles' && !asymmetric ? decodedQueries(store, centred, argument) : centred
    this.#exactRows = final ? this.#scanRows : queries.rows
    if (!final) this.#rescorer = openRescorer(store, second!)
    else if (scan.margin !== undefined) this.#rescorer = openRescorer(store, kind)
    const wanted = final ? options.topK : Math.ceil(options.topK * options.rescoreMultiplier)
    this.#topK = Math.min(options.topK, this.#area.count)
    this.#wanted = wanted + (scan.margin?.(wanted) ?? 0)
    this.#k = Math.min(this.#wanted, this.#area.count)
  }

  /** Calls `use` on as many queries at a time as the scratch has room for. */
  forEachBatch(use: (first: number, count: number) => void): void {
    const { rows } = this.#scanRows
    const fitting = Math.floor((this.#store.scratchBytes - this.bytes(0)) / (this.bytes(1) - this.bytes(0)))
    const batch = Math.max(1, Math.min(fitting, MAX_BATCH, this.#store.encoder.chunkRows))
    for (let first = 0; first < rows; first += batch) use(first, Math.min(batch, rows - first))
  }

  /** Bytes of scratch for a batch; each query may cost up to 15 bytes of alignment on top of the linear part. */
  bytes(count: number): number {
    return this.#place(count).scratch - this.#store.scratchPtr + 16 * count + this.#scan.scratchBytes(count, this.#k)
  }

  run(first: number, count: number): SearchResult[] {
    const { buffer, kernels } = this.#store.workspace
    const at = this.#scanBatch(first, count)
    const rescorer = this.#rescorer
    if (rescorer !== undefined && this.#exactRows !== this.#scanRows) this.#stage(this.#exactRows, first, count)
    return Array.from({ length: count }, (_, i) => {
      const idsPtr = at.ids + 4 * this.#k * i
      const scoresPtr = at.scores + 4 * this.#k * i
      if (rescorer === undefined) return this.#readScan(idsPtr, scoresPtr, first + i)
      if (this.#k === 0) return emptyResult()
      const constant = rescorer.prepare(i, at.rescoreQuery) + this.#offset(first + i)
      // In order of rows, so that memory is walked one way.
      new Uint32Array(buffer, idsPtr, this.#k).sort()
      rescorer.run(at.rescoreQuery, idsPtr, this.#k, scoresPtr)
      // The scan is over, and its scratch is free; it is never smaller than what the k best of its candidates need.
      kernels.selectBest(idsPtr, scoresPtr, this.#k, this.#topK, at.scratch, idsPtr, scoresPtr)
      const ids = new Uint32Array(buffer, idsPtr, this.#topK).slice()
      return { ids, scores: new Float32Array(buffer, scoresPtr, this.#topK).map((score) => score + constant) }
    })
  }

  /** The first stage alone. */
  scan(): Candidates {
    const { buffer } = this.#store.workspace
    const count = this.#k
    const total = count * this.#scanRows.rows
    const [ids, scores] = [new Uint32Array(total), new Int32Array(total)]
    this.forEachBatch((first, queryCount) => {
      const at = this.#scanBatch(first, queryCount)
      ids.set(new Uint32Array(buffer, at.ids, count * queryCount), count * first)
      scores.set(new Int32Array(buffer, at.scores, count * queryCount), count * first)
    })
    const { scoreType, scoreUnit = 1 } = this.#scan
    return { wanted: this.#wanted, count, ids, scores, scoreType, scoreUnit, rescored: this.#rescorer !== undefined }
  }

  /** The second stage alone, of at most as many rows a query as the first stage finds. */
  rescore(counts: Uint32Array, ids: Uint32Array): ExactScores {
    const { buffer } = this.#store.workspace
    const rescorer = this.#rescorer!
    const scores = new Float32Array(ids.length)
    const constants = new Float64Array(counts.length)
    let from = 0
    this.forEachBatch((first, queryCount) => {
      const at = this.#place(queryCount)
      this.#stage(this.#exactRows, first, queryCount)
      for (let i = 0; i < queryCount; i++) {
        const count = counts[first + i]!
        new Uint32Array(buffer, at.ids, count).set(ids.subarray(from, from + count))
        constants[first + i] = rescorer.prepare(i, at.rescoreQuery)
        rescorer.run(at.rescoreQuery, at.ids, count, at.scores)
        scores.set(new Float32Array(buffer, at.scores, count), from)
        from += count
      }
    })
    return { scores, constants }
  }

  #scanBatch(first: number, count: number) {
    const at = this.#place(count)
    this.#prepareScan(first, count, at.queries)
    if (this.#k === 0) return at
    if (first === 0) this.#rows = this.#area.open(this.#store.scratchPtr)
    this.#scan.run(this.#rows!, at.queries, count, this.#k, at.scratch, at.ids, at.scores)
    this.#area.toStoreRows(new Uint32Array(this.#store.workspace.buffer, at.ids, count * this.#k))
    return at
  }

  #place(count: number) {
    const rescoreQuery = this.#store.scratchPtr + this.#area.bytes
    const queries = rescoreQuery + roundUp(this.#rescorer?.queryBytes ?? 0, 16)
    const ids = queries + count * this.#scan.queryBytes
    const scores = ids + 4 * count * this.#k
    return { rescoreQuery, queries, ids, scores, scratch: roundUp(scores + 4 * count * this.#k, 16) }
  }

  #stage(rows: RowSource | CodeRows, first: number, count: number): void {
    this.#store.encoder.stage(rows as RowSource, first, count, this.#argument)
  }

  #prepareScan(first: number, count: number, queriesPtr: number): void {
    const scan = this.#scan
    const rows = this.#scanRows
    if ('copyRows' in rows) {
      this.#stage(rows, first, count)
      scan.begin()
      for (let i = 0; i < count; i++) scan.prepare(i, queriesPtr + i * scan.queryBytes)
      return
    }
    const rowBytes = codeRowBytes(rows.precision, rows.dims)
    for (let i = 0; i < count; i++) {
      const codes = rows.bytes.slice((first + i) * rowBytes, (first + i + 1) * rowBytes)
      if (rows.precision === 'binary') flipSigns(codes)
      scan.prepareCodes!(codes, queriesPtr + i * scan.queryBytes)
    }
  }

  #readScan(idsPtr: number, scoresPtr: number, row: number): SearchResult {
    const { buffer } = this.#store.workspace
    const ids = new Uint32Array(buffer, idsPtr, this.#topK).slice()
    const bits = new Int32Array(buffer, scoresPtr, this.#topK)
    return { ids, ...scanScores(this.#scan, bits, this.#offset(row)) }
  }
}

/** Queries as their own codes decode: what comparing int4 codes with int4 codes means. */
function decodedQueries(store: CodeStore, rows: RowSource | CodeRows, argument: string): RowSource {
  const { precision, book } = store.slot('nibbles')
  const bytes = 'copyRows' in rows ? encodeAll(rows, precision, { book }, argument).bytes : rows.bytes
  const decode = openDecoder(precision, book)
  const rowBytes = codeRowBytes(precision, store.dims)
  return {
    rows: rows.rows,
    dims: store.dims,
    single: rows.single,
    copyRows(first, count, target, stride) {
      for (let i = 0; i < count; i++) {
        decode(bytes, (first + i) * rowBytes, target.subarray(i * stride, i * stride + store.dims))
      }
    },
  }
}
