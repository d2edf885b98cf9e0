import type { Calibration } from '../codes/calibration.js'
import { isSigned, type PrecisionKind, paddedRowBytes } from '../codes/precision.js'
import type { CodeStore } from './code-store.js'
import { foldQuery } from './fold.js'
import type { Scan } from './scan.js'
import { fillNibbleTable } from './tables.js'

/** Exact scores of named rows for the float query: query · decode(row), up to the rounding of float32 sums. */
export interface Rescorer {
  /** Bytes of the query in the form the kernel takes. */
  readonly queryBytes: number
  /** Writes the query's form to `queryPtr`, from the float query in a staged row; returns what to add to each score. */
  prepare(stagedRow: number, queryPtr: number): number
  run(queryPtr: number, idsPtr: number, idCount: number, scoresPtr: number): void
}

/** `exactOf`: the query in a staged row as the scan of the same codes made it, where that is known. */
export function openRescorer(store: CodeStore, kind: PrecisionKind, exactOf?: Scan['exactOf']): Rescorer {
  const exact =
    kind === 'floats'
      ? floatRescorer(store)
      : kind === 'bytes'
        ? byteRescorer(store, exactOf)
        : tableRescorer(store, kind, exactOf)
  return store.column(kind).scale === undefined ? exact : scaled(store, kind, exact)
}

/** Copies the float query of a staged row, padded to `rowBytes`, to `queryPtr`. */
export function copyStaged(store: CodeStore, stagedRow: number, rowBytes: number, queryPtr: number): void {
  const from = store.encoder.stagedPtr(stagedRow)
  new Uint8Array(store.workspace.buffer).copyWithin(queryPtr, from, from + rowBytes)
}

/** Bytes of a nibble table of float32: 16 entries for each half byte. */
export function nibbleTableBytes(rowBytes: number): number {
  return 2 * rowBytes * 16 * 4
}

function floatRescorer(store: CodeStore): Rescorer {
  const { kernels } = store.workspace
  const rowBytes = paddedRowBytes('float32', store.dims)
  const codesPtr = store.codesPtr('floats')
  return {
    queryBytes: rowBytes,
    prepare(stagedRow, queryPtr) {
      copyStaged(store, stagedRow, rowBytes, queryPtr)
      return 0
    },
    run: (queryPtr, idsPtr, idCount, scoresPtr) =>
      kernels.dotF32Rows(queryPtr, codesPtr, rowBytes, idsPtr, idCount, scoresPtr),
  }
}

function byteRescorer(store: CodeStore, exactOf: Scan['exactOf']): Rescorer {
  const { kernels, buffer } = store.workspace
  const { precision, book } = store.column('bytes')
  const rowBytes = paddedRowBytes(precision, store.dims)
  const codesPtr = store.codesPtr('bytes')
  const dot = isSigned(precision) ? kernels.dotI8Rows : kernels.dotU8Rows
  return {
    queryBytes: 4 * rowBytes,
    prepare(stagedRow, queryPtr) {
      const known = exactOf?.(stagedRow)
      const { values, constant } =
        known ?? foldQuery(store.encoder.stagedRow(stagedRow), precision, book as Calibration)
      new Float32Array(buffer, queryPtr, rowBytes).fill(0).set(values)
      return constant
    },
    run: (queryPtr, idsPtr, idCount, scoresPtr) => dot(queryPtr, codesPtr, rowBytes, idsPtr, idCount, scoresPtr),
  }
}

/** A table of 256 entries a byte is worth its making, of `rowBytes` KiB, from so many rows on. */
const MANY_ROWS = 1024

/** Bits, 2-bit codes, int4: sums over the tables of nibbles, or of bytes for many rows. */
function tableRescorer(store: CodeStore, kind: PrecisionKind, exactOf: Scan['exactOf']): Rescorer {
  const { kernels, buffer } = store.workspace
  const column = store.column(kind)
  const rowBytes = paddedRowBytes(column.precision, store.dims)
  const codesPtr = store.codesPtr(kind)
  const tableBytes = 1024 * rowBytes
  let isExpanded = false
  return {
    queryBytes: tableBytes + nibbleTableBytes(rowBytes),
    prepare(stagedRow, queryPtr) {
      const nibbles = new Float32Array(buffer, queryPtr + tableBytes, 32 * rowBytes)
      const known = exactOf?.(stagedRow)
      if (known === undefined) fillNibbleTable(store.encoder.stagedRow(stagedRow), column, nibbles)
      else nibbles.set(known.values)
      isExpanded = false
      return 0
    },
    run(queryPtr, idsPtr, idCount, scoresPtr) {
      const nibblesPtr = queryPtr + tableBytes
      if (!isExpanded && idCount < MANY_ROWS) {
        kernels.dotNibblesRows(nibblesPtr, codesPtr, rowBytes, idsPtr, idCount, scoresPtr)
        return
      }
      if (!isExpanded) kernels.expandTable(nibblesPtr, rowBytes, queryPtr)
      isExpanded = true
      kernels.dotTableRows(queryPtr, codesPtr, rowBytes, idsPtr, idCount, scoresPtr)
    },
  }
}

/** Multiplies each score by the factor of its row; the constant belongs to the decoded row, so it comes before. */
function scaled(store: CodeStore, kind: PrecisionKind, exact: Rescorer): Rescorer {
  let constant = 0
  return {
    queryBytes: exact.queryBytes,
    prepare(stagedRow, queryPtr) {
      constant = exact.prepare(stagedRow, queryPtr)
      return 0
    },
    run(queryPtr, idsPtr, idCount, scoresPtr) {
      exact.run(queryPtr, idsPtr, idCount, scoresPtr)
      const { buffer } = store.workspace
      const ids = new Uint32Array(buffer, idsPtr, idCount)
      const scores = new Float32Array(buffer, scoresPtr, idCount)
      const scales = store.scales(store.column(kind))!
      for (let i = 0; i < idCount; i++) scores[i] = (scores[i]! + constant) * scales[ids[i]!]!
    },
  }
}
