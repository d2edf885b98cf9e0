import { rangesOfBits, rowsOfBits } from '../base/bits.js'
import { roundUp } from '../kernels/regions.js'
import type { Allowed } from '../rows/filter.js'
import type { CodeStore, StoredColumn } from './code-store.js'
import type { ScanRows } from './forms/form.js'

/** The rows of a store that may be found, as ranges of rows that a scan goes through one behind the other. */
export interface RowSubset {
  /** Bytes of scratch that `open` fills: a multiple of 16. */
  readonly bytes: number
  /** Number of rows that can be found. */
  readonly count: number
  /** Writes to `ptr` what the scan needs, and gives the ranges in the order of rows. */
  open(ptr: number): readonly ScanRows[]
  /** Turns row numbers of the ranges into those of the store, in place, where they are not the same. */
  toStoreRows?(rows: Uint32Array): void
}

/** The rows that may be found, in the order of the store. The way they are scanned is decided here, once. */
export function openSubset(
  store: CodeStore,
  column: StoredColumn,
  usesFactors: boolean,
  allowed: Allowed | undefined,
): RowSubset {
  const { size } = store
  if (allowed === undefined || allowed.count === size) {
    return { bytes: 0, count: size, open: () => [rowsOf(column, usesFactors, 0, size)] }
  }
  const { bits, count } = allowed
  if (count <= size / SPARSE && count * column.stride <= store.scratchBytes / 2) {
    return gathered(store, column, usesFactors, rowsOfBits(bits, count))
  }
  const ranges = rangesOfBits(bits, MOST_RANGES)
  if (ranges !== undefined && count >= LEAST_ROWS * ranges.length) {
    const open = () => ranges.map(({ first, end }) => rowsOf(column, usesFactors, first, end - first))
    return { bytes: 0, count, open }
  }
  return {
    bytes: roundUp(bits.length, 16),
    count,
    open(ptr) {
      new Uint8Array(store.workspace.buffer, ptr, bits.length).set(bits)
      return [{ ...rowsOf(column, usesFactors, 0, size), allowedPtr: ptr }]
    },
  }
}

/** Rows of a column, all of which may be found. */
function rowsOf(
  { codesPtr, factorsPtr, stride }: StoredColumn,
  usesFactors: boolean,
  first: number,
  rowCount: number,
): ScanRows {
  return {
    first,
    codesPtr: codesPtr + first * stride,
    rowCount,
    allowedPtr: 0,
    factorsPtr: usesFactors ? factorsPtr + 4 * first : 0,
  }
}

/**
 * Where the allowed rows are a few long ranges, as those of a part of the corpus that was added at once, only these are scanned
 * (measured, a tenth of 100,000 x 384: 0.4 of the time of a filter by bits for Hamming distances, 0.2 for int8).
 */
const MOST_RANGES = 16
const LEAST_ROWS = 256

/**
 * Where at most one row in so many is allowed, and their codes fit half of the scratch, the allowed rows are copied together
 * and scanned without a filter: the same scores, and the same order, for they stay in order. Rows of 48 bytes gain by it
 * below about one in 20 (measured), longer ones earlier.
 */
const SPARSE = 32

function gathered(store: CodeStore, column: StoredColumn, usesFactors: boolean, rows: Uint32Array): RowSubset {
  const { stride } = column
  return {
    bytes: roundUp(rows.length * (stride + (usesFactors ? 4 : 0)), 16),
    count: rows.length,
    open(ptr) {
      const { codesPtr, factorsPtr } = column
      // Words one by one: for rows of tens of bytes a call of `copyWithin` takes longer than the copy.
      const words = new Uint32Array(store.workspace.buffer)
      const rowWords = stride / 4
      let to = ptr / 4
      for (const row of rows) {
        const from = codesPtr / 4 + row * rowWords
        for (let word = 0; word < rowWords; word++) words[to++] = words[from + word]!
      }
      const gatheredPtr = usesFactors ? 4 * to : 0
      if (usesFactors) for (const row of rows) words[to++] = words[factorsPtr / 4 + row]!
      return [{ first: 0, codesPtr: ptr, rowCount: rows.length, allowedPtr: 0, factorsPtr: gatheredPtr }]
    },
    toStoreRows(found) {
      for (let i = 0; i < found.length; i++) found[i] = rows[found[i]!]!
    },
  }
}
