import type { Code } from './code.js'
import type { CodeColumn } from './column.js'
import type { Encoder, Rounding } from './encoder.js'
import { rowFactor } from './factor.js'
import { codeOf } from './registry.js'

/** The bytes of a column's rows: as files and users see them, in kernel memory, and of their factors there. */
export interface ColumnLayout {
  readonly code: Code
  readonly rowBytes: number
  readonly stride: number
  readonly factorBytes: number
}

export function layoutOf({ precision, book, scale }: CodeColumn, dims: number): ColumnLayout {
  const code = codeOf(precision)
  const factorBytes = scale === undefined ? 0 : 4 * code.factors
  return { code, rowBytes: code.rowBytes(dims, book), stride: code.stride(dims, book), factorBytes }
}

/** Bytes of parameters that columns take when their rows are encoded together. */
export function parameterBytes(columns: readonly CodeColumn[], dims: number): number {
  return columns.reduce((sum, { precision, book }) => sum + codeOf(precision).parameterBytes(dims, book), 0)
}

/** Codes and factors of staged rows, for one column. */
export interface ColumnEncoder {
  readonly column: CodeColumn
  readonly layout: ColumnLayout
  /** Encodes `count` staged rows from row `first` on to rows of `layout.stride` bytes at `codesPtr`. */
  encode(first: number, count: number, codesPtr: number): void
  /** Writes the factors of as many staged rows as `target` has room for, whose codes are at `codesPtr`. */
  writeFactors(codesPtr: number, target: Float32Array): void
}

/** Opens columns whose rows are encoded together: each has its own part of the parameters. */
export function openColumns(
  encoder: Encoder,
  columns: readonly CodeColumn[],
  rounding: Rounding = 'floor',
): ColumnEncoder[] {
  return Array.from(columns.keys(), (at) => openColumn(encoder, columns, at, rounding))
}

/** Opens one of these columns alone. */
export function openColumn(
  encoder: Encoder,
  columns: readonly CodeColumn[],
  at: number,
  rounding: Rounding = 'floor',
): ColumnEncoder {
  const column = columns[at]!
  const { precision, book, scale } = column
  const code = codeOf(precision)
  const layout = layoutOf(column, encoder.dims)
  const parametersPtr = encoder.parametersPtr + parameterBytes(columns.slice(0, at), encoder.dims)
  return {
    column,
    layout,
    encode: code.openEncoder({ encoder, parametersPtr, book, rounding }),
    writeFactors(codesPtr, target) {
      const decode = code.openDecoder(book)
      const decoded = new Float32Array(encoder.dims)
      const codes = encoder.bytes(codesPtr, target.length * layout.stride)
      for (let i = 0; i < target.length; i++) {
        decode(codes, i * layout.stride, decoded)
        target[i] = rowFactor(encoder.stagedRow(i), decoded, scale!)
      }
    },
  }
}
