import type { RowEncoder } from '../../codes/code.js'
import type { Levels } from '../../codes/levels.js'
import { dotScratchBytes } from '../../kernels/scratch-sizes.js'
import type { CodeStore, StoredColumn } from '../code-store.js'
import type { Scan } from './form.js'
import { levelTerms } from './level-terms.js'
import { tableForm } from './table-form.js'

/** 2-bit codes. */
export const pairForm = /* @__PURE__ */ tableForm(
  { bits: 2, width: 0.05, terms: levelTerms },
  { usualScoring: 'asymmetric', symmetricScore: 'integer' },
  pairScan,
)

/** 2-bit codes with 2-bit codes, by popcounts: the dot of their centred values, -1 0 1 or -3 -1 1 3. */
function pairScan(store: CodeStore, stored: StoredColumn): Scan {
  const { column, stride } = stored
  let encode: RowEncoder | undefined
  const isThree = (column.book as Levels).table.length === 3
  // Twice the centre, as the kernel takes it: 0 1 2 count as -2 0 2, and 0 1 2 3 as -3 -1 1 3.
  const centre = isThree ? 2 : 3
  return {
    usesFactors: false,
    formBytes: stride,
    queryBytes: stride,
    rounded: undefined,
    scoreType: 'integer',
    scoreUnit: isThree ? 4 : 1,
    scratchBytes: dotScratchBytes,
    begin() {
      encode = store.openEncoder(column.precision).encode
    },
    prepare: (stagedRow, queryPtr) => encode!(stagedRow, 1, queryPtr),
    prepareCodes: (codes, queryPtr) => new Uint8Array(store.workspace.buffer, queryPtr, stride).fill(0).set(codes),
    run: ({ codesPtr, rowCount, allowedPtr }, queriesPtr, queryCount, k, scratchPtr, idsPtr, scoresPtr) =>
      store.workspace.kernels.dotPairsTopK(
        ...([queriesPtr, queryCount, codesPtr, rowCount, stride, k, centre, store.dims] as const),
        ...([scratchPtr, idsPtr, scoresPtr, allowedPtr] as const),
      ),
  }
}
