import { rowsOfBits } from '../base/bits.js'
import { roundUp } from '../kernels/regions.js'
import type { Allowed } from '../rows/filter.js'
import type { CodeStore, StoredColumn } from './code-store.js'
import type { ScanRows } from './forms/form.js'

/** The rows of a store as a scan gets them: all, all with a filter, or a copy of those that a filter allows. */
export interface ScanArea {
  /** Bytes of scratch that `open` fills: a multiple of 16. */
  readonly bytes: number
  /** Number of rows that can be found. */
  readonly count: number
  /** Writes the area to `ptr`. */
  open(ptr: number): ScanRows
  /** Turns the row numbers of the scan into those of the store, in place. */
  toStoreRows(rows: Uint32Array): void
}

/** The rows that may be found, in the order of the store. The way they are scanned is decided here, once. */
export function openArea(
  store: CodeStore,
  column: StoredColumn,
  usesFactors: boolean,
  allowed: Allowed | undefined,
): ScanArea {
  const { size } = store
  const factorsPtr = () => (usesFactors ? column.factorsPtr : 0)
  if (allowed === undefined || allowed.count === size) {
    const open = () => ({ codesPtr: column.codesPtr, rowCount: size, allowedPtr: 0, factorsPtr: factorsPtr() })
    return { bytes: 0, count: size, open, toStoreRows() {} }
  }
  const { bits, count } = allowed
  if (count <= size / SPARSE && count * column.stride <= store.scratchBytes / 2) {
    return gathered(store, column, usesFactors, rowsOfBits(bits, count))
  }
  return {
    bytes: roundUp(bits.length, 16),
    count,
    open(ptr) {
      new Uint8Array(store.workspace.buffer, ptr, bits.length).set(bits)
      return { codesPtr: column.codesPtr, rowCount: size, allowedPtr: ptr, factorsPtr: factorsPtr() }
    },
    toStoreRows() {},
  }
}

/**
 * Where at most one row in so many is allowed, and their codes fit half of the scratch, the allowed rows are copied together
 * and scanned without a filter: the same scores, and the same order, for they stay in order. Rows of 48 bytes gain by it
 * below about one in 20 (measured), longer ones earlier.
 */
const SPARSE = 32

function gathered(store: CodeStore, column: StoredColumn, usesFactors: boolean, rows: Uint32Array): ScanArea {
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
      return { codesPtr: ptr, rowCount: rows.length, allowedPtr: 0, factorsPtr: gatheredPtr }
    },
    toStoreRows(found) {
      for (let i = 0; i < found.length; i++) found[i] = rows[found[i]!]!
    },
  }
}
