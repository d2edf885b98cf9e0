import { checkBoolean, checkFunction, checkSameDims, failEmpty } from '../base/check.js'
import { PackvecError } from '../base/errors.js'
import { checkOptions, type OptionChecks } from '../base/options.js'
import { chooseBook, givenBook, requireBook } from '../codes/choose-book.js'
import type { Codebook, ScaleType } from '../codes/code.js'
import { BOOK_CHECKS, type BookOptions } from '../codes/code-options.js'
import { type CodesInput, isCodes, ownPrecision, toCodes } from '../codes/codes.js'
import type { CodeColumn } from '../codes/column.js'
import type { Precision } from '../codes/precision.js'
import { checkPrecision, codeOf, PRECISIONS, USUAL } from '../codes/registry.js'
import { allowedRows } from '../rows/filter.js'
import { type Embeddings, type Matrix, type RowSource, toRows, type Vector } from '../rows/matrix.js'
import { CodeStore } from './code-store.js'
import { formOf } from './forms/registry.js'
import { searchStore } from './search.js'
import { checkSearchOptions, SEARCH_CHECKS, type SearchOptions } from './search-options.js'
import type { SearchResult } from './search-result.js'

/** Options of a search over codes that no index holds. */
export interface SemanticSearchOptions extends SearchOptions, BookOptions {
  /** Precision of the corpus, or the one to quantize it to; that of the codes, or 'float32', by default. */
  readonly precision?: Precision
  /**
   * Whether the float query rescores the candidates against the decoded codes; true by default. It needs float queries and a
   * quantized corpus, and changes nothing where the first stage is asymmetric already.
   */
  readonly rescore?: boolean
  /** Width of a row, where embeddings are a flat array of several rows. */
  readonly dims?: number
  /** Gets each warning as a sentence; `console.warn` by default. */
  readonly onWarning?: (message: string) => void
}

const SEMANTIC_CHECKS: OptionChecks<SemanticSearchOptions> = {
  ...SEARCH_CHECKS,
  ...BOOK_CHECKS,
  precision: true,
  rescore: checkBoolean,
  dims: true,
  onWarning: checkFunction,
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
  given?: SemanticSearchOptions,
): SearchResult | SearchResult[] {
  const options = checkOptions(given, SEMANTIC_CHECKS)
  const precision = checkPrecision(options.precision ?? ownPrecision(corpus) ?? USUAL.exact)
  const floats = isCodes(queries) ? undefined : toRows(queries, 'queries', options.dims)
  if (floats === undefined && codeOf(precision).array === 'Float32Array') {
    throw new PackvecError('QUANTIZED_INPUT', 'queries', `queries must be floats for a ${precision} corpus, got codes`)
  }
  const store = openCorpus(corpus, precision, floats, options)
  const rows = floats ?? toCodes(queries as CodesInput, precision, 'queries', store.dims)
  if (rows.rows > 0) checkSameDims('queries', rows.dims, store.dims, 'the corpus')
  const checked = checkSearchOptions(options, precision)
  const results = searchStore(
    store,
    { rows },
    { coarse: precision, rescore: rescorePrecision(precision, floats !== undefined, options) },
    { ...checked, scoring: floats === undefined ? codesScoring(options) : checked.scoring },
    'queries',
    allowedRows(checked.filter, store.size, 'the corpus'),
  )
  return rows.single ? results[0]! : results
}

function rescorePrecision(precision: Precision, floats: boolean, options: SemanticSearchOptions): Precision | 'none' {
  if (options.rescore === false) return 'none'
  if (floats && formOf(precision).isOneScoring !== true) return precision
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
  throw new PackvecError('QUANTIZED_INPUT', 'queries', 'queries must be floats for asymmetric scoring, got codes')
}

function openCorpus(
  corpus: Embeddings | CodesInput,
  precision: Precision,
  queries: RowSource | undefined,
  options: SemanticSearchOptions,
): CodeStore {
  if (!isCodes(corpus)) {
    const source = toRows(corpus, 'corpus', options.dims)
    checkRows(source.rows)
    const book = requireBook(chooseBook([source], undefined, precision, options, false), precision, source.dims)
    const column = columnOf(precision, book, undefined)
    const store = new CodeStore({ dims: source.dims, columns: [column] }, source.rows)
    store.append(source, 'corpus')
    return store
  }
  const code = codeOf(precision)
  if (code.array === 'Float32Array') {
    const message = `corpus holds bytes: say which codes they are, for example precision: '${EXAMPLE}'; got ${precision}`
    throw new PackvecError('INVALID_ARGUMENT', 'precision', message)
  }
  const codes = toCodes(corpus, precision, 'corpus', packedDims(precision, queries))
  checkRows(codes.rows)
  const book = givenBook(options, precision, codes.dims) ?? codes.book
  const needed = queries !== undefined || formOf(precision).comparesWithoutBook !== true
  const checked = needed || book ? requireBook(book, precision, codes.dims) : undefined
  const scale = codes.scales === undefined ? undefined : 'float32'
  const store = new CodeStore({ dims: codes.dims, columns: [columnOf(precision, checked, scale)] }, codes.rows)
  store.appendCodes([codes], codes.rows)
  return store
}

/** A precision that a message names. */
const EXAMPLE = PRECISIONS.at(-1)!

function columnOf(precision: Precision, book: Codebook | undefined, scale: ScaleType | undefined): CodeColumn {
  return { precision: codeOf(precision).keptAs, book, scale }
}

function checkRows(rows: number): void {
  if (rows === 0) failEmpty('corpus')
}

/** Packed codes tell their dimensions to a whole byte; the float queries know them. */
function packedDims(precision: Precision, queries: RowSource | undefined): number | undefined {
  const isPacked = codeOf(precision).dimsAnElement > 1
  return isPacked && queries !== undefined && queries.rows > 0 ? queries.dims : undefined
}
