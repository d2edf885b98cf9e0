import { Calibration, type RangesInput } from './calibration.js'
import { checkSameDims, fail } from './check.js'
import { CodeStore } from './code-store.js'
import { type CodesInput, isCodes, toCodes } from './codes.js'
import { PackvecError } from './errors.js'
import { type Embeddings, type Matrix, type RowSource, toRows, type Vector } from './matrix.js'
import { checkPrecision, type Precision, precisionKind } from './precision.js'
import { chooseCalibration, requireCalibration } from './quantize.js'
import { checkSearchOptions, type QueryRows, type SearchOptions, type SearchResult, searchStore } from './search.js'

export interface SemanticSearchOptions extends SearchOptions {
  /** Precision of the corpus, or the one to quantize it to; that of the codes, or 'float32', by default. */
  readonly precision?: Precision
  /**
   * Whether the float query rescores the candidates against the decoded codes; true by default. It needs float queries and a
   * quantized corpus, and changes nothing where the first stage is asymmetric already.
   */
  readonly rescore?: boolean
  /** Ranges of 8-bit codes (a Calibration, or 2 x dims): those of the corpus. */
  readonly calibration?: RangesInput
  /** Width of a row, where embeddings are a flat array of several rows. */
  readonly dims?: number
  /** Gets each warning as a sentence; `console.warn` by default. */
  readonly onWarning?: (message: string) => void
}

/**
 * Searches a corpus, float or quantized already, as sentence-transformers' `semantic_search_faiss` and
 * `semantic_search_usearch` do. With `scoring: 'symmetric'` their results are met: bits are found by Hamming distance and
 * rescored by the sum of the query over their set bits, 8-bit codes by the dot of codes and rescored decoded. Scores are
 * higher-is-better. For repeated searches build a `QuantizedIndex` once.
 * @throws PackvecError EMPTY, DIMS_MISMATCH, WRONG_WIDTH, CALIBRATION_REQUIRED, QUANTIZED_INPUT, ...
 */
export function semanticSearch(
  query: Vector,
  corpus: Embeddings | CodesInput,
  options?: SemanticSearchOptions,
): SearchResult
export function semanticSearch(
  queries: Matrix | CodesInput,
  corpus: Embeddings | CodesInput,
  options?: SemanticSearchOptions,
): SearchResult[]
export function semanticSearch(
  queries: Embeddings | CodesInput,
  corpus: Embeddings | CodesInput,
  options: SemanticSearchOptions = {},
): SearchResult | SearchResult[] {
  const precision = checkPrecision(options.precision ?? ownPrecision(corpus) ?? 'float32')
  const floats = isCodes(queries) ? undefined : toRows(queries, 'queries', options.dims)
  if (floats === undefined && precision === 'float32') {
    throw new PackvecError('QUANTIZED_INPUT', 'queries', 'queries must be float for a float32 corpus, got codes')
  }
  const store = openCorpus(corpus, precision, floats, options)
  const rows = floats ?? toCodes(queries as CodesInput, precision, 'queries', store.dims)
  if (rows.rows > 0) checkSameDims('queries', rows.dims, store.dims, 'the corpus')
  const source: QueryRows = floats === undefined ? { codes: rows as ReturnType<typeof toCodes> } : { floats }
  const checked = checkSearchOptions(options, precision)
  const results = searchStore(
    store,
    source,
    { coarse: precision, rescore: rescorePrecision(precision, floats !== undefined, options) },
    { ...checked, scoring: floats === undefined ? codesScoring(options) : checked.scoring },
    'queries',
  )
  return rows.single ? results[0]! : results
}

function rescorePrecision(precision: Precision, floats: boolean, options: SemanticSearchOptions): Precision | 'none' {
  if (options.rescore === false) return 'none'
  if (floats && precision !== 'float32') return precision
  // Only who asked for rescoring is told that it cannot be: it is on by default.
  if (options.rescore === true) {
    const why = floats ? 'the corpus is not quantized' : 'the query embeddings are quantized'
    const warn = options.onWarning ?? console.warn
    warn(`Rescoring is enabled but ${why}: pass rescore: false, or float queries with a quantized corpus.`)
  }
  return 'none'
}

/** Quantized queries can only be compared code with code. */
function codesScoring(options: SemanticSearchOptions): 'symmetric' {
  if (options.scoring !== 'asymmetric') return 'symmetric'
  throw new PackvecError('QUANTIZED_INPUT', 'queries', 'queries must be float for asymmetric scoring, got codes')
}

function openCorpus(
  corpus: Embeddings | CodesInput,
  precision: Precision,
  queries: RowSource | undefined,
  options: SemanticSearchOptions,
): CodeStore {
  const given = options.calibration
  if (isCodes(corpus)) {
    if (precision === 'float32') fail('INVALID_ARGUMENT', 'precision', 'that of the codes in the corpus', precision)
    const codes = toCodes(corpus, precision, 'corpus', bitDims(precision, queries))
    checkRows(codes.rows)
    const ranges = given === undefined ? codes.calibration : Calibration.fromRanges(given, { dims: codes.dims })
    const floatsMeetCodes = queries !== undefined && precisionKind(precision) === 'bytes'
    const calibration = floatsMeetCodes ? requireCalibration(ranges, precision) : ranges
    if (calibration) checkSameDims('calibration', calibration.dims, codes.dims, 'the corpus')
    const store = new CodeStore(codes.dims, [precision], codes.rows, calibration)
    store.appendCodes(new Map([[precision, codes.bytes]]), codes.rows)
    return store
  }
  const source = toRows(corpus, 'corpus', options.dims)
  checkRows(source.rows)
  const calibration = chooseCalibration([source], precision, { ranges: given, onWarning: options.onWarning })
  if (calibration) checkSameDims('calibration', calibration.dims, source.dims, 'the corpus')
  const store = new CodeStore(source.dims, [precision], source.rows, calibration)
  store.append(source, 'corpus')
  return store
}

function checkRows(rows: number): void {
  if (rows === 0) throw new PackvecError('EMPTY', 'corpus', 'corpus must have at least 1 row, got 0 rows')
}

/** Packed bits tell their dimensions to a multiple of 8; the float queries know them. */
function bitDims(precision: Precision, queries: RowSource | undefined): number | undefined {
  return precisionKind(precision) === 'bits' && queries !== undefined && queries.rows > 0 ? queries.dims : undefined
}

function ownPrecision(corpus: Embeddings | CodesInput): Precision | undefined {
  return 'precision' in corpus ? corpus.precision : undefined
}
