import type { CodeColumn } from '../codes/column.js'
import { layoutOf } from '../codes/column-encoder.js'
import { roundUp } from '../kernels/regions.js'
import type { RowSource } from '../rows/matrix.js'
import { CodeStore } from '../search/code-store.js'
import type { Rescorer } from '../search/forms/form.js'
import { openRescorer } from '../search/forms/registry.js'

/**
 * Rows that are scored together. Each may come with a block or two of 4 KiB, so that those of two chunks (one is scored while
 * the next is read) take up to 8 MiB.
 */
const MEMORY_BYTES = 1 << 20
const [LEAST_ROWS, MOST_ROWS] = [16, 512]

/** Exact scores of rows from elsewhere: they are copied to a small store and scored there by the kernels of a large one. */
export class RowScorer {
  /** Rows that fit. */
  readonly capacity: number
  readonly rowBytes: number
  /** Where codes are gathered before they are put: whole rows, one behind the other. */
  readonly codes: Uint8Array
  readonly #store: CodeStore
  readonly #column: CodeColumn
  readonly #rescorer: Rescorer
  readonly #at: { readonly ids: number; readonly scores: number }

  constructor(dims: number, column: CodeColumn) {
    const { precision } = column
    this.rowBytes = layoutOf(column, dims).rowBytes
    this.capacity = Math.min(Math.max(LEAST_ROWS, Math.floor(MEMORY_BYTES / this.rowBytes)), MOST_ROWS)
    this.codes = new Uint8Array(this.capacity * this.rowBytes)
    this.#column = column
    this.#store = new CodeStore({ dims, columns: [column] }, this.capacity)
    this.#rescorer = openRescorer(this.#store, precision)
    const { queryBytes } = this.#rescorer
    this.#store.reserve(this.capacity, roundUp(queryBytes, 16) + 8 * this.capacity)
    this.#store.resize(this.capacity)
    const ids = this.#store.scratchPtr + roundUp(queryBytes, 16)
    this.#at = { ids, scores: ids + 4 * this.capacity }
    new Uint32Array(this.#store.workspace.buffer, ids, this.capacity).forEach((_, i, all) => {
      all[i] = i
    })
  }

  /** Puts the first rows of `codes`, at most `capacity`, and their factors where the column has them. */
  put(rows: number, scales: Float32Array | undefined): void {
    this.#store.putCodes(this.#column.precision, 0, rows, this.codes)
    if (scales !== undefined) this.#store.putScales(this.#column.precision, 0, scales)
  }

  /** Makes a query the one that rows are scored for; returns what is to be added to each of its scores. */
  prepare(queries: RowSource, query: number): number {
    this.#store.encoder.stage(queries, query, 1, 'query')
    return this.#rescorer.prepare(0, this.#store.scratchPtr)
  }

  /** The scores of rows `first` on, as many as the target takes. */
  score(first: number, target: Float32Array): void {
    const { ids, scores } = this.#at
    this.#rescorer.run(this.#store.scratchPtr, ids + 4 * first, target.length, scores)
    target.set(new Float32Array(this.#store.workspace.buffer, scores, target.length))
  }
}
