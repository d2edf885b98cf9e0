/**
 * Files in Node: `.npy`, FAISS flat indexes, indexes of packvec.
 *
 * @module packvec/node
 */

export { buildIndex } from './builder/build.js'
export { appendToIndex, compactIndex, deleteFromIndex } from './builder/edit.js'
export { IndexBuilder } from './builder/index-builder.js'
export type {
  AppendOptions,
  Batch,
  BatchIds,
  BuildIndexOptions,
  DeleteOptions,
  Ids,
  RotationRequest,
  RowsInput,
  WorkOptions,
  WriteOptions,
} from './builder/options.js'
export type { BuildProgress, ProgressListener } from './builder/progress.js'
export { type IndexSummary, verifyIndex } from './builder/verify.js'
export { readFaiss, readNpy, writeFaiss, writeNpy } from './files/array-files.js'
export { writeFileAtomic } from './files/atomic-file.js'
export type { FaissArray, FaissKind } from './formats/faiss.js'
export type { FaissShape } from './formats/faiss-header.js'
export type { NpyArray, NpyData, NpyDtype } from './formats/npy.js'
export { loadIndex, saveIndex } from './index-file/save-index.js'
export type { Id } from './rows/ids.js'
