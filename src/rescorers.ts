import type { Calibration } from './calibration.js'
import type { CodeStore } from './code-store.js'
import { foldQuery } from './fold.js'
import { isSigned, type PrecisionKind, paddedRowBytes } from './precision.js'
import { fillNibbleTable } from './tables.js'

/** Exact scores of named rows for the float query: query · decode(row), up to the rounding of float32 sums. */
export interface Rescorer {
  /** Bytes of the query in the form the kernel takes. */
  readonly queryBytes: number
  /** Writes the query's form to `queryPtr`, from the float query in a staged row; returns what to add to each score. */
  prepare(stagedRow: number, queryPtr: number): number
  run(queryPtr: number, idsPtr: number, idCount: number, scoresPtr: number): void
}

export function openRescorer(store: CodeStore, kind: PrecisionKind): Rescorer {
  const exact =
    kind === 'floats' ? floatRescorer(store) : kind === 'bytes' ? byteRescorer(store) : tableRescorer(store, kind)
  return store.slot(kind).scale === undefined ? exact : scaled(store, kind, exact)
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

function byteRescorer(store: CodeStore): Rescorer {
  const { kernels, buffer } = store.workspace
  const { precision, book } = store.slot('bytes')
  const rowBytes = paddedRowBytes(precision, store.dims)
  const codesPtr = store.codesPtr('bytes')
  const dot = isSigned(precision) ? kernels.dotI8Rows : kernels.dotU8Rows
  return {
    queryBytes: 4 * rowBytes,
    prepare(stagedRow, queryPtr) {
      const { folded, constant } = foldQuery(store.encoder.stagedRow(stagedRow), precision, book as Calibration)
      new Float32Array(buffer, queryPtr, rowBytes).fill(0).set(folded)
      return constant
    },
    run: (queryPtr, idsPtr, idCount, scoresPtr) => dot(queryPtr, codesPtr, rowBytes, idsPtr, idCount, scoresPtr),
  }
}

/** Bits, 2-bit codes, int4: sums over a table of 256 entries a byte. */
function tableRescorer(store: CodeStore, kind: PrecisionKind): Rescorer {
  const { kernels, buffer } = store.workspace
  const slot = store.slot(kind)
  const rowBytes = paddedRowBytes(slot.precision, store.dims)
  const codesPtr = store.codesPtr(kind)
  const tableBytes = 1024 * rowBytes
  return {
    queryBytes: tableBytes + nibbleTableBytes(rowBytes),
    prepare(stagedRow, queryPtr) {
      const nibblesPtr = queryPtr + tableBytes
      const nibbles = new Float32Array(buffer, nibblesPtr, 32 * rowBytes)
      fillNibbleTable(store.encoder.stagedRow(stagedRow), slot, nibbles)
      kernels.expandTable(nibblesPtr, rowBytes, queryPtr)
      return 0
    },
    run: (queryPtr, idsPtr, idCount, scoresPtr) =>
      kernels.dotTableRows(queryPtr, codesPtr, rowBytes, idsPtr, idCount, scoresPtr),
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
      const scales = store.scales(store.slot(kind))!
      for (let i = 0; i < idCount; i++) scores[i] = (scores[i]! + constant) * scales[ids[i]!]!
    },
  }
}
