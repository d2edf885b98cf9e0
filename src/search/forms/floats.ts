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
      usesFactors: false,
      formBytes: stride,
      queryBytes: stride,
      rounded: undefined,
      scoreType: 'float',
      scratchBytes: dotScratchBytes,
      begin: () => {},
      prepare: (stagedRow, queryPtr) => copyStaged(store, stagedRow, stride, queryPtr),
      run: (...args) => runKernel(store.workspace.kernels.dotF32TopK, stride)(...args),
    }
  },
  openRescorer(store, column) {
    const { stride } = column
    return {
      queryBytes: stride,
      prepare(stagedRow, queryPtr) {
        copyStaged(store, stagedRow, stride, queryPtr)
        return 0
      },
      run: (queryPtr, idsPtr, idCount, scoresPtr) =>
        store.workspace.kernels.dotF32Rows(queryPtr, column.codesPtr, stride, idsPtr, idCount, scoresPtr),
    }
  },
}
