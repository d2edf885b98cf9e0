import type { Steps } from '../../base/steps.js'
import { openLinear } from '../../kernels/linear.js'
import {
  type EigenRegion,
  eigenScratchBytes,
  type LinearKernels,
  matrixF64Bytes,
  multiplyScratchBytes,
  paddedF64,
} from '../../kernels/linear-kernels.js'
import { planRegions, type Regions } from '../../kernels/regions.js'
import type { Workspace } from '../../kernels/workspace.js'
import { eigenSteps } from './eigen.js'

type Region = EigenRegion | 'input' | 'square' | 'root' | 'scratch'

/** Polish steps at most: two are usual, each doubles the digits. */
const MAX_POLISH = 40

/**
 * The orthogonal matrix nearest to a square one, which is the orthogonal factor of its polar decomposition C = U P. Its
 * memory is kept from call to call.
 *
 * U = C (C^T C)^(-1/2), by eigenvectors, is right to the squared condition of C; Newton-Schulz steps
 * U <- U (3 - U^T U) / 2 (Higham, Functions of Matrices, 8.3) then take it to float64 rounding.
 */
export class PolarSolver {
  readonly dims: number
  readonly #at: Regions<Region>
  readonly #workspace: Workspace<LinearKernels>

  constructor(dims: number) {
    const square = matrixF64Bytes(dims, dims)
    this.dims = dims
    this.#at = planRegions<Region>({
      ...eigenScratchBytes(dims),
      input: square,
      square,
      root: square,
      scratch: multiplyScratchBytes(dims, dims),
    })
    this.#workspace = openLinear(this.#at.end)
  }

  /** The nearest orthogonal matrix to `input` (dims x dims, of full rank, finite). */
  *steps(input: Float64Array): Steps<Float64Array> {
    const { dims } = this
    const { kernels, buffer } = this.#workspace
    const at = this.#at
    this.#put(at.input, input)
    this.#multiply(at.input, at.input, at.matrix, 1)
    const { values, vectors } = yield* eigenSteps(kernels, buffer, at, dims)
    // V^T diag(1 / sqrt(values)) V, with eigenvectors as the rows of V.
    const least = 1e-15 * values[0]!
    const weighted = vectors.map((x, i) => x / Math.sqrt(Math.max(least, values[Math.floor(i / dims)]!)))
    this.#put(at.matrix, vectors)
    this.#put(at.root, weighted)
    this.#multiply(at.matrix, at.root, at.square, 1)
    this.#multiply(at.input, at.square, at.root, 0)
    for (let i = 0; i < MAX_POLISH; i++) {
      this.#multiply(at.root, at.root, at.square, 1)
      const error = this.#toCorrection(at.square)
      if (error < 1e-14 * dims) break
      this.#multiply(at.root, at.square, at.input, 0)
      new Uint8Array(buffer).copyWithin(at.root, at.input, at.input + matrixF64Bytes(dims, dims))
      // The next error is its square.
      if (error < 1e-8) break
    }
    return this.#get(at.root)
  }

  /** S becomes (3 - S) / 2; returns the largest entry of |S - I|. */
  #toCorrection(ptr: number): number {
    const { dims } = this
    const stride = paddedF64(dims)
    const square = new Float64Array(this.#workspace.buffer, ptr, stride * dims)
    let largest = 0
    for (let i = 0; i < dims; i++) {
      for (let j = 0; j < dims; j++) {
        const excess = square[i * stride + j]! - (i === j ? 1 : 0)
        largest = Math.max(largest, Math.abs(excess))
        square[i * stride + j] = (i === j ? 1 : 0) - excess / 2
      }
    }
    return largest
  }

  #multiply(aPtr: number, bPtr: number, outPtr: number, transposeA: 0 | 1): void {
    const { dims } = this
    this.#workspace.kernels.multiplyF64(aPtr, bPtr, outPtr, dims, dims, dims, transposeA, this.#at.scratch)
  }

  #put(ptr: number, matrix: Float64Array): void {
    const { dims } = this
    const stride = paddedF64(dims)
    const target = new Float64Array(this.#workspace.buffer, ptr, stride * dims)
    for (let i = 0; i < dims; i++) target.set(matrix.subarray(i * dims, (i + 1) * dims), i * stride)
  }

  #get(ptr: number): Float64Array {
    const { dims } = this
    const stride = paddedF64(dims)
    const source = new Float64Array(this.#workspace.buffer, ptr, stride * dims)
    const matrix = new Float64Array(dims * dims)
    for (let i = 0; i < dims; i++) matrix.set(source.subarray(i * stride, i * stride + dims), i * dims)
    return matrix
  }
}
