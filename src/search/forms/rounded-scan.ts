import type { BoundKernel } from '../../kernels/search-kernels.js'
import type { CodeStore, StoredColumn } from '../code-store.js'
import type { ExactQuery, RoundedScan, Scan } from './form.js'
import { type Rounding, writeBound } from './rounding.js'

/** A query's form, written: `constant` is added to its sums, in the units of scores, before they are multiplied by factors. */
interface Form extends ExactQuery {
  readonly rounding: Rounding
}

/** Bytes of a query's record beside its form. */
const BOUND_BYTES = 16

/** A scan whose queries are rounded: its candidates are to be scored exactly. */
export function roundedScan(
  store: CodeStore,
  column: StoredColumn,
  kernel: 'scanTableTopK' | 'dotI8TopK' | 'dotU8TopK',
  parts: Pick<Scan, 'formBytes' | 'scratchBytes'> &
    Omit<RoundedScan, 'rounding'> & { prepare(stagedRow: number, queryPtr: number): Form },
): Scan {
  const { formBytes, scratchBytes, margin, candidates, learn } = parts
  const { stride } = column
  const usesFactors = column.factorsPtr !== 0
  const forms: Form[] = []
  return {
    usesFactors,
    formBytes,
    queryBytes: formBytes + BOUND_BYTES,
    exactOf: (stagedRow) => (stagedRow === forms.length - 1 ? forms.at(-1) : undefined),
    rounded: { margin, candidates, learn, rounding: (row) => forms[row]!.rounding },
    scoreType: usesFactors ? 'float' : 'integer',
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
      const topK: BoundKernel = store.workspace.kernels[kernel]
      topK(
        ...([queriesPtr, queryCount, codesPtr, rowCount, stride, k, scratchPtr, idsPtr, scoresPtr] as const),
        ...([allowedPtr, factorsPtr, boundsPtr] as const),
      )
    },
  }
}
