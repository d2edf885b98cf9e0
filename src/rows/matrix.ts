import { describe, fail, failNotFinite, reading } from '../base/check.js'
import { PackvecError } from '../base/errors.js'
import { MAX_DIMS } from '../base/max-dims.js'

/** One embedding. Float64 and plain numbers are rounded to float32. */
export type Vector = Float32Array | Float64Array | readonly number[]

/** A flat array with its shape, such as a transformers.js Tensor: `dims` is [rows, dims], [dims] or just dims. */
export interface TensorLike {
  readonly data: ArrayLike<unknown>
  readonly dims: readonly number[] | number
}

/** Several embeddings: an array of rows, or a flat array with its shape. */
export type Matrix = readonly Vector[] | TensorLike

/** One embedding, several, or (with the option `dims`) a flat array of rows · dims values. */
export type Embeddings = Vector | Matrix

/** Rows of floats from any input; their shapes are checked, their values not yet. */
export interface RowSource {
  readonly rows: number
  readonly dims: number
  /** Whether the caller passed a single vector rather than a matrix. */
  readonly single: boolean
  /** The number of row i in messages, if it is not i: the source may be a part of another. */
  readonly rowNumber?: (row: number) => number
  /** Copies rows as float32 to `target`, one every `stride` floats. */
  copyRows(first: number, count: number, target: Float32Array, stride: number): void
}

/**
 * Reads the embeddings of a caller.
 * @param dims width of a row if the caller named it: a flat array then holds several rows.
 * @throws PackvecError RAGGED_ROWS, ZERO_DIMS, QUANTIZED_INPUT, TOO_LARGE or INVALID_ARGUMENT
 */
export function toRows(input: unknown, argument: string, dims?: number): RowSource {
  if (dims !== undefined) checkDims(dims, 'dims')
  const source = reading(argument, () => readShape(input, argument, dims))
  return {
    ...source,
    copyRows: (...copy) => reading(argument, () => source.copyRows(...copy)),
  }
}

function readShape(input: unknown, argument: string, dims: number | undefined): RowSource {
  const type = arrayType(input)
  if (type === undefined) {
    if (isTensorLike(input)) return fromTensor(input, argument)
    return fail('INVALID_ARGUMENT', argument, 'rows of numbers, or { data, dims }', describe(input))
  }
  const array = input as ArrayLike<unknown>
  if (type !== 'Array') return fromFlat(asFloats(array, type, argument), argument, dims)
  if (array.length === 0) return { rows: 0, dims: dims ?? 0, single: false, copyRows: () => {} }
  if (typeof array[0] === 'number') return fromFlat(array, argument, dims)
  return fromRows(array, argument)
}

/** The values of all rows of several sources of the same dims, one behind the other. @throws PackvecError NOT_FINITE */
export function readRows(sources: readonly RowSource[], argument: string): { values: Float32Array; dims: number } {
  const dims = sources[0]?.dims ?? 0
  const values = new Float32Array(sources.reduce((sum, source) => sum + source.rows, 0) * dims)
  let at = 0
  for (const source of sources) {
    source.copyRows(0, source.rows, values.subarray(at), dims)
    at += source.rows * dims
  }
  const wrong = values.findIndex((value) => !Number.isFinite(value))
  if (wrong < 0) return { values, dims }
  const row = Math.floor(wrong / dims)
  return failNotFinite(argument, values[wrong], sources.length === 1 ? numberOf(sources[0]!, row) : row, wrong % dims)
}

/** The number of a row of a source in messages. */
export function numberOf(source: RowSource, row: number): number {
  return source.rowNumber?.(row) ?? row
}

/** The i-th of `count` rows of `rows`, evenly spaced. */
export function evenRow(i: number, count: number, rows: number): number {
  return Math.floor((i * rows) / count)
}

/** At most `count` rows of a source, evenly spaced. */
export function evenSample(source: RowSource, count: number): RowSource {
  if (source.rows <= count) return source
  const row = (i: number) => evenRow(i, count, source.rows)
  return {
    ...source,
    rows: count,
    rowNumber: (i) => numberOf(source, row(i)),
    copyRows(first, wanted, target, stride) {
      for (let i = 0; i < wanted; i++) source.copyRows(row(first + i), 1, target.subarray(i * stride), stride)
    },
  }
}

/** Whether the input is a list of matrices, which share one calibration. */
export function isMatrixList(input: unknown): input is readonly Matrix[] {
  return reading('embeddings', () => {
    if (arrayType(input) !== 'Array') return false
    const first = (input as readonly unknown[])[0]
    if (isTensorLike(first)) return true
    return arrayType(first) === 'Array' && arrayType((first as readonly unknown[])[0]) !== undefined
  })
}

/** 'Array', 'Float32Array', ... or undefined; by tag, so that arrays of another realm count too. */
export function arrayType(value: unknown): string | undefined {
  if (Array.isArray(value)) return 'Array'
  if (!ArrayBuffer.isView(value)) return undefined
  return (value as { [Symbol.toStringTag]?: string })[Symbol.toStringTag]
}

export function isTensorLike(value: unknown): value is TensorLike {
  return typeof value === 'object' && value !== null && 'data' in value && 'dims' in value
}

/** The shape of a tensor-like as rows and columns. */
export function tensorShape(tensor: TensorLike, argument: string): { rows: number; dims: number; single: boolean } {
  const length = tensor.data?.length
  if (arrayType(tensor.data) === undefined) {
    fail('INVALID_ARGUMENT', `${argument}.data`, 'a flat array of numbers', describe(tensor.data))
  }
  // What only claims a length must not be copied.
  if (typeof tensor.dims !== 'number' && arrayType(tensor.dims) === undefined) {
    fail('INVALID_ARGUMENT', `${argument}.dims`, '[rows, dims], two whole numbers', describe(tensor.dims))
  }
  const axes = typeof tensor.dims === 'number' ? undefined : tensor.dims
  if (axes !== undefined && (axes.length < 1 || axes.length > 2)) {
    const found = axes.length <= 8 ? `[${Array.from(axes, describe)}]` : `${axes.length} numbers`
    fail('INVALID_ARGUMENT', `${argument}.dims`, '[rows, dims], two whole numbers', found)
  }
  const shape = axes && Array.from(axes)
  const dims = shape === undefined ? (tensor.dims as number) : (shape[shape.length - 1] ?? Number.NaN)
  checkDims(dims, `${argument}.dims`)
  const rows = shape === undefined ? length / dims : shape.length === 2 ? shape[0]! : 1
  if (!Number.isSafeInteger(rows) || rows < 0) {
    fail('INVALID_ARGUMENT', `${argument}.dims`, '[rows, dims], two whole numbers', `[${shape?.map(describe) ?? dims}]`)
  }
  if (rows * dims !== length) {
    fail('INVALID_ARGUMENT', `${argument}.data`, `${rows * dims} values long (${rows} x ${dims})`, `${length}`)
  }
  return { rows, dims, single: shape?.length === 1 }
}

function fromTensor(tensor: TensorLike, argument: string): RowSource {
  const type = arrayType(tensor.data)
  const data = type === undefined ? tensor.data : asFloats(tensor.data, type, `${argument}.data`)
  return flatRows(data, tensorShape(tensor, argument), argument)
}

function fromFlat(data: ArrayLike<unknown>, argument: string, dims = data.length): RowSource {
  checkDims(dims, argument)
  const rows = data.length / dims
  if (!Number.isInteger(rows)) {
    fail('RAGGED_ROWS', argument, `rows of ${dims} values, one after another`, `${data.length} values`)
  }
  return flatRows(data, { rows, dims, single: rows === 1 }, argument)
}

function flatRows(
  data: ArrayLike<unknown>,
  shape: { rows: number; dims: number; single: boolean },
  argument: string,
): RowSource {
  const { dims } = shape
  return {
    ...shape,
    copyRows(first, count, target, stride) {
      const plain = Array.isArray(data)
      if (!plain && stride === dims) {
        target.set((data as Float32Array).subarray(first * dims, (first + count) * dims))
        return
      }
      for (let i = 0; i < count; i++) {
        const from = (first + i) * dims
        if (plain) copyNumbers(data, from, dims, target, i * stride, argument, first + i)
        else target.set((data as Float32Array).subarray(from, from + dims), i * stride)
      }
    },
  }
}

function fromRows(rows: ArrayLike<unknown>, argument: string): RowSource {
  const dims = checkRow(rows[0], argument, 0).length
  checkDims(dims, `${argument}[0]`)
  for (let i = 1; i < rows.length; i++) {
    const { length } = checkRow(rows[i], argument, i)
    if (length !== dims) fail('RAGGED_ROWS', `${argument}[${i}]`, `${dims} values long, as row 0 is`, `${length}`)
  }
  return {
    rows: rows.length,
    dims,
    single: false,
    copyRows(first, count, target, stride) {
      for (let i = 0; i < count; i++) {
        // Looked at again: a row may have changed its length since the shapes were checked.
        const row = checkRow(rows[first + i], argument, first + i)
        if (row.length !== dims) {
          fail('RAGGED_ROWS', `${argument}[${first + i}]`, `${dims} values long`, `${row.length}`)
        }
        if (Array.isArray(row)) copyNumbers(row, 0, dims, target, i * stride, argument, first + i)
        else target.set(row as Float32Array, i * stride)
      }
    },
  }
}

function checkRow(row: unknown, argument: string, index: number): ArrayLike<unknown> {
  const name = `${argument}[${index}]`
  const type = arrayType(row)
  if (type === undefined) fail('INVALID_ARGUMENT', name, 'a row of numbers', describe(row))
  return asFloats(row as ArrayLike<unknown>, type, name)
}

/** `set` would read null as 0 and "1" as 1: plain arrays are looked at value by value. */
function copyNumbers(
  values: ArrayLike<unknown>,
  from: number,
  count: number,
  target: Float32Array,
  to: number,
  argument: string,
  row: number,
): void {
  for (let i = 0; i < count; i++) {
    const value = values[from + i]
    if (typeof value !== 'number') {
      fail('INVALID_ARGUMENT', argument, 'made of numbers', `${describe(value)} at row ${row}, dimension ${i}`)
    }
    target[to + i] = value
  }
}

function asFloats(array: ArrayLike<unknown>, type: string, argument: string): ArrayLike<unknown> {
  if (type === 'Array' || type === 'Float32Array' || type === 'Float64Array' || type === 'Float16Array') return array
  if (type === 'Int8Array' || type === 'Uint8Array' || type === 'Uint8ClampedArray') {
    throw new PackvecError(
      'QUANTIZED_INPUT',
      argument,
      `${argument} must be floats rather than codes, got ${describe(array)}`,
    )
  }
  return fail('INVALID_ARGUMENT', argument, 'a Float32Array, a Float64Array or an array of numbers', describe(array))
}

function checkDims(dims: unknown, argument: string): void {
  if (dims === 0) throw new PackvecError('ZERO_DIMS', argument, `${argument} must have at least 1 dimension, got 0`)
  if (typeof dims !== 'number' || !Number.isSafeInteger(dims) || dims < 0) {
    fail('INVALID_ARGUMENT', argument, 'a whole number of dimensions', describe(dims))
  }
  if (dims > MAX_DIMS) {
    throw new PackvecError('TOO_LARGE', argument, `${argument} has ${dims} dimensions, the most is ${MAX_DIMS}`)
  }
}
