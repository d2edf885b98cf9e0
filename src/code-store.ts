import type { Calibration } from './calibration.js'
import { copyStrided, Encoder, type EncoderRegion, encoderSizes, flipSigns } from './encoder.js'
import { PackvecError } from './errors.js'
import type { RowSource } from './matrix.js'
import {
  codeRowBytes,
  isSigned,
  type Precision,
  type PrecisionKind,
  paddedRowBytes,
  precisionKind,
} from './precision.js'
import { planRegions, type Regions } from './regions.js'
import { openWorkspace, type Workspace } from './workspace.js'

type StoreRegion = EncoderRegion | 'bits' | 'bytes' | 'floats' | 'scratch'

/** Extra rows that growing by `add` leaves room for: 1 in 16, so that many small batches copy each row a few times only. */
const GROWTH = 17 / 16
/** Search scratch: enough for a batch of queries on a large index, little beside a small one. */
const MIN_SCRATCH_BYTES = 131_072
const MAX_SCRATCH_BYTES = 2_097_152

/**
 * Rows of codes in one wasm memory of exact size, in one or two precisions: made there, searched there.
 * Codes of one kind (bits, bytes, floats) are kept once: as unsigned bits, as the first 8-bit precision named, as float32.
 */
export class CodeStore {
  readonly dims: number
  /** The precisions kept, one of a kind. */
  readonly precisions: readonly Precision[]
  readonly calibration: Calibration | undefined
  #size = 0
  #capacity: number
  #scratchBytes: number
  #workspace!: Workspace
  #regions!: Regions<StoreRegion>
  #encoder!: Encoder

  constructor(dims: number, precisions: readonly Precision[], capacity: number, calibration: Calibration | undefined) {
    this.dims = dims
    this.precisions = oneOfAKind(precisions)
    // A copy: the caller's may go on to see more rows, these codes keep their buckets.
    this.calibration = calibration?.clone()
    this.#capacity = capacity
    this.#scratchBytes = Math.min(Math.max(MIN_SCRATCH_BYTES, (capacity * this.rowBytes) / 32), MAX_SCRATCH_BYTES)
    this.#open()
  }

  get size(): number {
    return this.#size
  }

  get workspace(): Workspace {
    return this.#workspace
  }

  get encoder(): Encoder {
    return this.#encoder
  }

  get scratchPtr(): number {
    return this.#regions.scratch
  }

  get scratchBytes(): number {
    return this.#scratchBytes
  }

  /** Bytes of one row over all precisions, as kept in memory. */
  get rowBytes(): number {
    return this.precisions.reduce((sum, precision) => sum + paddedRowBytes(precision, this.dims), 0)
  }

  precisionOf(kind: PrecisionKind): Precision | undefined {
    return this.precisions.find((precision) => precisionKind(precision) === kind)
  }

  codesPtr(kind: PrecisionKind): number {
    return this.#regions[kind]
  }

  /** Makes room for `rows` in all, and for search scratch; what is stored moves to a new memory when it must. */
  reserve(rows: number, scratchBytes = this.#scratchBytes): void {
    if (rows <= this.#capacity && scratchBytes <= this.#scratchBytes) return
    const before = { workspace: this.#workspace, regions: this.#regions, encoder: this.#encoder }
    const counts = { capacity: this.#capacity, scratchBytes: this.#scratchBytes }
    this.#capacity = Math.max(rows, this.#capacity)
    this.#scratchBytes = Math.max(scratchBytes, this.#scratchBytes)
    try {
      this.#open()
    } catch (error) {
      this.#capacity = counts.capacity
      this.#scratchBytes = counts.scratchBytes
      throw error
    }
    for (const precision of this.precisions) {
      const kind = precisionKind(precision)
      const bytes = this.#size * paddedRowBytes(precision, this.dims)
      const stored = new Uint8Array(before.workspace.buffer, before.regions[kind], bytes)
      new Uint8Array(this.#workspace.buffer, this.#regions[kind], bytes).set(stored)
    }
  }

  /** Encodes rows behind those stored; on an error none is added. */
  append(source: RowSource, argument: string): void {
    const needed = this.#size + source.rows
    if (needed > this.#capacity) this.reserve(Math.max(needed, Math.ceil(this.#size * GROWTH)))
    const scalar = this.precisionOf('bytes')
    if (scalar !== undefined) this.#encoder.setBuckets(this.calibration!.buckets, scalar)
    this.#encoder.forEachChunk(source, argument, (first, count) => {
      for (const precision of this.precisions) {
        this.#encoder.encode(precision, 0, count, this.#rowPtr(precision, this.#size + first))
      }
    })
    this.#size = needed
  }

  /**
   * Appends rows that are codes already, one byte array a precision; bits may be of either sign.
   * @throws PackvecError NOT_FINITE for float32 rows
   */
  appendCodes(codes: ReadonlyMap<Precision, Uint8Array>, rows: number): void {
    if (this.#size + rows > this.#capacity) this.reserve(this.#size + rows)
    for (const [precision, bytes] of codes) {
      const kept = this.precisionOf(precisionKind(precision))!
      const rowBytes = codeRowBytes(precision, this.dims)
      const stride = paddedRowBytes(precision, this.dims)
      const target = new Uint8Array(this.#workspace.buffer, this.#rowPtr(kept, this.#size), rows * stride)
      copyStrided(bytes, rowBytes, target, stride, rows, rowBytes)
      if (precision === 'float32') this.#checkFinite(rows, stride)
      if (precisionKind(precision) !== 'bits') continue
      if (isSigned(precision))
        for (let i = 0; i < rows; i++) flipSigns(target.subarray(i * stride, i * stride + rowBytes))
      clearTailBits(target, stride, rows, this.dims)
    }
    this.#size += rows
  }

  /** A copy of all codes of one stored precision, without padding. */
  copyCodes(precision: Precision): Uint8Array<ArrayBuffer> {
    const rowBytes = codeRowBytes(precision, this.dims)
    const codes = new Uint8Array(this.#size * rowBytes)
    const stride = paddedRowBytes(precision, this.dims)
    const stored = new Uint8Array(this.#workspace.buffer, this.#rowPtr(precision, 0), this.#size * stride)
    copyStrided(stored, stride, codes, rowBytes, this.#size, rowBytes)
    return codes
  }

  #checkFinite(rows: number, stride: number): void {
    const ptr = this.#rowPtr('float32', this.#size)
    const at = this.#workspace.kernels.firstNonFinite(ptr, (rows * stride) / 4)
    if (at < 0) return
    const row = Math.floor(at / (stride / 4))
    const message = `float32 codes must be finite, got NaN or infinity at row ${row}, dimension ${at % (stride / 4)}`
    throw new PackvecError('NOT_FINITE', 'codes', message)
  }

  #rowPtr(precision: Precision, row: number): number {
    return this.#regions[precisionKind(precision)] + row * paddedRowBytes(precision, this.dims)
  }

  #open(): void {
    const bytes = (kind: PrecisionKind) => {
      const precision = this.precisionOf(kind)
      return precision === undefined ? 0 : this.#capacity * paddedRowBytes(precision, this.dims)
    }
    const regions = planRegions({
      bits: bytes('bits'),
      bytes: bytes('bytes'),
      floats: bytes('floats'),
      ...encoderSizes(this.dims, this.#capacity),
      scratch: this.#scratchBytes,
    })
    this.#workspace = openWorkspace(regions.end)
    this.#regions = regions
    this.#encoder = new Encoder(this.#workspace, regions, this.dims, this.#capacity)
  }
}

function oneOfAKind(precisions: readonly Precision[]): Precision[] {
  const kept: Precision[] = []
  for (const precision of precisions) {
    if (kept.some((other) => precisionKind(other) === precisionKind(precision))) continue
    kept.push(precision === 'binary' ? 'ubinary' : precision)
  }
  return kept
}

/** Bits behind the last dimension must be zero, whoever packed them. */
function clearTailBits(codes: Uint8Array, stride: number, rows: number, dims: number): void {
  const mask = 0xff00 >> (dims & 7)
  if ((dims & 7) === 0) return
  for (let i = 0; i < rows; i++) codes[i * stride + (dims >> 3)]! &= mask
}
