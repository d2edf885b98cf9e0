import { failNotFinite } from '../base/check.js'
import type { EncodeKernels } from '../kernels/encode-kernels.js'
import { planRegions, type Regions } from '../kernels/regions.js'
import { backend, openEncoding, type Workspace } from '../kernels/workspace.js'
import { numberOf, type RowSource } from '../rows/matrix.js'

/** How a value between two buckets is cut: see `QuantizeOptions.rounding`. */
export type Rounding = 'floor' | 'truncate'

/** Minima and maxima, `dims` each. */
export interface MinMax {
  readonly mins: Float32Array
  readonly maxs: Float32Array
}

/** The buckets of 8-bit codes: lower edge of the first, and width, of each dimension. */
export interface Buckets {
  readonly mins: Float32Array
  readonly steps: Float32Array
}

/** A staging area, and the parameters of all columns, one behind the other. */
export type EncoderRegion = 'staging' | 'parameters'

/** Floats copied in at a time: they are still in the level-2 cache when the kernel reads them. */
const STAGING_BYTES = 262_144

/** Bytes of a staged row: float32, zero-padded to 64 dimensions so that bits fill whole 8-byte words. */
export function stagedRowBytes(dims: number): number {
  return 256 * Math.ceil(dims / 64)
}

/** Region sizes of an encoder that stages up to `rows` rows at a time, for columns with so many bytes of parameters. */
export function encoderSizes(dims: number, rows: number, parameterBytes: number): Record<EncoderRegion, number> {
  const rowBytes = stagedRowBytes(dims)
  const stagingRows = Math.max(1, Math.min(rows, Math.floor(STAGING_BYTES / rowBytes)))
  return { staging: stagingRows * rowBytes, parameters: Math.max(parameterBytes, LEAST_PARAMETERS * rowBytes) }
}

/** Rows of parameters that there is always room for: minima and maxima take two, two columns of any usual codes five. */
const LEAST_PARAMETERS = 5

/** Turns rows of floats into codes inside a workspace, a chunk at a time. */
export class Encoder {
  readonly dims: number
  /** Rows that fit the staging region. */
  readonly chunkRows: number
  readonly #workspace: Workspace<EncodeKernels>
  readonly #regions: Readonly<Record<EncoderRegion, number>>

  constructor(
    workspace: Workspace<EncodeKernels>,
    regions: Readonly<Record<EncoderRegion, number>>,
    dims: number,
    rows: number,
  ) {
    this.dims = dims
    this.chunkRows = encoderSizes(dims, rows, 0).staging / stagedRowBytes(dims)
    this.#workspace = workspace
    this.#regions = regions
  }

  get kernels(): EncodeKernels {
    return this.#workspace.kernels
  }

  /** Address of a staged row. */
  stagedPtr(row: number): number {
    return this.#regions.staging + row * stagedRowBytes(this.dims)
  }

  /** Copies rows to the staging region. @throws PackvecError NOT_FINITE that names the row and the dimension */
  stage(source: RowSource, first: number, count: number, argument: string): void {
    const stride = stagedRowBytes(this.dims) / 4
    const staging = this.floats(this.#regions.staging, count * stride)
    source.copyRows(first, count, staging, stride)
    const at = this.#workspace.kernels.firstNonFinite(this.#regions.staging, count * stride)
    if (at < 0) return
    failNotFinite(argument, staging[at], numberOf(source, first + Math.floor(at / stride)), at % stride)
  }

  /** Runs `use` on every chunk of the source, staged and found finite. */
  forEachChunk(source: RowSource, argument: string, use: (first: number, count: number) => void): void {
    for (let first = 0; first < source.rows; first += this.chunkRows) {
      const count = Math.min(this.chunkRows, source.rows - first)
      this.stage(source, first, count, argument)
      use(first, count)
    }
  }

  /** Per-dimension minimum and maximum of all rows. Overwrites parameters. */
  minMax(source: RowSource, argument: string): MinMax {
    const rowBytes = stagedRowBytes(this.dims)
    const mins = this.#regions.parameters
    const maxs = mins + rowBytes
    this.floats(mins, rowBytes / 4).fill(Number.POSITIVE_INFINITY)
    this.floats(maxs, rowBytes / 4).fill(Number.NEGATIVE_INFINITY)
    this.forEachChunk(source, argument, (_first, count) => {
      this.#workspace.kernels.minMax(this.#regions.staging, rowBytes, count, mins, maxs)
    })
    return { mins: this.floats(mins, this.dims).slice(), maxs: this.floats(maxs, this.dims).slice() }
  }

  /** Address of the parameters of the first column. */
  get parametersPtr(): number {
    return this.#regions.parameters
  }

  /** Writes lower edges and widths, a staged row each; what pads a row gets `padding` and 1. */
  setBuckets(ptr: number, { mins, steps }: Buckets, padding: number): void {
    const rowBytes = stagedRowBytes(this.dims)
    this.floats(ptr, rowBytes / 4)
      .fill(padding)
      .set(mins)
    this.floats(ptr + rowBytes, rowBytes / 4)
      .fill(1)
      .set(steps)
  }

  /** The first `dims` floats of a staged row: a view, good until the next staging. */
  stagedRow(row: number): Float32Array {
    return this.floats(this.stagedPtr(row), this.dims)
  }

  /** A view of the memory, in floats. */
  floats(ptr: number, length: number): Float32Array {
    return new Float32Array(this.#workspace.buffer, ptr, length)
  }

  /** A view of the memory. */
  bytes(ptr: number, length: number): Uint8Array {
    return new Uint8Array(this.#workspace.buffer, ptr, length)
  }
}

/** Copies rows between strides, both in bytes; what lies behind `rowBytes` is left alone. */
export function copyStrided(
  from: Uint8Array,
  fromStride: number,
  to: Uint8Array,
  toStride: number,
  rows: number,
  rowBytes: number,
): void {
  if (fromStride === toStride && rowBytes === toStride) {
    to.set(from.subarray(0, rows * rowBytes))
    return
  }
  for (let i = 0; i < rows; i++) {
    to.set(from.subarray(i * fromStride, i * fromStride + rowBytes), i * toStride)
  }
}

type ScratchRegion = EncoderRegion | 'codes'
let scratch: { workspace: Workspace<EncodeKernels>; dims: number } | undefined

/**
 * An encoder over the one workspace that functions without an index share, with a region for a chunk of codes of at most
 * `codeBytes` a row (as many as floats take, by default).
 */
export function scratchEncoder(
  dims: number,
  parameterBytes = 0,
  codeBytes = stagedRowBytes(dims),
): { encoder: Encoder; workspace: Workspace<EncodeKernels>; codesPtr: number } {
  const rows = Number.MAX_SAFE_INTEGER
  const sizes = encoderSizes(dims, rows, parameterBytes)
  const chunkRows = sizes.staging / stagedRowBytes(dims)
  const codes = chunkRows * Math.max(codeBytes, stagedRowBytes(dims))
  const regions: Regions<ScratchRegion> = planRegions({ ...sizes, codes })
  if (
    scratch === undefined ||
    scratch.workspace.backend !== backend() ||
    scratch.workspace.buffer.byteLength < regions.end
  ) {
    scratch = { workspace: openEncoding(regions.end), dims }
  }
  const { workspace } = scratch
  if (scratch.dims !== dims) {
    // Rows of other dims left values where the padding of these rows must be zero.
    new Uint8Array(workspace.buffer, regions.staging, sizes.staging).fill(0)
    scratch.dims = dims
  }
  return { encoder: new Encoder(workspace, regions, dims, rows), workspace, codesPtr: regions.codes }
}
