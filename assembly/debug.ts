// The build with assertions. It also tells the sizes that `src/kernels/scratch-sizes.ts` has to agree with: a test compares them.

export { heapBytes } from './heap'
export * from './index'
export { TILE_ROWS } from './lanes'
export { nearestBytes } from './select'
export { preparedBytes } from './table-query'
export { COLUMN_BYTES } from './table-scan'
