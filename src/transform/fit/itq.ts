import { checkCount } from '../../base/check.js'
import { checkOptions, type OptionChecks } from '../../base/options.js'
import { partOf, RUN_CHECKS, type RunOptions, runSteps, runStepsAsync, type Steps } from '../../base/steps.js'
import { planRegions, roundUp } from '../../kernels/regions.js'
import { rotateScratchBytes } from '../../kernels/rotate-kernels.js'
import { openWorkspace, type Workspace } from '../../kernels/workspace.js'
import { type Embeddings, readRows } from '../../rows/matrix.js'
import { Rotation } from '../rotation.js'
import { sampleRows } from './moments.js'
import { PolarSolver } from './polar.js'
import { randomOrthogonal, SEED_CHECKS, type SeedOptions } from './random-rotation.js'

export interface ItqOptions extends SeedOptions, RunOptions {
  /** Rounds of the alternation; it ends early when no sign changes. Default 50. */
  readonly iterations?: number | undefined
}

const ITQ_CHECKS: OptionChecks<ItqOptions> = { ...SEED_CHECKS, ...RUN_CHECKS, iterations: true }

/** Rows whose products with their signs are summed in float32 before they are added in float64. */
const CHUNK_ROWS = 512

/**
 * How much the rotation before counts in the next one, as a share of the root mean square of the singular values of X^T B:
 * it decides in directions where the sample has no energy, and keeps X^T B of full rank.
 */
const INERTIA = 1e-3

/**
 * Iterative quantization (Gong & Lazebnik, CVPR 2011): the rotation R for which the rows of X R lie near the corners of a
 * cube, so that their signs lose little. It alternates B = sign(X R) and the orthogonal Procrustes problem
 * R = argmin |B - X R|, which is the orthogonal polar factor of X^T B.
 *
 * The paper starts from the singular basis times a random rotation. Where no dimension is dropped that product is
 * itself uniformly random, so this starts from `randomRotation(dims, { seed })` and decomposes nothing. Signs are cut at
 * zero, so the sample is not centred. Time O(iterations · (rows · dims^2 + dims^3)): a few thousand rows are enough.
 * @param sample rows x dims
 * @throws PackvecError EMPTY, NOT_FINITE, INVALID_ARGUMENT, and those of the shape; what `signal` was aborted with
 */
export function itqRotation(sample: Embeddings, options?: ItqOptions): Rotation {
  const checked = checkOptions(options, ITQ_CHECKS)
  return runSteps(itqSteps(sample, checked), checked)
}

/** `itqRotation` in steps of some milliseconds, with breaks for other work on the thread. */
export async function itqRotationAsync(sample: Embeddings, options?: ItqOptions): Promise<Rotation> {
  const checked = checkOptions(options, ITQ_CHECKS)
  return runStepsAsync(itqSteps(sample, checked), checked)
}

function* itqSteps(sample: Embeddings, options: ItqOptions): Steps<Rotation> {
  const iterations = checkCount(options.iterations ?? 50, 'iterations', 0)
  const { seed = 0 } = options
  const { values, dims } = readRows([sampleRows(sample)], 'sample')
  let rotation = randomOrthogonal(dims, seed)
  const signs = new SignProducts(values, dims)
  const solver = new PolarSolver(dims)
  for (let i = 0; i < iterations; i++) {
    const from = i / iterations
    const halfway = (i + 0.5) / iterations
    const { products, changed } = yield* partOf(signs.steps(rotation), from, halfway)
    const norm = Math.sqrt(products.reduce((sum, x) => sum + x * x, 0))
    if (changed === 0 || norm === 0) break
    const inertia = (INERTIA * norm) / Math.sqrt(dims)
    rotation = yield* partOf(
      solver.steps(products.map((x, at) => x + inertia * rotation[at]!)),
      halfway,
      (i + 1) / iterations,
    )
  }
  yield 1
  return Rotation.fromMatrix(Float32Array.from(rotation), dims, 'itq', seed)
}

/** X^T sign(X R) for one sample and many rotations. */
class SignProducts {
  readonly #values: Float32Array
  readonly #dims: number
  /** Floats of a padded row. */
  readonly #stride: number
  readonly #at: ReturnType<typeof planSignRegions>
  readonly #workspace: Workspace
  /** Signs of the round before, a byte each. */
  readonly #before: Int8Array

  constructor(values: Float32Array, dims: number) {
    this.#values = values
    this.#dims = dims
    this.#stride = roundUp(dims, 16)
    this.#at = planSignRegions(dims, this.#stride)
    this.#workspace = openWorkspace(this.#at.end)
    this.#before = new Int8Array(values.length)
  }

  /** dims x dims, and how many signs are not those of the call before. */
  *steps(rotation: Float64Array): Steps<{ products: Float64Array; changed: number }> {
    const dims = this.#dims
    const stride = this.#stride
    const rows = this.#values.length / dims
    const { matrix, out } = this.#at
    const products = new Float64Array(dims * dims)
    const loaded = this.#floats(matrix, stride * stride)
    for (let i = 0; i < dims; i++) loaded.set(rotation.subarray(i * dims, (i + 1) * dims), i * stride)
    let changed = 0
    for (let first = 0; first < rows; first += CHUNK_ROWS) {
      changed += this.#chunk(first, Math.min(CHUNK_ROWS, rows - first))
      const sums = this.#floats(out, dims * stride)
      for (let i = 0; i < dims; i++) {
        for (let j = 0; j < dims; j++) products[i * dims + j]! += sums[i * stride + j]!
      }
      yield Math.min(1, (first + CHUNK_ROWS) / rows)
    }
    return { products, changed }
  }

  /** Leaves X^T B of some rows in `out`; B stands where X R stood. Returns how many signs changed. */
  #chunk(first: number, count: number): number {
    const dims = this.#dims
    const stride = this.#stride
    const { kernels } = this.#workspace
    const at = this.#at
    const rows = this.#floats(at.rows, CHUNK_ROWS * stride)
    const columns = this.#floats(at.columns, dims * CHUNK_ROWS).fill(0)
    for (let i = 0; i < count; i++) {
      const row = this.#values.subarray((first + i) * dims, (first + i + 1) * dims)
      rows.set(row, i * stride)
      for (let d = 0; d < dims; d++) columns[d * CHUNK_ROWS + i] = row[d]!
    }
    kernels.rotateRows(at.rows, 4 * stride, count, at.matrix, at.signs, 4 * stride, at.scratch)
    const signs = this.#floats(at.signs, CHUNK_ROWS * stride)
    let changed = 0
    for (let i = 0; i < count; i++) {
      for (let d = 0; d < dims; d++) {
        const sign = signs[i * stride + d]! > 0 ? 1 : -1
        const before = (first + i) * dims + d
        if (this.#before[before] !== sign) changed++
        this.#before[before] = sign
        signs[i * stride + d] = sign
      }
    }
    kernels.rotateRows(at.columns, 4 * CHUNK_ROWS, dims, at.signs, at.out, 4 * stride, at.scratch)
    return changed
  }

  #floats(ptr: number, length: number): Float32Array {
    return new Float32Array(this.#workspace.buffer, ptr, length)
  }
}

function planSignRegions(dims: number, stride: number) {
  return planRegions({
    rows: 4 * CHUNK_ROWS * stride,
    columns: 4 * dims * CHUNK_ROWS,
    matrix: 4 * stride * stride,
    signs: 4 * CHUNK_ROWS * stride,
    out: 4 * dims * stride,
    scratch: rotateScratchBytes(4 * Math.max(CHUNK_ROWS, stride)),
  })
}
