import { popcountForm } from '../../kernels/popcount.js'
import { hammingScratchBytes } from '../../kernels/scratch-sizes.js'
import type { CodeStore, StoredColumn } from '../code-store.js'
import { runKernel, type Scan } from './form.js'
import { type NibbleCodes, tableForm } from './table-form.js'

/**
 * Bits add the query where they are set, as sentence-transformers rescores them; with a factor per row, which needs the decoded
 * vector itself, they are +1 and -1.
 */
const codes: NibbleCodes = {
  bits: 1,
  width: 0.042,
  terms: ({ factorsPtr }) =>
    factorsPtr === 0
      ? (value, _d, terms) => {
          terms[0] = 0
          terms[1] = value
        }
      : (value, _d, terms) => {
          terms[0] = -value
          terms[1] = value
        },
}

/** Bits with bits: the Hamming distance. */
export const bitForm = /* @__PURE__ */ tableForm(
  codes,
  { usualScoring: 'symmetric', symmetricScore: 'distance' },
  hammingScan,
)

function hammingScan(store: CodeStore, column: StoredColumn): Scan {
  const { stride } = column
  return {
    usesFactors: false,
    formBytes: stride,
    queryBytes: stride,
    rounded: undefined,
    scoreType: 'distance',
    scratchBytes: (queryCount, k) => hammingScratchBytes(queryCount, k, stride),
    begin: () => {},
    prepare: (stagedRow, queryPtr) =>
      store.workspace.kernels.packBits(store.encoder.stagedPtr(stagedRow), queryPtr, stride),
    prepareCodes: (codes, queryPtr) => new Uint8Array(store.workspace.buffer, queryPtr, stride).fill(0).set(codes),
    run(rows, queriesPtr, queryCount, k, scratchPtr, idsPtr, scoresPtr) {
      const { kernels, backend } = store.workspace
      const topK = { i64: kernels.hammingTopK, i8x16: kernels.hammingTopKLanes }
      // The twins are one. Otherwise the forms are tried on the first query and rows, where the answer goes anyway.
      const form =
        backend === 'typescript'
          ? 'i64'
          : popcountForm(stride, store.size, (form, count) =>
              topK[form](queriesPtr, 1, column.codesPtr, count, stride, 1, scratchPtr, idsPtr, scoresPtr),
            )
      runKernel(topK[form], stride)(rows, queriesPtr, queryCount, k, scratchPtr, idsPtr, scoresPtr)
    },
  }
}
