import { describe, fail, reading } from '../base/check.js'
import { arrayType } from '../rows/matrix.js'
import type { Precision } from './precision.js'
import { checkPrecision } from './registry.js'

/** An array that a caller wants in a file. */
export interface TypedArray<T> {
  readonly data: T
  readonly shape: readonly number[]
  /** Where the array is codes of `quantizeEmbeddings`. */
  readonly precision: Precision | undefined
}

/** The data and the shape of codes, or of `{ data, dims }`. @throws PackvecError INVALID_ARGUMENT */
export function typedArray<T extends ArrayBufferView>(array: unknown): TypedArray<T> {
  return reading('array', () => {
    if (typeof array !== 'object' || array === null) {
      fail('INVALID_ARGUMENT', 'array', 'codes, or { data, dims }', describe(array))
    }
    const { data, dims, precision, rows, rowBytes } = array as Record<string, unknown>
    const type = arrayType(data)
    if (type === undefined || type === 'Array' || type === 'DataView') {
      fail('INVALID_ARGUMENT', 'array.data', 'a typed array', describe(data))
    }
    if (precision !== undefined) {
      checkPrecision(precision, 'array.precision')
      const columns = (rowBytes as number) / (data as Uint8Array).BYTES_PER_ELEMENT
      return { data: data as T, shape: checkShape([rows, columns]), precision: precision as Precision }
    }
    if (!Array.isArray(dims)) fail('INVALID_ARGUMENT', 'dims', '[rows, dims]', describe(dims))
    return { data: data as T, shape: checkShape(dims), precision: undefined }
  })
}

function checkShape(shape: readonly unknown[]): readonly number[] {
  const isShape = shape.length > 0 && shape.length <= 32
  if (isShape && shape.every((length) => Number.isSafeInteger(length) && (length as number) >= 0)) {
    return [...shape] as number[]
  }
  const got = isShape ? `[${shape.map(describe).join(', ')}]` : `${shape.length} axes`
  return fail('INVALID_ARGUMENT', 'dims', '1 to 32 whole numbers', got)
}
