import {
  checkBoolean,
  checkCount,
  checkSameDims,
  describe,
  fail,
  failEmpty,
  isInstance,
  reading,
} from '../../base/check.js'
import { MAX_DIMS } from '../../base/max-dims.js'
import { checkOptions } from '../../base/options.js'
import { showAs } from '../../base/shown.js'
import type { Steps } from '../../base/steps.js'
import { openLinear } from '../../kernels/linear.js'
import { type LinearKernels, matrixF64Bytes, momentScratchBytes, paddedF64 } from '../../kernels/linear-kernels.js'
import { planRegions, type Regions, roundUp } from '../../kernels/regions.js'
import type { Workspace } from '../../kernels/workspace.js'
import { type Embeddings, type RowSource, toRows } from '../../rows/matrix.js'

/** Moments as they are saved: sums over the rows, in float64. */
export interface MomentsTensors {
  readonly dims: number
  readonly rows: number
  /** dims: the sum of the rows. */
  readonly sums: Float64Array
  /** dims x dims: X^T X. */
  readonly products: Float64Array
}

type Region = 'moments' | 'sums' | 'staging' | 'scratch'

/** Rows copied in at a time, in bytes. */
const STAGING_BYTES = 262_144

/**
 * First and second moments of embeddings: the sum of the rows and X^T X, in float64. Feed it a sample at once or batch by
 * batch (the bits do not depend on the cuts), merge moments of parts (they agree to rounding). Memory is O(dims^2), however
 * many rows.
 */
export class Moments {
  readonly dims: number
  #rows = 0
  readonly #rowBytes: number
  readonly #chunkRows: number
  readonly #at: Regions<Region>
  readonly #workspace: Workspace<LinearKernels>

  /** Empty moments for embeddings of `dims` dimensions. @throws PackvecError INVALID_ARGUMENT or TOO_LARGE */
  constructor(dims: number) {
    checkDims(dims)
    showAs(this, 'Moments', 'dims rows')
    this.dims = dims
    this.#rowBytes = roundUp(4 * dims, 64)
    this.#chunkRows = Math.max(1, Math.floor(STAGING_BYTES / this.#rowBytes))
    this.#at = planRegions<Region>({
      moments: matrixF64Bytes(dims, dims),
      sums: 8 * paddedF64(dims),
      staging: this.#chunkRows * this.#rowBytes,
      scratch: momentScratchBytes(dims),
    })
    this.#workspace = openLinear(this.#at.end)
  }

  /** The moments of a sample, rows x dims. @throws PackvecError EMPTY, NOT_FINITE, and those of the shape */
  static from(sample: Embeddings): Moments {
    const source = sampleRows(sample)
    return new Moments(source.dims).#addSource(source, 'sample')
  }

  /** Reads what `toTensors` gave. @throws PackvecError INVALID_ARGUMENT, NOT_FINITE */
  static fromTensors(saved: MomentsTensors): Moments {
    return reading('moments', () => Moments.#read(saved))
  }

  static #read(saved: MomentsTensors): Moments {
    const { dims, rows, sums, products } = (saved ?? {}) as MomentsTensors
    checkDims(dims)
    checkCount(rows, 'rows', 0)
    for (const [name, values, length] of [
      ['sums', sums, dims] as const,
      ['products', products, dims * dims] as const,
    ]) {
      if (!isInstance(values, Float64Array) || values.length !== length) {
        fail('INVALID_ARGUMENT', name, `a Float64Array of ${length} values`, describe(values))
      }
      const wrong = values.findIndex((value) => !Number.isFinite(value))
      if (wrong >= 0) fail('NOT_FINITE', name, 'finite', `${values[wrong]} at position ${wrong}`)
    }
    // Once there are as many values as the dimensions claim.
    const moments = new Moments(dims)
    moments.#rows = rows
    moments.#sums.set(sums)
    for (let i = 0; i < dims; i++) moments.#row(i).set(products.subarray(i * dims, i * dims + i + 1))
    return moments
  }

  /** Rows seen so far. */
  get rows(): number {
    return this.#rows
  }

  /** The mean of the rows, `dims` values. @throws PackvecError EMPTY before the first row */
  get mean(): Float64Array {
    this.#checkRows()
    return this.#sums.map((sum) => sum / this.#rows)
  }

  /**
   * X^T X, dims x dims, or with `center` the same of the rows minus their mean. Its eigenvalues are the squares of the
   * singular values of X. A copy. @throws PackvecError EMPTY before the first row
   */
  products(options?: { readonly center?: boolean | undefined }): Float64Array {
    const { center } = checkOptions(options, { center: checkBoolean })
    this.#checkRows()
    const { dims } = this
    const { mean } = this
    const sums = this.#sums
    const products = new Float64Array(dims * dims)
    for (let i = 0; i < dims; i++) {
      const row = this.#row(i)
      for (let j = 0; j <= i; j++) {
        const value = center ? row[j]! - sums[i]! * mean[j]! : row[j]!
        products[i * dims + j] = value
        products[j * dims + i] = value
      }
    }
    return products
  }

  /** Adds a batch of rows; on an error nothing changes. @throws PackvecError NOT_FINITE, DIMS_MISMATCH */
  add(embeddings: Embeddings): this {
    const source = toRows(embeddings, 'embeddings')
    if (source.rows === 0) return this
    checkSameDims('embeddings', source.dims, this.dims, 'the moments')
    return this.#addSource(source, 'embeddings')
  }

  /** Adds the moments of other rows. @throws PackvecError DIMS_MISMATCH */
  merge(other: Moments): this {
    if (!isInstance(other, Moments)) fail('INVALID_ARGUMENT', 'other', 'Moments', describe(other))
    checkSameDims('other', other.dims, this.dims, 'the moments')
    addTo(this.#sums, other.#sums)
    for (let i = 0; i < this.dims; i++) addTo(this.#row(i), other.#row(i))
    this.#rows += other.#rows
    return this
  }

  /** What is saved, as copies. */
  toTensors(): MomentsTensors {
    const { dims, rows } = this
    const products = rows === 0 ? new Float64Array(dims * dims) : this.products()
    return { dims, rows, sums: this.#sums.slice(), products }
  }

  /** @internal `from` in steps. */
  static *steps(source: RowSource): Steps<Moments> {
    const moments = new Moments(source.dims)
    moments.#checkFinite(source, 'sample')
    for (let first = 0; first < source.rows; first += moments.#chunkRows) {
      moments.#addChunk(source, first)
      yield Math.min(1, (first + moments.#chunkRows) / source.rows)
    }
    return moments
  }

  #addSource(source: RowSource, argument: string): this {
    // All rows are looked at before the first is added, so that a bad batch changes nothing.
    this.#checkFinite(source, argument)
    for (let first = 0; first < source.rows; first += this.#chunkRows) this.#addChunk(source, first)
    return this
  }

  #addChunk(source: RowSource, first: number): void {
    const count = Math.min(this.#chunkRows, source.rows - first)
    const { staging, moments, sums, scratch } = this.#at
    this.#stage(source, first, count)
    this.#workspace.kernels.addMoments(staging, this.#rowBytes, count, this.dims, moments, sums, scratch)
    this.#rows += count
  }

  #checkFinite(source: RowSource, argument: string): void {
    const stride = this.#rowBytes / 4
    for (let first = 0; first < source.rows; first += this.#chunkRows) {
      const count = Math.min(this.#chunkRows, source.rows - first)
      const staged = this.#stage(source, first, count)
      const at = staged.findIndex((value) => !Number.isFinite(value))
      if (at < 0) continue
      const where = `row ${first + Math.floor(at / stride)}, dimension ${at % stride}`
      fail('NOT_FINITE', argument, 'finite in float32', `${staged[at]} at ${where}`)
    }
  }

  #stage(source: RowSource, first: number, count: number): Float32Array {
    const stride = this.#rowBytes / 4
    const staged = new Float32Array(this.#workspace.buffer, this.#at.staging, count * stride)
    source.copyRows(first, count, staged, stride)
    return staged
  }

  get #sums(): Float64Array {
    return new Float64Array(this.#workspace.buffer, this.#at.sums, this.dims)
  }

  /** The lower triangle's part of row i: what stands behind it is arbitrary. */
  #row(i: number): Float64Array {
    return new Float64Array(this.#workspace.buffer, this.#at.moments + 8 * i * paddedF64(this.dims), i + 1)
  }

  #checkRows(): void {
    if (this.#rows === 0) failEmpty('moments')
  }
}

function checkDims(dims: number): void {
  checkCount(dims, 'dims')
  if (dims > MAX_DIMS) fail('TOO_LARGE', 'dims', `at most ${MAX_DIMS}`, String(dims))
}

/** A sample of at least one row. @throws PackvecError EMPTY, and those of the shape */
export function sampleRows(sample: Embeddings): RowSource {
  const source = toRows(sample, 'sample')
  if (source.rows === 0) failEmpty('sample')
  return source
}

function addTo(target: Float64Array, values: Float64Array): void {
  for (let i = 0; i < target.length; i++) target[i]! += values[i]!
}
