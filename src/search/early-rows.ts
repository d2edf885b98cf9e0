import { chooseBook } from '../codes/choose-book.js'
import type { CodeColumn } from '../codes/column.js'
import { Levels, outerFractions } from '../codes/levels.js'
import { Calibration } from '../codes/ranges.js'
import { evenSample, numberOf, type RowSource, readRows, toRows } from '../rows/matrix.js'
import { SAMPLE_ROWS } from '../transform/centre.js'
import { follows } from './growth.js'

/**
 * Rows up to which an index whose levels or percentiles are those of its rows keeps them as floats: 4 bytes a value until
 * there are more (measured, Banking77 by topics: levels of each dimension, of the first 4,096 rows and fixed from there on, are
 * within 0.002 of those of all rows, percentiles within 0.006; of the first 1,000 levels are 0.011 to 0.015 below).
 */
const EARLY_ROWS = 8192
/** Levels are taken anew when there are so many times the rows of the last time. */
const GROWTH = 1.5

/** Further rows that levels of all dimensions are tried on, and how much the parts below and above them may differ. */
const LOOK_ROWS = 512
const MISFIT = 0.15

/** All rows of an index with codebooks taken from them. */
export interface Refit {
  readonly rows: RowSource
  readonly columns: readonly CodeColumn[]
}

/** The first rows of an index as they are encoded, for codebooks that cannot be widened: they are taken anew and rows encoded anew. */
export class EarlyRows {
  #values: Float32Array
  readonly #dims: number
  #fitted: number

  private constructor(rows: RowSource) {
    this.#values = readRows([rows], 'embeddings').values
    this.#dims = rows.dims
    this.#fitted = rows.rows
  }

  /** Keeps the rows of a new index, where its codebooks need it and they are few. */
  static of(columns: readonly CodeColumn[], rows: RowSource): EarlyRows | undefined {
    return rows.rows > EARLY_ROWS || !columns.some(refits) ? undefined : new EarlyRows(rows)
  }

  /** What the index becomes with more rows, where it is time to take its codebooks anew. @throws PackvecError NOT_FINITE */
  refit(added: RowSource, columns: readonly CodeColumn[]): Refit | undefined {
    const before = this.#values.length / this.#dims
    const total = before + added.rows
    if (total < GROWTH * this.#fitted && total <= EARLY_ROWS) return undefined
    const rows = this.#with(added, before)
    const fresh = evenSample(rowsFrom(rows, this.#fitted), LOOK_ROWS)
    if (columns.every((column) => !refits(column) || stillFits(column, fresh))) return undefined
    return { rows, columns: columns.map((column) => fitted(column, rows)) }
  }

  /** Keeps rows that were added, with those kept; or none any more where there are too many. */
  keep(added: RowSource, isRefit: boolean): EarlyRows | undefined {
    const before = this.#values.length
    const total = before / this.#dims + added.rows
    if (total > EARLY_ROWS) return undefined
    const values = new Float32Array(total * this.#dims)
    values.set(this.#values)
    added.copyRows(0, added.rows, values.subarray(before), this.#dims)
    this.#values = values
    if (isRefit) this.#fitted = total
    return this
  }

  #with(added: RowSource, before: number): RowSource {
    const dims = this.#dims
    const early = toRows({ data: this.#values, dims: [before, dims] }, 'embeddings')
    return {
      rows: before + added.rows,
      dims,
      single: false,
      rowNumber: (row) => (row < before ? row : numberOf(added, row - before)),
      copyRows(first, count, target, stride) {
        const own = Math.max(0, Math.min(count, before - first))
        if (own > 0) early.copyRows(first, own, target, stride)
        if (own < count) added.copyRows(first + own - before, count - own, target.subarray(own * stride), stride)
      },
    }
  }
}

/** Whether a codebook is taken from the rows of its index but cannot be widened. */
function refits(column: CodeColumn): boolean {
  return column.fit !== undefined && !follows(column)
}

/** Whether levels of all dimensions divide further rows about as they divided their own. */
function stillFits({ book, fit }: CodeColumn, rows: RowSource): boolean {
  if (fit?.scope !== 'global' || !(book instanceof Levels)) return false
  const [lower, upper] = outerFractions(book, fit.percentiles)
  const [lowest, highest] = [book.cuts[0]![0]!, book.cuts.at(-1)![0]!]
  const { values } = readRows([rows], 'embeddings')
  let [below, above] = [0, 0]
  for (const value of values) {
    if (value <= lowest) below++
    else if (value > highest) above++
  }
  const isNear = (found: number, expected: number) => {
    const chance = 3 * Math.sqrt(expected / values.length)
    return Math.abs(found / values.length - expected) < MISFIT * expected + chance
  }
  return isNear(below, lower) && isNear(above, upper)
}

function rowsFrom(rows: RowSource, first: number): RowSource {
  return {
    ...rows,
    rows: rows.rows - first,
    rowNumber: (row) => numberOf(rows, first + row),
    copyRows: (from, count, target, stride) => rows.copyRows(first + from, count, target, stride),
  }
}

function fitted(column: CodeColumn, rows: RowSource): CodeColumn {
  const { fit, precision } = column
  if (fit === undefined) return column
  const { scope, percentiles } = fit
  if (follows(column)) return { ...column, book: Calibration.fromSources([rows], { scope }, 'embeddings') }
  const options = { scope, onWarning: () => {}, ...(percentiles === undefined ? {} : { percentiles }) }
  return { ...column, book: chooseBook([evenSample(rows, SAMPLE_ROWS)], undefined, precision, options) }
}
