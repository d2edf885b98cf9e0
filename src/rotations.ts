/**
 * Orthogonal maps for embeddings: made from a seed or from a sample, saved, and handed to an index.
 *
 * @module packvec/rotations
 */

export type { RunOptions } from './base/steps.js'
export { type ItqOptions, itqRotation, itqRotationAsync } from './transform/fit/itq.js'
export { Moments, type MomentsTensors } from './transform/fit/moments.js'
export { randomRotation, type SeedOptions } from './transform/fit/random-rotation.js'
export { singularValues } from './transform/fit/singular-values.js'
export { type CenterOptions, eigenvalues, type SvdOptions, svdRotation, svdRotationAsync } from './transform/fit/svd.js'
export type { RotatedEmbeddings } from './transform/rotation.js'
export { Rotation, type RotationFacts, type RotationKind, type RotationTensors } from './transform/rotation.js'
