import type { Calibration } from '../codes/calibration.js'
import { isSigned, type PrecisionKind, paddedRowBytes } from '../codes/precision.js'
import { dotScratchBytes, tableScratchBytes } from '../kernels/scratch-sizes.js'
import type { BoundKernel } from '../kernels/search-kernels.js'
import type { CodeStore } from './code-store.js'
import { foldQuery, quantizeQuery } from './fold.js'
import { nibbleTableBytes } from './rescorers.js'
import { expectedCandidates, fewCandidates, type Rounding, writeBound } from './rounding.js'
import type { ExactQuery, RoundedScan, Scan } from './scan.js'
import { fillNibbleTable, quantizeTable } from './tables.js'

/** A query's form, written: `constant` is added to its sums, in the units of scores, before they are multiplied by factors. */
interface Form extends ExactQuery {
  readonly rounding: Rounding
}

/** Bytes of a query's record beside its form. */
const BOUND_BYTES = 16

/**
 * How many of the candidates that normal data would need all but a few of the last searches of a store needed: real data need
 * fewer. It decides what a search costs, not what it finds.
 */
const shares = new WeakMap<CodeStore, number>()
/** A search that misses raises the share by so much, as one in 40 may; the others lower it. */
const RAISE = 1.3
const LOWER = RAISE ** (-1 / 39)

/** The float query with codes below 8 bits: byte look-ups in a table of 8-bit sums find candidates for the exact table. */
export function tableScan(store: CodeStore, kind: PrecisionKind): Scan {
  const { kernels, buffer } = store.workspace
  const column = store.column(kind)
  const rowBytes = paddedRowBytes(column.precision, store.dims)
  const table = new Float32Array(nibbleTableBytes(rowBytes) / 4)
  // Half a unit a nibble beside the spread of the scores, of a query with normal values (measured).
  const usualWidth = { bits: 0.042, pairs: 0.05, nibbles: 0.06 }[kind as 'bits'] * Math.sqrt(2 * rowBytes)
  const candidates = (k: number, rows: number) => {
    const expected = expectedCandidates(k, rows, usualWidth) * (shares.get(store) ?? 1)
    return Math.max(fewCandidates(k), Math.ceil(expected * (1 + 2 / Math.sqrt(Math.max(k, 1)))))
  }
  return roundedScan(store, kind, kernels.scanTableTopK, {
    formBytes: table.length,
    scratchBytes: (queryCount, k) => tableScratchBytes(queryCount, k, rowBytes),
    margin: (k) => (column.scale === undefined ? k : 3 * k) + 64,
    candidates,
    learn(k, rows, needed) {
      const share = (shares.get(store) ?? 1) * (needed > candidates(k, rows) ? RAISE : LOWER)
      shares.set(store, Math.max(0.01, Math.min(share, 1.5)))
    },
    prepare(stagedRow, queryPtr) {
      fillNibbleTable(store.encoder.stagedRow(stagedRow), column, table)
      const rounding = quantizeTable(table, new Uint8Array(buffer, queryPtr, table.length))
      return { rounding, values: table, constant: 0 }
    },
  })
}

/** The folded query, in int16, with 8-bit codes. */
export function foldedScan(store: CodeStore): Scan {
  const { kernels, buffer } = store.workspace
  const { precision, book } = store.column('bytes')
  const rowBytes = paddedRowBytes(precision, store.dims)
  return roundedScan(store, 'bytes', isSigned(precision) ? kernels.dotI8TopK : kernels.dotU8TopK, {
    formBytes: 2 * rowBytes,
    scratchBytes: dotScratchBytes,
    margin: () => 32,
    // The rounding is a thousandth of the spread.
    candidates: (k) => Math.ceil(1.25 * k) + 32,
    learn() {},
    prepare(stagedRow, queryPtr) {
      const { values, constant } = foldQuery(store.encoder.stagedRow(stagedRow), precision, book as Calibration)
      const target = new Int16Array(buffer, queryPtr, rowBytes).fill(0)
      return { rounding: quantizeQuery(values, precision, target), values, constant }
    },
  })
}

function roundedScan(
  store: CodeStore,
  kind: PrecisionKind,
  topK: BoundKernel,
  parts: Pick<Scan, 'formBytes' | 'scratchBytes'> &
    Omit<RoundedScan, 'rounding'> & { prepare(stagedRow: number, queryPtr: number): Form },
): Scan {
  const { formBytes, scratchBytes, margin, candidates, learn } = parts
  const rowBytes = paddedRowBytes(store.column(kind).precision, store.dims)
  const factorsPtr = store.scalesPtr(kind)
  const forms: Form[] = []
  return {
    codesPtr: store.codesPtr(kind),
    rowBytes,
    factorsPtr,
    formBytes,
    queryBytes: formBytes + BOUND_BYTES,
    exactOf: (stagedRow) => (stagedRow === forms.length - 1 ? forms.at(-1) : undefined),
    rounded: { margin, candidates, learn, rounding: (row) => forms[row]!.rounding },
    scoreType: factorsPtr === 0 ? 'integer' : 'float',
    scratchBytes,
    begin() {
      forms.length = 0
    },
    prepare(stagedRow, queryPtr) {
      forms[stagedRow] = parts.prepare(stagedRow, queryPtr)
    },
    run({ codesPtr, rowCount, allowedPtr, factorsPtr }, queriesPtr, queryCount, k, scratchPtr, idsPtr, scoresPtr) {
      const boundsPtr = queriesPtr + queryCount * formBytes
      if (factorsPtr !== 0) {
        for (let i = 0; i < queryCount; i++) {
          const record = new Float32Array(store.workspace.buffer, boundsPtr + BOUND_BYTES * i, 4)
          writeBound(forms[i]!.rounding, forms[i]!.constant, record)
        }
      }
      topK(
        ...([queriesPtr, queryCount, codesPtr, rowCount, rowBytes, k, scratchPtr, idsPtr, scoresPtr] as const),
        ...([allowedPtr, factorsPtr, boundsPtr] as const),
      )
    },
  }
}
