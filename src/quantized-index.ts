import type { Calibration } from './calibration.js'
import { checkCount, checkSameDims } from './check.js'
import { CodeStore } from './code-store.js'
import { PackvecError } from './errors.js'
import { readIndex, writeIndex } from './index-file.js'
import { type Embeddings, type Matrix, type RowSource, toRows, type Vector } from './matrix.js'
import { checkPrecision, type Precision, precisionKind } from './precision.js'
import { chooseCalibration } from './quantize.js'
import { checkSearchOptions, type SearchOptions, type SearchResult, type Stages, searchStore } from './search.js'
import type { Backend } from './workspace.js'

export interface BuildOptions {
  /** Codes that the first stage scans: 'binary' by default. */
  readonly coarse?: Precision
  /** Codes that rescore the candidates: 'int8' by default ('none' where `coarse` is float32); 'none' for one stage. */
  readonly rescore?: Precision | 'none'
  /** Ranges of 8-bit codes; taken from the embeddings themselves by default. */
  readonly calibration?: Calibration
  /** Rows to leave room for, so that `add` moves nothing until then. */
  readonly capacity?: number
  /** Width of a row, where `embeddings` is a flat array of several rows. */
  readonly dims?: number
  /** Gets each warning as a sentence; `console.warn` by default. */
  readonly onWarning?: (message: string) => void
}

/**
 * Embeddings as codes in one WebAssembly memory, searched there in two stages: a scan of small codes, then exact scores of
 * the candidates from larger ones. Dropping the object frees the memory.
 *
 * Method: binary codes with int8 rescoring, Shakir, Aarsen, Lee, "Binary and Scalar Embedding Quantization", 2024.
 */
export class QuantizedIndex {
  readonly #store: CodeStore
  readonly #stages: Stages

  private constructor(store: CodeStore, stages: Stages) {
    this.#store = store
    this.#stages = stages
  }

  /**
   * Quantizes embeddings (rows x dims) into a new index.
   * @throws PackvecError EMPTY, NOT_FINITE, RAGGED_ROWS, DIMS_MISMATCH, TOO_LARGE, ...
   */
  static build(embeddings: Embeddings, options: BuildOptions = {}): QuantizedIndex {
    const coarse = checkPrecision(options.coarse ?? 'binary', 'coarse')
    const stages = { coarse, rescore: checkRescore(options.rescore ?? (coarse === 'float32' ? 'none' : 'int8')) }
    const source = toRows(embeddings, 'embeddings', options.dims)
    if (source.rows === 0)
      throw new PackvecError('EMPTY', 'embeddings', 'embeddings must have at least 1 row, got 0 rows')
    const capacity = Math.max(source.rows, checkCount(options.capacity ?? source.rows, 'capacity'))
    const calibration = indexCalibration(source, stages, options)
    const store = new CodeStore(source.dims, storedPrecisions(stages), capacity, calibration)
    store.append(source, 'embeddings')
    return new QuantizedIndex(store, stages)
  }

  /** Reads an index that `toBytes` wrote. @throws PackvecError INVALID_FILE or UNSUPPORTED */
  static fromBytes(bytes: Uint8Array | ArrayBuffer): QuantizedIndex {
    const { stages, dims, rows, calibration, codes } = readIndex(bytes)
    const store = new CodeStore(dims, storedPrecisions(stages), rows, calibration)
    store.appendCodes(codes, rows)
    return new QuantizedIndex(store, stages)
  }

  /** Number of rows; ids are 0 to size - 1 in the order of adding. */
  get size(): number {
    return this.#store.size
  }

  get dims(): number {
    return this.#store.dims
  }

  /** Bytes of all codes. */
  get codeBytes(): number {
    return this.#store.size * this.#store.rowBytes
  }

  /** Bytes of the whole memory: codes, room to grow, and what encoding and searching need. */
  get byteLength(): number {
    return this.#store.workspace.buffer.byteLength
  }

  /** What runs the kernels of this index. */
  get backend(): Backend {
    return this.#store.workspace.backend
  }

  get coarse(): Precision {
    return this.#stages.coarse
  }

  get rescore(): Precision | 'none' {
    return this.#stages.rescore
  }

  /** The ranges of the 8-bit codes, if there are any. */
  get calibration(): Calibration | undefined {
    return this.#store.calibration
  }

  /**
   * Quantizes more rows with the ranges of the index; on an error none is added.
   * @throws PackvecError DIMS_MISMATCH, NOT_FINITE, RAGGED_ROWS, TOO_LARGE
   */
  add(embeddings: Embeddings, options: { readonly dims?: number } = {}): this {
    const source = toRows(embeddings, 'embeddings', options.dims)
    if (source.rows === 0) return this
    checkSameDims('embeddings', source.dims, this.dims, 'the index')
    this.#store.append(source, 'embeddings')
    return this
  }

  /**
   * The rows nearest to a float query, or to each of several: a vector gives one result, a matrix an array of them.
   * @throws PackvecError DIMS_MISMATCH, NOT_FINITE, QUANTIZED_INPUT, INVALID_ARGUMENT (topK, ...)
   */
  search(query: Vector, options?: SearchOptions): SearchResult
  search(queries: Matrix, options?: SearchOptions): SearchResult[]
  search(queries: Embeddings, options: SearchOptions = {}): SearchResult | SearchResult[] {
    const checked = checkSearchOptions(options, this.#stages.coarse)
    const source = toRows(queries, 'query')
    if (source.rows > 0) checkSameDims('query', source.dims, this.dims, 'the index')
    const results = searchStore(this.#store, { floats: source }, this.#stages, checked, 'query')
    return source.single ? results[0]! : results
  }

  /** The whole index as one safetensors file; `docs/format.md` says what is in it. */
  toBytes(): Uint8Array<ArrayBuffer> {
    return writeIndex(this.#store, this.#stages)
  }
}

function checkRescore(value: Precision | 'none'): Precision | 'none' {
  return value === 'none' ? value : checkPrecision(value, 'rescore')
}

/** The precisions that two stages need. */
export function storedPrecisions({ coarse, rescore }: Stages): Precision[] {
  return rescore === 'none' ? [coarse] : [coarse, rescore]
}

function indexCalibration(source: RowSource, stages: Stages, options: BuildOptions): Calibration | undefined {
  const scalar = storedPrecisions(stages).find((precision) => precisionKind(precision) === 'bytes')
  if (scalar === undefined) return undefined
  const { calibration: ranges, onWarning } = options
  const calibration = chooseCalibration([source], scalar, { ranges, onWarning })!
  checkSameDims('calibration', calibration.dims, source.dims, 'embeddings')
  return calibration
}
