/**
 * Orthogonal maps for embeddings: made from a seed or from a sample, saved, and handed to an index.
 *
 * @module packvec/rotations
 */

export { type ItqOptions, itqRotation, itqRotationAsync } from './itq.js'
export { Moments, type MomentsTensors } from './moments.js'
export { randomRotation, type SeedOptions } from './random-rotation.js'
export type { RotatedEmbeddings } from './rotation.js'
export { Rotation, type RotationFacts, type RotationKind, type RotationTensors } from './rotation.js'
export type { RunOptions } from './run-steps.js'
export { singularValues } from './singular-values.js'
export { type CenterOptions, eigenvalues, type SvdOptions, svdRotation, svdRotationAsync } from './svd.js'
