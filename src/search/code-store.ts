import { PackvecError } from '../base/errors.js'
import type { Calibration } from '../codes/calibration.js'
import { openDecoder, rowScale, setCodebook } from '../codes/codebook.js'
import type { CodeColumn } from '../codes/column.js'
import { copyStrided, Encoder, type EncoderRegion, encoderSizes, flipSigns } from '../codes/encoder.js'
import {
  codeRowBytes,
  dimsAnElement,
  PRECISION_KINDS,
  type Precision,
  type PrecisionKind,
  paddedRowBytes,
  precisionKind,
} from '../codes/precision.js'
import { Recoding } from '../codes/recoding.js'
import { planRegions, type Regions } from '../kernels/regions.js'
import { openWorkspace, type Workspace } from '../kernels/workspace.js'
import type { RowSource } from '../rows/matrix.js'
import { FineCodes } from './fine-codes.js'

type RowRegion = PrecisionKind | `${PrecisionKind}Scales`
type StoreRegion = RowRegion | EncoderRegion | 'scratch'

/** Extra rows that growing by `add` leaves room for: 1 in 16, so that many small batches copy each row a few times only. */
const GROWTH = 17 / 16
/** Rows whose codes are rewritten at a time, one dimension after the other: they stay in the cache. */
const RECODED_ROWS = 256
/** Search scratch: enough for a batch of queries on a large index, little beside a small one. */
const MIN_SCRATCH_BYTES = 131_072
const MAX_SCRATCH_BYTES = 2_097_152

export interface StoreSpec {
  /** Dimensions of the codes. */
  readonly dims: number
  /** One column of a kind. */
  readonly columns: readonly CodeColumn[]
}

/** Codes of a column from elsewhere; bits may be of either sign. */
export interface ColumnCodes {
  readonly precision: Precision
  readonly bytes: Uint8Array
  readonly scales: Float32Array | undefined
}

/** Rows of codes in one wasm memory of exact size, in one or two precisions: made there, searched there. */
export class CodeStore {
  readonly dims: number
  #spec: StoreSpec
  #size = 0
  #capacity: number
  #scratchBytes: number
  #workspace!: Workspace
  #regions!: Regions<StoreRegion>
  #encoder!: Encoder
  #fine: FineCodes | undefined

  constructor(spec: StoreSpec, capacity: number) {
    this.#spec = spec
    this.dims = spec.dims
    this.#capacity = capacity
    this.#scratchBytes = Math.min(Math.max(MIN_SCRATCH_BYTES, (capacity * this.rowBytes) / 32), MAX_SCRATCH_BYTES)
    this.#open()
  }

  get spec(): StoreSpec {
    return this.#spec
  }

  get size(): number {
    return this.#size
  }

  /** Rows that there is room for. */
  get capacity(): number {
    return this.#capacity
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

  /** Bytes of one row over all columns, as kept in memory. */
  get rowBytes(): number {
    return this.spec.columns.reduce((sum, column) => sum + this.#strideOf(column) + scaleBytes(column), 0)
  }

  column(kind: PrecisionKind): CodeColumn {
    const found = this.spec.columns.find(({ precision }) => precisionKind(precision) === kind)
    if (found === undefined) throw new Error(`the store keeps no ${kind}`)
    return found
  }

  codesPtr(kind: PrecisionKind): number {
    return this.#regions[kind]
  }

  /** Address of the factors of all rows; 0 where there are none. */
  scalesPtr(kind: PrecisionKind): number {
    return this.column(kind).scale === undefined ? 0 : this.#regions[`${kind}Scales`]
  }

  /** The factors of all rows of a column: a view, good until rows are added; undefined where there are none. */
  scales({ precision, scale }: CodeColumn): Float32Array | undefined {
    if (scale === undefined) return undefined
    return this.#scaleRows(precisionKind(precision), 0, this.#size)
  }

  /** Makes room for `rows` in all, and for search scratch; what is stored moves to a new memory when it must. */
  reserve(rows: number, scratchBytes = this.#scratchBytes): void {
    if (rows <= this.#capacity && scratchBytes <= this.#scratchBytes) return
    const { buffer } = this.#workspace
    const before = { regions: this.#regions, capacity: this.#capacity, scratchBytes: this.#scratchBytes }
    this.#capacity = Math.max(rows, this.#capacity)
    this.#scratchBytes = Math.max(scratchBytes, this.#scratchBytes)
    try {
      this.#open()
    } catch (error) {
      this.#capacity = before.capacity
      this.#scratchBytes = before.scratchBytes
      throw error
    }
    for (const [name, rowBytes] of this.#rowRegions()) {
      const stored = new Uint8Array(buffer, before.regions[name], this.#size * rowBytes)
      new Uint8Array(this.#workspace.buffer, this.#regions[name], stored.length).set(stored)
    }
  }

  /** Makes room for rows to come, and for some more where what is stored must move. */
  makeRoom(rows: number): void {
    const needed = this.#size + rows
    if (needed > this.#capacity) this.reserve(Math.max(needed, Math.ceil(this.#size * GROWTH)))
  }

  /** Keeps 8-bit codes with 8 more bits from here on, so that `widen` loses nothing of rows to come; or not any more. */
  refine(fine: boolean): void {
    if (!fine) this.#fine = undefined
    else this.#fine ??= new FineCodes(paddedRowBytes('int8', this.dims), this.#size)
  }

  /** Gives 8-bit codes other ranges: those stored become the codes of the same values, factors of rows stay. */
  widen(precision: Precision, book: Calibration): void {
    const column = this.column(precisionKind(precision))
    const recoding = new Recoding(precision, column.book as Calibration, book)
    const stride = this.#strideOf(column)
    for (let row = 0; row < this.#size; row += RECODED_ROWS) {
      const bytes = Math.min(RECODED_ROWS, this.#size - row) * stride
      const codes = new Uint8Array(this.#workspace.buffer, this.codesPtr('bytes') + row * stride, bytes)
      if (this.#fine === undefined) recoding.apply(codes, stride)
      else this.#fine.recode(recoding, codes, row)
    }
    this.#spec = {
      ...this.#spec,
      columns: this.#spec.columns.map((each) => (each === column ? { ...column, book } : each)),
    }
  }

  /** Encodes rows behind those stored; on an error none is added. */
  append(source: RowSource, argument: string): void {
    this.makeRoom(source.rows)
    this.#fine?.reserve(this.#size + source.rows)
    const encoder = this.#encoder
    const writers = this.spec.columns.map((column) => this.#columnWriter(column))
    encoder.forEachChunk(source, argument, (first, count) => {
      for (const write of writers) write(this.#size + first, count)
    })
    this.#size += source.rows
  }

  /** Appends rows that are codes already. @throws PackvecError NOT_FINITE for float32 rows */
  appendCodes(codes: readonly ColumnCodes[], rows: number): void {
    if (this.#size + rows > this.#capacity) this.reserve(this.#size + rows)
    for (const { precision, bytes, scales } of codes) {
      this.putCodes(precision, this.#size, rows, bytes)
      if (scales !== undefined) this.putScales(precision, this.#size, scales)
    }
    this.#size += rows
  }

  /** Counts the first `rows` of the capacity as stored: whoever says so puts them. */
  resize(rows: number): void {
    this.#size = rows
  }

  /** Writes rows that are codes already, within the capacity. @throws PackvecError NOT_FINITE for float32 rows */
  putCodes(precision: Precision, row: number, rows: number, bytes: Uint8Array): void {
    const rowBytes = codeRowBytes(precision, this.dims)
    const stride = paddedRowBytes(precision, this.dims)
    const ptr = this.#regions[precisionKind(precision)] + row * stride
    const target = new Uint8Array(this.#workspace.buffer, ptr, rows * stride)
    copyStrided(bytes, rowBytes, target, stride, rows, rowBytes)
    if (precision === 'float32') this.#checkFinite(ptr, row, rows, stride)
    if (precision === 'binary')
      for (let i = 0; i < rows; i++) flipSigns(target.subarray(i * stride, i * stride + rowBytes))
    clearTail(target, stride, rows, precision, this.dims)
  }

  /** Writes the factors of rows, within the capacity. */
  putScales(precision: Precision, row: number, scales: Float32Array): void {
    this.#scaleRows(precisionKind(precision), row, scales.length).set(scales)
  }

  /** A copy of all codes of a column, without padding. */
  copyCodes({ precision }: CodeColumn): Uint8Array<ArrayBuffer> {
    const rowBytes = codeRowBytes(precision, this.dims)
    const codes = new Uint8Array(this.#size * rowBytes)
    const stride = paddedRowBytes(precision, this.dims)
    const stored = new Uint8Array(this.#workspace.buffer, this.#regions[precisionKind(precision)], this.#size * stride)
    copyStrided(stored, stride, codes, rowBytes, this.#size, rowBytes)
    return codes
  }

  /** Writes the codes (and factors) of staged rows to the store's rows from `row` on. */
  #columnWriter(column: CodeColumn): (row: number, count: number) => void {
    const { precision, book, scale } = column
    const kind = precisionKind(precision)
    const stride = this.#strideOf(column)
    const encoder = this.#encoder
    setCodebook(encoder, precision, book)
    const decode = openDecoder(precision, book)
    const decoded = new Float32Array(this.dims)
    return (row, count) => {
      const ptr = this.#regions[kind] + row * stride
      encoder.encode(precision, 0, count, ptr)
      const codes = new Uint8Array(this.#workspace.buffer, ptr, count * stride)
      if (kind === 'bytes' && this.#fine !== undefined) {
        for (let i = 0; i < count; i++) {
          this.#fine.put(row + i, encoder.stagedRow(i), codes.subarray(i * stride), precision, book as Calibration)
        }
      }
      if (scale === undefined) return
      const scales = this.#scaleRows(kind, row, count)
      for (let i = 0; i < count; i++) {
        decode(codes, i * stride, decoded)
        scales[i] = rowScale(encoder.stagedRow(i), decoded, scale)
      }
    }
  }

  #scaleRows(kind: PrecisionKind, row: number, count: number): Float32Array {
    return new Float32Array(this.#workspace.buffer, this.#regions[`${kind}Scales`] + 4 * row, count)
  }

  #strideOf({ precision }: CodeColumn): number {
    return paddedRowBytes(precision, this.dims)
  }

  #checkFinite(ptr: number, first: number, rows: number, stride: number): void {
    const at = this.#workspace.kernels.firstNonFinite(ptr, (rows * stride) / 4)
    if (at < 0) return
    const row = first + Math.floor(at / (stride / 4))
    const message = `float32 codes must be finite, got NaN or infinity at row ${row}, dimension ${at % (stride / 4)}`
    throw new PackvecError('NOT_FINITE', 'codes', message)
  }

  /** The regions that hold rows, with the bytes of a row. */
  #rowRegions(): [RowRegion, number][] {
    return PRECISION_KINDS.flatMap((kind): [RowRegion, number][] => {
      const column = this.spec.columns.find(({ precision }) => precisionKind(precision) === kind)
      return [
        [kind, column === undefined ? 0 : this.#strideOf(column)],
        [`${kind}Scales`, column === undefined ? 0 : scaleBytes(column)],
      ]
    })
  }

  #open(): void {
    const rows = this.#rowRegions().map(([name, bytes]) => [name, this.#capacity * bytes])
    const regions = planRegions<StoreRegion>({
      ...(Object.fromEntries(rows) as Record<RowRegion, number>),
      ...encoderSizes(this.dims, this.#capacity),
      scratch: this.#scratchBytes,
    })
    this.#workspace = openWorkspace(regions.end)
    this.#regions = regions
    this.#encoder = new Encoder(this.#workspace, regions, this.dims, this.#capacity)
  }
}

function scaleBytes({ scale }: CodeColumn): number {
  return scale === undefined ? 0 : 4
}

/** What lies behind the last dimension must be zero, whoever packed the codes. */
export function clearTail(codes: Uint8Array, stride: number, rows: number, precision: Precision, dims: number): void {
  const dimsAByte = dimsAnElement(precision)
  const used = dims % dimsAByte
  if (used === 0) return
  const mask = 0xff00 >> ((used * 8) / dimsAByte)
  for (let i = 0; i < rows; i++) codes[i * stride + Math.floor(dims / dimsAByte)]! &= mask
}
