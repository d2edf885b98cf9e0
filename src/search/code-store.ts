import { PackvecError } from '../base/errors.js'
import type { CodeColumn, ColumnCodes } from '../codes/column.js'
import {
  type ColumnEncoder,
  type ColumnLayout,
  layoutOf,
  openColumn,
  openColumns,
  parameterBytes,
} from '../codes/column-encoder.js'
import { copyStrided, Encoder, type EncoderRegion, encoderSizes } from '../codes/encoder.js'
import { flipSigns } from '../codes/packed.js'
import type { Precision } from '../codes/precision.js'
import type { Calibration } from '../codes/ranges.js'
import { Recoding } from '../codes/recoding.js'
import { codeOf } from '../codes/registry.js'
import { planRegions, type Regions } from '../kernels/regions.js'
import { openWorkspace, type Workspace } from '../kernels/workspace.js'
import type { RowSource } from '../rows/matrix.js'
import { FineCodes } from './fine-codes.js'

/** Of each column its codes and its factors. */
type RowRegion = `codes${number}` | `factors${number}`
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
  /** At most one of a family. */
  readonly columns: readonly CodeColumn[]
}

/** A column of a store, whose addresses are those of its memory as it lies now: they are to be read when they are used. */
export interface StoredColumn extends ColumnLayout {
  readonly column: CodeColumn
  readonly codesPtr: number
  /** Address of the factors of all rows; 0 where there are none. */
  readonly factorsPtr: number
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
  readonly #stored: Mutable<StoredColumn>[]
  #fine: FineCodes | undefined

  constructor(spec: StoreSpec, capacity: number) {
    this.#spec = spec
    this.dims = spec.dims
    this.#stored = spec.columns.map((column) => ({
      ...layoutOf(column, spec.dims),
      column,
      codesPtr: 0,
      factorsPtr: 0,
    }))
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
    return this.#stored.reduce((sum, { stride, factorBytes }) => sum + stride + factorBytes, 0)
  }

  /** The column whose codes are of the family of `precision`. */
  column(precision: Precision): StoredColumn {
    return this.#stored[this.#placeOf(precision)]!
  }

  /** The factors of all rows of a column: a view, good until rows are added; undefined where there are none. */
  scales(column: CodeColumn): Float32Array | undefined {
    if (column.scale === undefined) return undefined
    return this.#factorRows(this.#placeOf(column.precision), 0, this.#size)
  }

  /** Encodes staged rows, as queries that are compared with the codes of a column. */
  openEncoder(precision: Precision): ColumnEncoder {
    return openColumn(this.#encoder, this.spec.columns, this.#placeOf(precision))
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
      const stored = new Uint8Array(buffer, before.regions[name]!, this.#size * rowBytes)
      new Uint8Array(this.#workspace.buffer, this.#regions[name]!, stored.length).set(stored)
    }
  }

  /** Makes room for rows to come, and for some more where what is stored must move. */
  makeRoom(rows: number): void {
    const needed = this.#size + rows
    if (needed > this.#capacity) this.reserve(Math.max(needed, Math.ceil(this.#size * GROWTH)))
  }

  /** Keeps 8-bit codes with 8 more bits from here on, so that `widen` loses nothing of rows to come; or not any more. */
  refine(fine: boolean): void {
    const widened = this.#stored.find(({ code }) => code.books?.isWidened)
    if (!fine || widened === undefined) this.#fine = undefined
    else this.#fine ??= new FineCodes(widened.stride, this.#size)
  }

  /** Gives 8-bit codes other ranges: those stored become the codes of the same values, factors of rows stay. */
  widen(precision: Precision, book: Calibration): void {
    const { column, codesPtr, stride } = this.column(precision)
    const recoding = new Recoding(precision, column.book as Calibration, book)
    for (let row = 0; row < this.#size; row += RECODED_ROWS) {
      const bytes = Math.min(RECODED_ROWS, this.#size - row) * stride
      const codes = new Uint8Array(this.#workspace.buffer, codesPtr + row * stride, bytes)
      if (this.#fine === undefined) recoding.apply(codes, stride)
      else this.#fine.recode(recoding, codes, row)
    }
    const columns = this.#spec.columns.map((each) => (each === column ? { ...column, book } : each))
    this.#spec = { ...this.#spec, columns }
    this.#placeColumns()
  }

  /** Encodes rows behind those stored; on an error none is added. */
  append(source: RowSource, argument: string): void {
    this.makeRoom(source.rows)
    this.#fine?.reserve(this.#size + source.rows)
    const encoders = openColumns(this.#encoder, this.spec.columns)
    this.#encoder.forEachChunk(source, argument, (first, count) => {
      for (const [at, encoder] of encoders.entries()) this.#write(at, encoder, this.#size + first, count)
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
    const { codesPtr, rowBytes, stride, code } = this.column(precision)
    const ptr = codesPtr + row * stride
    const target = new Uint8Array(this.#workspace.buffer, ptr, rows * stride)
    copyStrided(bytes, rowBytes, target, stride, rows, rowBytes)
    if (code.array === 'Float32Array') this.#checkFinite(ptr, row, rows, stride)
    const given = codeOf(precision)
    // Bits of the other sign than those kept.
    if (given.isSigned !== code.isSigned)
      for (let i = 0; i < rows; i++) flipSigns(target.subarray(i * stride, i * stride + rowBytes))
    code.clearTail(target, stride, rows, this.dims)
  }

  /** Writes the factors of rows, within the capacity. */
  putScales(precision: Precision, row: number, scales: Float32Array): void {
    this.#factorRows(this.#placeOf(precision), row, scales.length).set(scales)
  }

  /** A copy of all codes of a column, without padding. */
  copyCodes({ precision }: CodeColumn): Uint8Array<ArrayBuffer> {
    const { codesPtr, rowBytes, stride } = this.column(precision)
    const codes = new Uint8Array(this.#size * rowBytes)
    const stored = new Uint8Array(this.#workspace.buffer, codesPtr, this.#size * stride)
    copyStrided(stored, stride, codes, rowBytes, this.#size, rowBytes)
    return codes
  }

  /** Writes the codes (and factors) of staged rows to the rows from `row` on of the column at a place. */
  #write(at: number, { column, layout, encode, writeFactors }: ColumnEncoder, row: number, count: number): void {
    const { stride } = layout
    const ptr = this.#stored[at]!.codesPtr + row * stride
    encode(0, count, ptr)
    if (layout.code.books?.isWidened === true && this.#fine !== undefined) {
      const codes = new Uint8Array(this.#workspace.buffer, ptr, count * stride)
      for (let i = 0; i < count; i++) {
        const values = this.#encoder.stagedRow(i)
        this.#fine.put(row + i, values, codes.subarray(i * stride), column.precision, column.book as Calibration)
      }
    }
    if (column.scale !== undefined) writeFactors(ptr, this.#factorRows(at, row, count))
  }

  #placeOf(precision: Precision): number {
    const { family } = codeOf(precision)
    const stored = this.#stored
    for (let at = 0; at < stored.length; at++) if (stored[at]!.code.family === family) return at
    throw new Error(`the store keeps no ${family}`)
  }

  #factorRows(at: number, row: number, count: number): Float32Array {
    return new Float32Array(this.#workspace.buffer, this.#stored[at]!.factorsPtr + 4 * row, count)
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
    return this.#stored.flatMap(({ stride, factorBytes }, at): [RowRegion, number][] => [
      [`codes${at}`, stride],
      [`factors${at}`, factorBytes],
    ])
  }

  #open(): void {
    const rows = this.#rowRegions().map(([name, bytes]) => [name, this.#capacity * bytes])
    const regions = planRegions<StoreRegion>({
      ...(Object.fromEntries(rows) as Record<RowRegion, number>),
      ...encoderSizes(this.dims, this.#capacity, parameterBytes(this.spec.columns, this.dims)),
      scratch: this.#scratchBytes,
    })
    this.#workspace = openWorkspace(regions.end)
    this.#regions = regions
    this.#encoder = new Encoder(this.#workspace, regions, this.dims, this.#capacity)
    this.#placeColumns()
  }

  #placeColumns(): void {
    for (const [at, stored] of this.#stored.entries()) {
      stored.column = this.#spec.columns[at]!
      stored.codesPtr = this.#regions[`codes${at}`]!
      stored.factorsPtr = stored.factorBytes === 0 ? 0 : this.#regions[`factors${at}`]!
    }
  }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }
