import { rowsOfBits } from '../base/bits.js'
import { roundUp } from '../kernels/regions.js'
import type { Allowed } from '../rows/filter.js'
import type { CodeStore } from './code-store.js'
import type { Scan, ScanRows } from './forms/form.js'

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

/** What is scanned: codes, the bytes of a row (a multiple of 8), and the factors of the rows, or 0. */
export type Scanned = Pick<Scan, 'codesPtr' | 'rowBytes' | 'factorsPtr'>

export function openArea(store: CodeStore, scanned: Scanned, allowed: Allowed | undefined): ScanArea {
  const { codesPtr, rowBytes, factorsPtr } = scanned
  const { size } = store
  const { buffer } = store.workspace
  if (allowed === undefined || allowed.count === size) {
    const rows = { codesPtr, rowCount: size, allowedPtr: 0, factorsPtr }
    return { bytes: 0, count: size, open: () => rows, toStoreRows() {} }
  }
  const { bits, count } = allowed
  if (count <= size / SPARSE && count * rowBytes <= store.scratchBytes / 2) {
    return gathered(buffer, scanned, rowsOfBits(bits, count))
  }
  return {
    bytes: roundUp(bits.length, 16),
    count,
    open(ptr) {
      new Uint8Array(buffer, ptr, bits.length).set(bits)
      return { codesPtr, rowCount: size, allowedPtr: ptr, factorsPtr }
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

function gathered(buffer: ArrayBuffer, { codesPtr, rowBytes, factorsPtr }: Scanned, rows: Uint32Array): ScanArea {
  const factorBytes = factorsPtr === 0 ? 0 : 4 * rows.length
  return {
    bytes: roundUp(rows.length * rowBytes + factorBytes, 16),
    count: rows.length,
    open(ptr) {
      // Words one by one: for rows of tens of bytes a call of `copyWithin` takes longer than the copy.
      const words = new Uint32Array(buffer)
      const rowWords = rowBytes / 4
      let to = ptr / 4
      for (const row of rows) {
        const from = codesPtr / 4 + row * rowWords
        for (let word = 0; word < rowWords; word++) words[to++] = words[from + word]!
      }
      const gatheredPtr = factorsPtr === 0 ? 0 : 4 * to
      if (factorsPtr !== 0) for (const row of rows) words[to++] = words[factorsPtr / 4 + row]!
      return { codesPtr: ptr, rowCount: rows.length, allowedPtr: 0, factorsPtr: gatheredPtr }
    },
    toStoreRows(found) {
      for (let i = 0; i < found.length; i++) found[i] = rows[found[i]!]!
    },
  }
}
