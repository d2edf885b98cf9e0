import { failNotFinite } from '../base/check.js'
import type { EncodeKernels } from '../kernels/encode-kernels.js'
import { planRegions, type Regions } from '../kernels/regions.js'
import { backend, openEncoding, type Workspace } from '../kernels/workspace.js'
import { numberOf, type RowSource } from '../rows/matrix.js'
import { isSigned, type Precision, paddedRowBytes, precisionKind } from './precision.js'

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

/** A staging area, and the parameters of each kind of code: bounds and steps, or thresholds, a padded row each. */
export type EncoderRegion = 'staging' | 'byteBuckets' | 'nibbleBuckets' | 'pairThresholds'

/** Floats copied in at a time: they are still in the level-2 cache when the kernel reads them. */
const STAGING_BYTES = 262_144

/** Bytes of a staged row: float32, zero-padded to 64 dimensions so that bits fill whole 8-byte words. */
export function stagedRowBytes(dims: number): number {
  return 256 * Math.ceil(dims / 64)
}

/** Region sizes of an encoder that stages up to `rows` rows at a time. */
export function encoderSizes(dims: number, rows: number): Record<EncoderRegion, number> {
  const rowBytes = stagedRowBytes(dims)
  const stagingRows = Math.max(1, Math.min(rows, Math.floor(STAGING_BYTES / rowBytes)))
  return {
    staging: stagingRows * rowBytes,
    byteBuckets: 2 * rowBytes,
    nibbleBuckets: 2 * rowBytes,
    pairThresholds: 3 * rowBytes,
  }
}

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
    this.chunkRows = encoderSizes(dims, rows).staging / stagedRowBytes(dims)
    this.#workspace = workspace
    this.#regions = regions
  }

  /** Address of a staged row. */
  stagedPtr(row: number): number {
    return this.#regions.staging + row * stagedRowBytes(this.dims)
  }

  /** Copies rows to the staging region. @throws PackvecError NOT_FINITE that names the row and the dimension */
  stage(source: RowSource, first: number, count: number, argument: string): void {
    const stride = stagedRowBytes(this.dims) / 4
    const staging = this.#floats(this.#regions.staging, count * stride)
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

  /** Per-dimension minimum and maximum of all rows. Overwrites the buckets of 8-bit codes. */
  minMax(source: RowSource, argument: string): MinMax {
    const rowBytes = stagedRowBytes(this.dims)
    const mins = this.#regions.byteBuckets
    const maxs = mins + rowBytes
    this.#floats(mins, rowBytes / 4).fill(Number.POSITIVE_INFINITY)
    this.#floats(maxs, rowBytes / 4).fill(Number.NEGATIVE_INFINITY)
    this.forEachChunk(source, argument, (_first, count) => {
      this.#workspace.kernels.minMax(this.#regions.staging, rowBytes, count, mins, maxs)
    })
    return { mins: this.#floats(mins, this.dims).slice(), maxs: this.#floats(maxs, this.dims).slice() }
  }

  /** Sets the buckets of 8-bit or 4-bit codes; what pads a row gets the code 0. */
  setBuckets({ mins, steps }: Buckets, precision: Precision): void {
    const ptr = precisionKind(precision) === 'bytes' ? this.#regions.byteBuckets : this.#regions.nibbleBuckets
    const rowBytes = stagedRowBytes(this.dims)
    const padding = isSigned(precision) ? -128 : 0
    const starts = this.#floats(ptr, rowBytes / 4)
    starts.fill(padding).set(mins)
    const widths = this.#floats(ptr + rowBytes, rowBytes / 4)
    widths.fill(1).set(steps)
  }

  /** Sets the two or three thresholds of 2-bit codes, `dims` each; no value lies above what is not set. */
  setThresholds(thresholds: readonly Float32Array[]): void {
    const rowBytes = stagedRowBytes(this.dims)
    this.#floats(this.#regions.pairThresholds, (3 * rowBytes) / 4).fill(Number.POSITIVE_INFINITY)
    for (const [i, row] of thresholds.entries()) {
      this.#floats(this.#regions.pairThresholds + i * rowBytes, this.dims).set(row)
    }
  }

  /** Encodes `count` staged rows from row `first` on to padded rows at `codesPtr`. */
  encode(precision: Precision, first: number, count: number, codesPtr: number, rounding: Rounding = 'floor'): void {
    const { kernels, buffer } = this.#workspace
    const { byteBuckets, nibbleBuckets, pairThresholds } = this.#regions
    const staging = this.stagedPtr(first)
    const rowBytes = stagedRowBytes(this.dims)
    const codeBytes = paddedRowBytes(precision, this.dims)
    switch (precisionKind(precision)) {
      case 'floats':
        copyStrided(
          new Uint8Array(buffer, staging, count * rowBytes),
          rowBytes,
          new Uint8Array(buffer, codesPtr, count * codeBytes),
          codeBytes,
          count,
          codeBytes,
        )
        return
      case 'bits':
        kernels.packBits(staging, codesPtr, count * codeBytes)
        if (isSigned(precision)) flipSigns(new Uint8Array(buffer, codesPtr, count * codeBytes))
        return
      case 'pairs':
        kernels.levels2(staging, rowBytes, count, pairThresholds, codesPtr, codeBytes)
        return
      case 'nibbles':
        kernels.levels4(staging, rowBytes, count, nibbleBuckets, nibbleBuckets + rowBytes, codesPtr, codeBytes)
        return
    }
    const [starts, steps] = [byteBuckets, byteBuckets + rowBytes]
    if (precision === 'int8' && rounding === 'truncate') {
      kernels.bucketTruncate(staging, rowBytes, count, starts, steps, codesPtr, codeBytes)
    } else {
      const flip = isSigned(precision) ? 0x80 : 0
      kernels.bucket(staging, rowBytes, count, starts, steps, codesPtr, codeBytes, flip)
    }
  }

  /** The first `dims` floats of a staged row: a view, good until the next staging. */
  stagedRow(row: number): Float32Array {
    return this.#floats(this.stagedPtr(row), this.dims)
  }

  #floats(ptr: number, length: number): Float32Array {
    return new Float32Array(this.#workspace.buffer, ptr, length)
  }
}

/** Between signed and unsigned codes, both ways: XOR 0x80. */
export function flipSigns(codes: Uint8Array): void {
  for (let i = 0; i < codes.length; i++) codes[i]! ^= 0x80
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

/** An encoder over the one workspace that functions without an index share, with a region for a chunk of codes. */
export function scratchEncoder(dims: number): {
  encoder: Encoder
  workspace: Workspace<EncodeKernels>
  codesPtr: number
} {
  const rows = Number.MAX_SAFE_INTEGER
  const sizes = encoderSizes(dims, rows)
  const regions: Regions<ScratchRegion> = planRegions({ ...sizes, codes: sizes.staging })
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
