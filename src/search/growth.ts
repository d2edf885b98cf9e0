import type { CodeColumn } from '../codes/column.js'
import { Calibration } from '../codes/ranges.js'
import { codeOf } from '../codes/registry.js'
import type { RowSource } from '../rows/matrix.js'
import type { CodeStore } from './code-store.js'

/**
 * Rows up to which the codes of a growing index are kept with 8 more bits: ranges are minima and maxima, codes those of a
 * build at once. They take `dims` bytes a row, from the first `add` on, and are let go when there are more rows.
 */
const FINE_ROWS = 16_384
/**
 * Beyond, what a side of a range gets further than the value that lay outside it, as a part of the range's width: a side widens
 * a few times only, and codes lose little by being rewritten.
 */
const HEADROOM = 1 / 16

/** Whether the ranges of a column are minima and maxima of its own rows, which follow the rows that are added. */
export function follows(column: CodeColumn): column is CodeColumn & { readonly book: Calibration } {
  const { precision, fit } = column
  return fit !== undefined && fit.percentiles === undefined && codeOf(precision).books?.isWidened === true
}

/** Adds rows to a store: ranges widen where they must, stored codes become those of the same values in the new ranges. */
export function growStore(store: CodeStore, rows: RowSource, argument: string): void {
  store.makeRoom(rows.rows)
  if (store.spec.columns.some(follows)) {
    const fine = isFine(store.size + rows.rows)
    if (fine) store.refine(true)
    const found = new Calibration(store.dims).addRows(rows, argument)
    const columns = widenColumns(store.spec.columns, found, fine || isLarge(rows.rows, store.size))
    for (const { precision, book } of columns) store.widen(precision, book as Calibration)
    if (!fine) store.refine(false)
  }
  store.append(rows, argument)
}

/** Whether rows are so many beside those stored that such additions cannot be many: ranges need no room then. */
export function isLarge(added: number, stored: number): boolean {
  return added >= stored * HEADROOM
}

/** Whether an index that grows to so many rows keeps fine codes. */
export function isFine(rows: number): boolean {
  return rows <= FINE_ROWS
}

/**
 * Those of the columns that need wider ranges before rows with these minima and maxima come, with these ranges: `exact`, or with
 * room for rows that come later.
 */
export function widenColumns(columns: readonly CodeColumn[], found: Calibration, exact: boolean): CodeColumn[] {
  return columns.filter(follows).flatMap((column) => {
    const book = widened(column.book, found, column.fit?.scope === 'global', exact ? 0 : HEADROOM)
    return book === column.book ? [] : [{ ...column, book }]
  })
}

/** Ranges that hold those of `found` too, with headroom where a side had to move; the same object where none had to. */
function widened(ranges: Calibration, found: Calibration, global: boolean, headroom: number): Calibration {
  const { mins, maxs } = ranges.minMax
  const { mins: lows, maxs: highs } = found.minMax
  if (global) {
    lows.fill(lows.reduce((low, value) => Math.min(low, value)))
    highs.fill(highs.reduce((high, value) => Math.max(high, value)))
  }
  let moved = false
  for (let d = 0; d < mins.length; d++) {
    const [low, high] = [lows[d]!, highs[d]!]
    const [below, above] = [low < mins[d]!, high > maxs[d]!]
    if (!below && !above) continue
    moved = true
    const room = (Math.max(high, maxs[d]!) - Math.min(low, mins[d]!)) * headroom
    if (below) mins[d] = withRoom(low, -room)
    if (above) maxs[d] = withRoom(high, room)
  }
  return moved ? Calibration.ofMinMax(mins, maxs, ranges.rows + found.rows) : ranges
}

/** Without the room where that would leave float32. */
function withRoom(value: number, room: number): number {
  return Number.isFinite(Math.fround(value + room)) ? value + room : value
}
