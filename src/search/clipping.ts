import type { CodeColumn, ColumnCodes } from '../codes/column.js'
import type { Precision } from '../codes/precision.js'
import { codeOf } from '../codes/registry.js'
import { evenSample, type RowSource } from '../rows/matrix.js'
import { follows } from './growth.js'

/**
 * The share cut off, beyond that of the rows that ranges were made for, from which a caller is told (measured: ranges of 1,000
 * rows at random clip 0.2 % of the others, and recall is 0.005 lower; those of 1,000 rows of a few topics 0.9 % and 0.025).
 */
const SHARE = 0.001
/** Percentiles are of a sample: other rows lie outside a little more often. */
const USUAL = 1.5
/** What ranges that were given may cut off without a word: they may be percentiles. */
const GIVEN_SHARE = 0.03
/** Fewer values say nothing. */
const FEW_VALUES = 100
const CHUNK_ROWS = 256
/** Stored rows that tell how much a codebook cuts off. */
const LOOK_ROWS = 1024

type Listener = ((message: string) => void) | undefined

/** The least and the greatest value that codes can hold, of each dimension. */
interface Bounds {
  readonly precision: Precision
  readonly mins: Float32Array
  readonly maxs: Float32Array
  readonly isGiven: boolean
}

/** Counts what fixed ranges and levels cut off of the rows that are added, and tells of it once. */
export class Clipping {
  readonly #usual: number
  readonly #onWarning: Listener
  #values = 0
  #clipped = 0
  #told = false

  /** @param usual the share that was cut off of the rows that the codebook was made for */
  constructor(usual: number, onWarning?: Listener) {
    this.#usual = usual
    this.#onWarning = onWarning
  }

  /** The share of the values added that were cut off. */
  get share(): number {
    return this.#values === 0 ? 0 : this.#clipped / this.#values
  }

  /** The counter of the same index with codebooks taken anew from rows. */
  anew(columns: readonly CodeColumn[], rows: RowSource): Clipping {
    return openClipping(columns, evenSample(rows, LOOK_ROWS), this.#onWarning)
  }

  /** Counts rows, as they are encoded; `count` rows are added where these are a sample of them. */
  add(columns: readonly CodeColumn[], rows: RowSource, count = rows.rows): void {
    const bounds = boundsOf(columns)
    if (bounds === undefined) return
    const values = count * rows.dims
    this.#values += values
    this.#clipped += shareOutside(bounds, rows) * values
    const more = this.share - USUAL * this.#usual
    if (this.#told || more < SHARE || more * this.#values < FEW_VALUES) return
    this.#told = true
    const { noun, option } = codeOf(bounds.precision).books!
    ;(this.#onWarning ?? console.warn)(
      `${percent(this.share)} of the values that were added lie outside the ${bounds.precision} ${noun}, ` +
        `which are fixed, and are cut off (${percent(this.#usual)} of the first rows): recall suffers. Build the index anew ` +
        `from all rows, or give \`${option}\` or \`calibrationEmbeddings\` like the rows to come`,
    )
  }
}

function percent(share: number): string {
  return `${Number((100 * share).toPrecision(2))} %`
}

/** The counter of a new index, of whose rows `look` is a sample as they are encoded; tells of ranges that do not hold them. */
export function openClipping(columns: readonly CodeColumn[], look: RowSource, onWarning?: Listener): Clipping {
  const bounds = boundsOf(columns)
  const usual = bounds === undefined ? 0 : shareOutside(bounds, look)
  if (bounds?.isGiven && usual > GIVEN_SHARE) {
    ;(onWarning ?? console.warn)(
      `${percent(usual)} of the values lie outside the ${bounds.precision} ranges given, and are cut off: recall suffers. ` +
        'Give ranges of rows like these, or leave them out to take those of the rows',
    )
  }
  return new Clipping(usual, onWarning)
}

/** The same from codes: of those of 8 bits the share in the outermost buckets, of int4 in the outermost levels. */
export function codesClipping(columns: readonly CodeColumn[], codes: readonly ColumnCodes[], dims: number): number {
  const bounds = boundsOf(columns)
  const bytes = codes.find(({ precision }) => precision === bounds?.precision)?.bytes
  if (bounds === undefined || bytes === undefined) return 0
  return codeOf(bounds.precision).edgeShare?.(bytes.subarray(0, LOOK_ROWS * dims)) ?? 0
}

/** Whether a codebook cuts values off. */
export function isBounded(column: CodeColumn | undefined): column is CodeColumn {
  if (column === undefined || follows(column) || column.book === undefined) return false
  return codeOf(column.precision).bounds !== undefined
}

function boundsOf(columns: readonly CodeColumn[]): Bounds | undefined {
  const column = columns.find(isBounded)
  if (column === undefined) return undefined
  const { precision, book, fit } = column
  const code = codeOf(precision)
  return { precision, ...code.bounds!(book!), isGiven: code.books!.isWidened && fit === undefined }
}

function shareOutside({ mins, maxs }: Bounds, { rows, dims, copyRows }: RowSource): number {
  const values = new Float32Array(Math.min(CHUNK_ROWS, rows) * dims)
  let outside = 0
  for (let first = 0; first < rows; first += CHUNK_ROWS) {
    const count = Math.min(CHUNK_ROWS, rows - first)
    copyRows(first, count, values, dims)
    for (let i = 0; i < count; i++) {
      for (let d = 0; d < dims; d++) {
        const value = values[i * dims + d]!
        if (value < mins[d]! || value > maxs[d]!) outside++
      }
    }
  }
  return rows === 0 ? 0 : outside / (rows * dims)
}
