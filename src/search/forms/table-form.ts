import { tableScratchBytes } from '../../kernels/scratch-sizes.js'
import type { CodeStore, StoredColumn } from '../code-store.js'
import type { Rescorer, Scan, SearchForm } from './form.js'
import { fillNibbleTable, quantizeTable, type WriteTerms } from './nibble-table.js'
import { roundedScan } from './rounded-scan.js'
import { expectedCandidates, fewCandidates } from './rounding.js'

/** Codes below 8 bits, whose float query is a table of 16 sums a nibble. */
export interface NibbleCodes {
  /** Bits of a dimension: 1, 2 or 4. */
  readonly bits: number
  /** Half a unit a nibble beside the spread of the scores, of a query with normal values (measured), for one nibble. */
  readonly width: number
  terms(column: StoredColumn): WriteTerms
}

/**
 * The form of such codes; `symmetricScan` compares codes with codes where the query is not decoded for that. Calls are to be marked
 * as pure, or bundles that only encode would keep the forms.
 */
export function tableForm(
  codes: NibbleCodes,
  traits: Omit<SearchForm, 'openScan' | 'openRescorer'>,
  symmetricScan?: (store: CodeStore, column: StoredColumn) => Scan,
): SearchForm {
  return {
    ...traits,
    openScan: (store, column, scoring) =>
      scoring === 'symmetric' && symmetricScan !== undefined
        ? symmetricScan(store, column)
        : tableScan(store, column, codes),
    openRescorer: (store, column, exactOf) => tableRescorer(store, column, codes, exactOf),
  }
}

/**
 * How many of the candidates that normal data would need all but a few of the last searches of a store needed: real data need
 * fewer. It decides what a search costs, not what it finds.
 */
const shares = new WeakMap<CodeStore, number>()
/** A search that misses raises the share by so much, as one in 40 may; the others lower it. */
const RAISE = 1.3
const LOWER = RAISE ** (-1 / 39)

/** The float query with codes below 8 bits: byte look-ups in a table of 8-bit sums find candidates for the exact table. */
function tableScan(store: CodeStore, column: StoredColumn, codes: NibbleCodes): Scan {
  const { stride, factorsPtr } = column
  const table = new Float32Array(nibbleTableBytes(stride) / 4)
  const usualWidth = codes.width * Math.sqrt(2 * stride)
  const terms = codes.terms(column)
  const candidates = (k: number, rows: number) => {
    const expected = expectedCandidates(k, rows, usualWidth) * (shares.get(store) ?? 1)
    return Math.max(fewCandidates(k), Math.ceil(expected * (1 + 2 / Math.sqrt(Math.max(k, 1)))))
  }
  return roundedScan(store, column, 'scanTableTopK', {
    formBytes: table.length,
    scratchBytes: (queryCount, k) => tableScratchBytes(queryCount, k, stride),
    margin: (k) => (factorsPtr === 0 ? k : 3 * k) + 64,
    candidates,
    learn(k, rows, needed) {
      const share = (shares.get(store) ?? 1) * (needed > candidates(k, rows) ? RAISE : LOWER)
      shares.set(store, Math.max(0.01, Math.min(share, 1.5)))
    },
    prepare(stagedRow, queryPtr) {
      fillNibbleTable(store.encoder.stagedRow(stagedRow), codes.bits, terms, table)
      const rounding = quantizeTable(table, new Uint8Array(store.workspace.buffer, queryPtr, table.length))
      return { rounding, values: table, constant: 0 }
    },
  })
}

/** Bytes of a nibble table of float32: 16 entries for each half byte. */
function nibbleTableBytes(stride: number): number {
  return 2 * stride * 16 * 4
}

/** A table of 256 entries a byte is worth its making, of `stride` KiB, from so many rows on. */
const MANY_ROWS = 1024

/** Sums over the tables of nibbles, or of bytes for many rows. */
function tableRescorer(store: CodeStore, column: StoredColumn, codes: NibbleCodes, exactOf: Scan['exactOf']): Rescorer {
  const { stride } = column
  const terms = codes.terms(column)
  const tableBytes = 1024 * stride
  let isExpanded = false
  return {
    queryBytes: tableBytes + nibbleTableBytes(stride),
    prepare(stagedRow, queryPtr) {
      const nibbles = new Float32Array(store.workspace.buffer, queryPtr + tableBytes, 32 * stride)
      const known = exactOf?.(stagedRow)
      if (known !== undefined) nibbles.set(known.values)
      else fillNibbleTable(store.encoder.stagedRow(stagedRow), codes.bits, terms, nibbles)
      isExpanded = false
      return 0
    },
    run(queryPtr, idsPtr, idCount, scoresPtr) {
      const { kernels } = store.workspace
      const { codesPtr } = column
      const nibblesPtr = queryPtr + tableBytes
      if (!isExpanded && idCount < MANY_ROWS) {
        kernels.dotNibblesRows(nibblesPtr, codesPtr, stride, idsPtr, idCount, scoresPtr)
        return
      }
      if (!isExpanded) kernels.expandTable(nibblesPtr, stride, queryPtr)
      isExpanded = true
      kernels.dotTableRows(queryPtr, codesPtr, stride, idsPtr, idCount, scoresPtr)
    },
  }
}
