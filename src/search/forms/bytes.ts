import type { RowEncoder } from '../../codes/code.js'
import type { Calibration } from '../../codes/ranges.js'
import { dotScratchBytes } from '../../kernels/scratch-sizes.js'
import type { CodeStore, StoredColumn } from '../code-store.js'
import { foldQuery, quantizeQuery } from './fold.js'
import type { Rescorer, Scan, SearchForm } from './form.js'
import { roundedScan } from './rounded-scan.js'

/** 8-bit codes. */
export const byteForm: SearchForm = {
  usualScoring: 'asymmetric',
  symmetricScore: 'integer',
  comparesWithoutBook: true,
  openScan: (store, column, scoring) => (scoring === 'symmetric' ? byteScan(store, column) : foldedScan(store, column)),
  openRescorer: byteRescorer,
}

/** The folded query, in int16, with 8-bit codes. */
function foldedScan(store: CodeStore, stored: StoredColumn): Scan {
  const { column, code, stride } = stored
  const kernel = code.isSigned ? 'dotI8TopK' : 'dotU8TopK'
  return roundedScan(store, stored, kernel, {
    formBytes: 2 * stride,
    scratchBytes: dotScratchBytes,
    margin: () => 32,
    // The rounding is a thousandth of the spread.
    candidates: (k) => Math.ceil(1.25 * k) + 32,
    learn() {},
    prepare(stagedRow, queryPtr) {
      const query = store.encoder.stagedRow(stagedRow)
      const { values, constant } = foldQuery(query, code.isSigned, column.book as Calibration)
      const target = new Int16Array(store.workspace.buffer, queryPtr, stride).fill(0)
      return { rounding: quantizeQuery(values, code.isSigned, target), values, constant }
    },
  })
}

/** A sum of products of bytes may leave an int32 from 33,026 dimensions on: it is then counted from its least value. */
const LOWEST = -(2 ** 31)

/** 8-bit codes with 8-bit codes: the dot of the two. */
function byteScan(store: CodeStore, stored: StoredColumn): Scan {
  const { column, code, stride } = stored
  const { isSigned } = code
  const greatest = store.dims * (isSigned ? 128 ** 2 : 255 ** 2)
  const start = greatest < 2 ** 31 ? 0 : LOWEST
  let encode: RowEncoder | undefined
  const prepareCodes = (codes: Uint8Array, queryPtr: number) =>
    new Int16Array(store.workspace.buffer, queryPtr, stride)
      .fill(0)
      .set(isSigned ? new Int8Array(codes.buffer, codes.byteOffset, codes.length) : codes)
  return {
    usesFactors: false,
    formBytes: 2 * stride,
    queryBytes: 2 * stride,
    rounded: undefined,
    scoreType: 'integer',
    scoreStart: start,
    mayTie: greatest > 2 ** 24,
    scratchBytes: dotScratchBytes,
    begin() {
      encode = store.openEncoder(column.precision).encode
    },
    prepare(stagedRow, queryPtr) {
      // The codes of the query stand in the form's own bytes until they are widened.
      encode!(stagedRow, 1, queryPtr)
      prepareCodes(new Uint8Array(store.workspace.buffer, queryPtr, store.dims).slice(), queryPtr)
    },
    prepareCodes,
    run({ codesPtr, rowCount, allowedPtr }, queriesPtr, queryCount, k, scratchPtr, idsPtr, scoresPtr) {
      const { dotI8TopK, dotU8TopK } = store.workspace.kernels
      const topK = isSigned ? dotI8TopK : dotU8TopK
      topK(
        ...([queriesPtr, queryCount, codesPtr, rowCount, stride, k, scratchPtr, idsPtr, scoresPtr] as const),
        ...([allowedPtr, 0, 0, start] as const),
      )
    },
  }
}

function byteRescorer(store: CodeStore, stored: StoredColumn, exactOf: Scan['exactOf']): Rescorer {
  const { column, code, stride } = stored
  return {
    queryBytes: 4 * stride,
    prepare(stagedRow, queryPtr) {
      const query = () => foldQuery(store.encoder.stagedRow(stagedRow), code.isSigned, column.book as Calibration)
      const { values, constant } = exactOf?.(stagedRow) ?? query()
      new Float32Array(store.workspace.buffer, queryPtr, stride).fill(0).set(values)
      return constant
    },
    run(queryPtr, idsPtr, idCount, scoresPtr) {
      const { dotI8Rows, dotU8Rows } = store.workspace.kernels
      const dot = code.isSigned ? dotI8Rows : dotU8Rows
      dot(queryPtr, stored.codesPtr, stride, idsPtr, idCount, scoresPtr)
    },
  }
}
