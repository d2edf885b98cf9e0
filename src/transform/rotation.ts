import { checkCount, checkOneOf, describe, fail, reading } from '../base/check.js'
import { MAX_DIMS } from '../base/max-dims.js'
import { checkOptions } from '../base/options.js'
import { checkSeed } from '../base/random.js'
import { checkOwn, OWN, showAs } from '../base/shown.js'
import { stagedRowBytes } from '../codes/encoder.js'
import type { Workspace } from '../kernels/workspace.js'
import { arrayType, type Embeddings } from '../rows/matrix.js'
import { denseSizes, openDense } from './dense-rotation.js'
import { type HadamardPlan, hadamardSizes, openHadamard, planHadamard } from './hadamard.js'
import { checkProducts, checkSampled } from './orthogonality.js'
import {
  type OpenRotation,
  type Rotatable,
  type RotationRegion,
  type RotationRegions,
  rotateAll,
} from './rotate-all.js'

/** How a rotation was made: singular vectors, seeded Hadamard, seeded random, or iterative quantization. */
export type RotationKind = 'svd' | 'hadamard' | 'random' | 'itq'

export const ROTATION_KINDS: readonly RotationKind[] = ['svd', 'hadamard', 'random', 'itq']

/** A rotation as it is saved: a few facts and, but for hadamard, its matrix. */
export interface RotationTensors {
  readonly kind: RotationKind
  readonly dims: number
  readonly seed: number | undefined
  readonly rank: number | undefined
  /** dims x dims; undefined for hadamard, which its seed gives again. */
  readonly matrix: Float32Array | undefined
  readonly centre: Float32Array | undefined
}

/** What was learnt of the sample that a rotation was made from. */
export interface RotationFacts {
  /** Directions in which the sample has any energy, as far as float64 moments tell. */
  readonly rank?: number | undefined
  /** Mean of the sample, if its moments were taken about the mean. */
  readonly centre?: Float32Array | undefined
}

/** Embeddings after a rotation: `rows` rows of `dims` float32, one after the other. */
export interface RotatedEmbeddings {
  readonly data: Float32Array<ArrayBuffer>
  readonly rows: number
  readonly dims: number
}

/**
 * An orthogonal map of embeddings, x' = x @ matrix: it keeps dot products, and so every exact ranking, but not what
 * quantization loses. The same rotation gives the same bits in wasm and in TypeScript, on every host.
 */
export class Rotation {
  readonly kind: RotationKind
  readonly dims: number
  /** Seed of 'hadamard', 'random' and 'itq'. */
  readonly seed: number | undefined
  /** Rank of the sample of 'svd'. */
  readonly rank: number | undefined
  readonly #centre: Float32Array | undefined
  readonly #source: Float32Array | HadamardPlan
  readonly #rotatable: Rotatable

  private constructor(
    own: object,
    kind: RotationKind,
    dims: number,
    seed: number | undefined,
    source: Float32Array | HadamardPlan,
    facts: RotationFacts = {},
  ) {
    checkOwn(own, 'Rotation', 'Rotation.hadamard(dims) or Rotation.fromMatrix(matrix, dims, kind)')
    showAs(this, 'Rotation', 'kind dims seed rank')
    this.kind = kind
    this.dims = dims
    this.seed = seed
    this.rank = facts.rank
    this.#centre = facts.centre?.slice()
    this.#source = source
    this.#rotatable = {
      dims,
      sizes: (rows) => Rotation.sizes(dims, kind, rows),
      open: (workspace, regions, inverse) => this.open(workspace, regions, inverse),
    }
  }

  /**
   * Seeded random signs and fast Walsh-Hadamard transforms, two rounds over windows of a power of two (see `hadamard.ts`):
   * any dims, O(dims log dims) per row, nothing to store but the seed (default 0). Ailon & Chazelle 2009; two rounds as
   * in Andoni et al. 2015.
   * @throws PackvecError INVALID_ARGUMENT or TOO_LARGE
   */
  static hadamard(dims: number, options?: { readonly seed?: number | undefined }): Rotation {
    const { seed = 0 } = checkOptions(options, { seed: checkSeed })
    checkDims(dims)
    return new Rotation(OWN, 'hadamard', dims, seed, planHadamard(dims, seed))
  }

  /**
   * A rotation from its matrix, dims x dims, row by row: row i is where axis i goes. The matrix is copied.
   * @throws PackvecError INVALID_ARGUMENT when the matrix is not orthogonal to 1e-5 or has another size, NOT_FINITE
   */
  static fromMatrix(
    matrix: Float32Array,
    dims: number,
    kind: Exclude<RotationKind, 'hadamard'>,
    seed?: number,
    facts: RotationFacts = {},
  ): Rotation {
    const rotation = reading('matrix', () => Rotation.#dense(copyOf(matrix), dims, kind, seed, facts))
    const copy = rotation.#source as Float32Array
    // The inverse multiplies by M transposed: row by row, M M^T.
    const { data } = rotateAll(rotation.#rotatable, { data: matrix, dims: [dims, dims] }, 'matrix', true)
    checkProducts(copy, data, dims)
    return rotation
  }

  /** Reads what `toTensors` gave. @throws PackvecError as `hadamard` and `fromMatrix` do */
  static fromTensors(saved: RotationTensors): Rotation {
    return reading('rotation', () => {
      const { kind, dims, seed, matrix, rank, centre } = (saved ?? {}) as RotationTensors
      if (kind === 'hadamard') return Rotation.hadamard(dims, { seed })
      return Rotation.fromMatrix(matrix as Float32Array, dims, kind, seed, { rank, centre })
    })
  }

  /**
   * `fromTensors` where the bytes of the matrix were checked by their sum: it is kept, not copied, and not all of it is looked
   * at. @internal
   */
  static fromSealed(saved: RotationTensors): Rotation {
    if (saved.kind === 'hadamard') return Rotation.fromTensors(saved)
    const { dims, kind, seed } = saved
    const matrix = saved.matrix as Float32Array
    const rotation = Rotation.#dense(matrix, dims, kind, seed, saved)
    checkSampled(matrix, dims)
    return rotation
  }

  static #dense(
    matrix: Float32Array,
    dims: number,
    kind: Exclude<RotationKind, 'hadamard'>,
    seed: number | undefined,
    facts: RotationFacts,
  ): Rotation {
    checkDims(dims)
    checkOneOf(kind, ['svd', 'random', 'itq'], 'kind')
    if (seed !== undefined) checkSeed(seed)
    if (arrayType(matrix) !== 'Float32Array' || matrix.length !== dims * dims) {
      fail('INVALID_ARGUMENT', 'matrix', `a Float32Array of ${dims} x ${dims} values`, describe(matrix))
    }
    checkFacts(facts, dims)
    return new Rotation(OWN, kind, dims, seed, matrix, facts)
  }

  /** Sizes of the regions that `open` needs, in bytes, where up to `rows` rows are rotated at a time. */
  static sizes(dims: number, kind: RotationKind, rows: number): Record<RotationRegion, number> {
    return kind === 'hadamard' ? hadamardSizes(dims) : denseSizes(stagedRowBytes(dims), rows)
  }

  /** dims x dims, row by row: row i is where axis i goes. A copy; made by rotating the axes for hadamard. */
  get matrix(): Float32Array {
    if (this.#source instanceof Float32Array) return this.#source.slice()
    const axes = new Float32Array(this.dims * this.dims)
    for (let i = 0; i < this.dims; i++) axes[i * (this.dims + 1)] = 1
    return this.apply({ data: axes, dims: [this.dims, this.dims] }).data
  }

  /** Mean of the sample, `dims` values, where 'svd' was asked to centre; `apply` does not subtract it. A copy. */
  get centre(): Float32Array | undefined {
    return this.#centre?.slice()
  }

  /**
   * Rotates embeddings, rows x dims: x @ matrix.
   * @throws PackvecError DIMS_MISMATCH, NOT_FINITE, and those of the shape
   */
  apply(embeddings: Embeddings): RotatedEmbeddings {
    return rotateAll(this.#rotatable, embeddings, 'embeddings', false)
  }

  /** Undoes `apply`: x @ matrix transposed. @throws PackvecError as `apply` does */
  applyInverse(embeddings: Embeddings): RotatedEmbeddings {
    return rotateAll(this.#rotatable, embeddings, 'embeddings', true)
  }

  /** What is saved of a rotation, as copies: see `fromTensors`. */
  toTensors(): RotationTensors {
    const { kind, dims, seed, rank, centre } = this
    return { kind, dims, seed, rank, matrix: kind === 'hadamard' ? undefined : this.matrix, centre }
  }

  /**
   * Loads the rotation, or its inverse, into the regions of `sizes`, to rotate rows of that memory in place.
   * @internal
   */
  open(workspace: Workspace, regions: RotationRegions, inverse = false): OpenRotation {
    const rowBytes = stagedRowBytes(this.dims)
    if (this.#source instanceof Float32Array) {
      return openDense(workspace, regions, this.#source, this.dims, rowBytes, inverse)
    }
    return openHadamard(workspace, regions, this.#source, rowBytes, inverse)
  }
}

function checkDims(dims: number): void {
  checkCount(dims, 'dims')
  if (dims > MAX_DIMS) fail('TOO_LARGE', 'dims', `at most ${MAX_DIMS}`, String(dims))
}

function copyOf(matrix: Float32Array): Float32Array {
  return arrayType(matrix) === 'Float32Array' ? new Float32Array(matrix) : matrix
}

function checkFacts(facts: RotationFacts, dims: number): void {
  const { rank, centre } = (facts ?? {}) as RotationFacts
  if (rank !== undefined) checkCount(rank, 'rank', 0)
  if (centre === undefined) return
  if (arrayType(centre) !== 'Float32Array' || centre.length !== dims) {
    fail('INVALID_ARGUMENT', 'centre', `a Float32Array of ${dims} values`, describe(centre))
  }
  const wrong = centre.findIndex((value) => !Number.isFinite(value))
  if (wrong >= 0) fail('NOT_FINITE', 'centre', 'finite', `${centre[wrong]} at position ${wrong}`)
}
