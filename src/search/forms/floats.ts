import { dotScratchBytes } from '../../kernels/scratch-sizes.js'
import { copyStaged, runKernel, type SearchForm } from './form.js'

/** float32: dot products, whatever the scoring. */
export const floatForm: SearchForm = {
  usualScoring: 'asymmetric',
  symmetricScore: 'float',
  isOneScoring: true,
  openScan(store, column) {
    const { stride } = column
    return {
      codesPtr: column.codesPtr,
      rowBytes: stride,
      factorsPtr: 0,
      formBytes: stride,
      queryBytes: stride,
      rounded: undefined,
      scoreType: 'float',
      scratchBytes: dotScratchBytes,
      begin: () => {},
      prepare: (stagedRow, queryPtr) => copyStaged(store, stagedRow, stride, queryPtr),
      run: runKernel(store.workspace.kernels.dotF32TopK, stride),
    }
  },
  openRescorer(store, { stride, codesPtr }) {
    const { kernels } = store.workspace
    return {
      queryBytes: stride,
      prepare(stagedRow, queryPtr) {
        copyStaged(store, stagedRow, stride, queryPtr)
        return 0
      },
      run: (queryPtr, idsPtr, idCount, scoresPtr) =>
        kernels.dotF32Rows(queryPtr, codesPtr, stride, idsPtr, idCount, scoresPtr),
    }
  },
}
