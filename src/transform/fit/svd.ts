import { checkBoolean, isInstance } from '../../base/check.js'
import { checkOptions, type OptionChecks } from '../../base/options.js'
import { partOf, RUN_CHECKS, type RunOptions, runSteps, runStepsAsync, type Steps } from '../../base/steps.js'
import { openLinear } from '../../kernels/linear.js'
import { eigenScratchBytes, paddedF64 } from '../../kernels/linear-kernels.js'
import { planRegions } from '../../kernels/regions.js'
import type { Embeddings } from '../../rows/matrix.js'
import { Rotation } from '../rotation.js'
import { eigenSteps, type SymmetricEigen } from './eigen.js'
import { Moments, sampleRows } from './moments.js'

/** Where the moments of a sample are taken about. */
export interface CenterOptions {
  /** Takes the moments about the mean of the sample (principal components) instead of about zero. Default false. */
  readonly center?: boolean | undefined
}

export interface SvdOptions extends CenterOptions, RunOptions {}

export const CENTER_CHECKS: OptionChecks<CenterOptions> = { center: checkBoolean }
const SVD_CHECKS: OptionChecks<SvdOptions> = { ...CENTER_CHECKS, ...RUN_CHECKS }

/** Rows whose moments take as long as one dimension of the decomposition: measured at 384 and 1,024 dims. */
const ROWS_PER_DIM = 6

/**
 * The singular basis of a sample: x' = x @ V for X = U S V^T with embeddings as rows (U^T x where embeddings are
 * columns). Energy is gathered in the first dimensions, in falling order; the first component of largest magnitude of each
 * singular vector is positive, so the same sample gives the same bits everywhere. V comes from the eigenvectors of X^T X in
 * float64 (`eigen.ts`): time O(rows · dims^2 + dims^3), memory O(dims^2).
 *
 * Fewer rows than dims, rank-deficient and constant samples work: `rank` of the result counts the directions that have
 * energy above the rounding of X^T X, so with a singular value above 1.5e-8 · sqrt(dims) times the norm of X.
 * @param sample rows x dims, or moments gathered in passes
 * @throws PackvecError EMPTY, NOT_FINITE, and those of the shape; what `signal` was aborted with
 */
export function svdRotation(sample: Embeddings | Moments, options?: SvdOptions): Rotation {
  const checked = checkOptions(options, SVD_CHECKS)
  return runSteps(svdSteps(sample, checked), checked)
}

/** `svdRotation` in steps of some milliseconds, with breaks for other work on the thread. */
export async function svdRotationAsync(sample: Embeddings | Moments, options?: SvdOptions): Promise<Rotation> {
  const checked = checkOptions(options, SVD_CHECKS)
  return runStepsAsync(svdSteps(sample, checked), checked)
}

/**
 * Eigenvalues of X^T X / rows, largest first, `dims` of them: the mean square of the sample along each singular vector, its
 * variance with `center`. What is zero comes out within rounding of the largest, never negative.
 * @throws PackvecError EMPTY, NOT_FINITE, and those of the shape
 */
export function eigenvalues(sample: Embeddings | Moments, options?: CenterOptions): Float64Array {
  const checked = checkOptions(options, CENTER_CHECKS)
  const moments = isInstance(sample, Moments) ? sample : Moments.from(sample)
  const { values } = runSteps(symmetricEigenSteps(moments.products(checked), moments.dims), {})
  return values.map((value) => Math.max(0, value) / moments.rows)
}

function* svdSteps(sample: Embeddings | Moments, { center }: CenterOptions): Steps<Rotation> {
  let moments: Moments
  let gathered = 0
  if (isInstance(sample, Moments)) moments = sample
  else {
    const source = sampleRows(sample)
    gathered = source.rows / (source.rows + ROWS_PER_DIM * source.dims)
    moments = yield* partOf(Moments.steps(source), 0, gathered)
  }
  const { dims, rows } = moments
  const { values, vectors } = yield* partOf(symmetricEigenSteps(moments.products({ center }), dims), gathered, 1)
  const matrix = new Float32Array(dims * dims)
  for (let i = 0; i < dims; i++) {
    for (let d = 0; d < dims; d++) matrix[d * dims + i] = vectors[i * dims + d]!
  }
  // The rounding of the products is relative to their sums, even after the mean was subtracted.
  const negligible = Number.EPSILON * Math.max(8, dims) * trace(moments.products(), dims)
  const found = values.reduce((count, value) => count + (value > negligible ? 1 : 0), 0)
  return Rotation.fromMatrix(matrix, dims, 'svd', undefined, {
    rank: Math.min(found, center ? rows - 1 : rows),
    centre: center ? Float32Array.from(moments.mean) : undefined,
  })
}

/** Eigenvalues and eigenvectors of a symmetric matrix (dims x dims) in a memory of their own. */
export function* symmetricEigenSteps(matrix: Float64Array, dims: number): Steps<SymmetricEigen> {
  const regions = planRegions(eigenScratchBytes(dims))
  const { kernels, buffer } = openLinear(regions.end)
  const stride = paddedF64(dims)
  const target = new Float64Array(buffer, regions.matrix, stride * dims)
  for (let i = 0; i < dims; i++) target.set(matrix.subarray(i * dims, (i + 1) * dims), i * stride)
  return yield* eigenSteps(kernels, buffer, regions, dims)
}

function trace(matrix: Float64Array, dims: number): number {
  let sum = 0
  for (let i = 0; i < dims; i++) sum += matrix[i * (dims + 1)]!
  return sum
}
