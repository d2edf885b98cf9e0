import type { CodeRows } from '../codes/codes.js'
import { encodeAll } from '../codes/encode.js'
import { flipSigns } from '../codes/packed.js'
import type { Precision } from '../codes/precision.js'
import { codeOf } from '../codes/registry.js'
import type { RowSource } from '../rows/matrix.js'
import type { CodeStore } from './code-store.js'

export interface Queries {
  /** Float queries, or codes of the first stage's precision. */
  readonly rows: RowSource | CodeRows
  /** Float queries shifted as the rows were before they were encoded, for codes with codes; `rows` by default. */
  readonly centred?: RowSource | undefined
  /** What to add to the dot of query `row` with decoded rows. */
  readonly offset?: ((row: number) => number) | undefined
}

/** Some of the queries, in this order. */
export function pickQueries({ rows, centred, offset }: Queries, picked: readonly number[]): Queries {
  return {
    rows: pickRows(rows, picked),
    centred: centred && (pickRows(centred, picked) as RowSource),
    offset: offset && ((row) => offset(picked[row]!)),
  }
}

function pickRows(source: RowSource | CodeRows, picked: readonly number[]): RowSource | CodeRows {
  if (!('copyRows' in source)) {
    const rowBytes = codeOf(source.precision).rowBytes(source.dims, source.book)
    const bytes = new Uint8Array(picked.length * rowBytes)
    for (const [i, row] of picked.entries())
      bytes.set(source.bytes.subarray(row * rowBytes, (row + 1) * rowBytes), i * rowBytes)
    return { ...source, bytes, rows: picked.length }
  }
  return {
    ...source,
    rows: picked.length,
    copyRows(first, count, target, stride) {
      for (let i = 0; i < count; i++) source.copyRows(picked[first + i]!, 1, target.subarray(i * stride), stride)
    },
  }
}

/** The codes of one query as an index keeps codes of the family, and nothing behind the last dimension. */
export function codesOf({ bytes, precision, dims, book }: CodeRows, row: number): Uint8Array {
  const code = codeOf(precision)
  const rowBytes = code.rowBytes(dims, book)
  const codes = bytes.slice(row * rowBytes, (row + 1) * rowBytes)
  if (code.isSigned !== codeOf(code.keptAs).isSigned) flipSigns(codes)
  code.clearTail(codes, rowBytes, 1, dims)
  return codes
}

/** Queries as their own codes decode: what comparing codes with codes means where no kernel compares them. */
export function decodedQueries(
  store: CodeStore,
  coarse: Precision,
  rows: RowSource | CodeRows,
  argument: string,
): RowSource {
  const { column, code, rowBytes } = store.column(coarse)
  const bytes = 'copyRows' in rows ? encodeAll(rows, { ...column, scale: undefined }, argument).bytes : rows.bytes
  const decode = code.openDecoder(column.book)
  return {
    rows: rows.rows,
    dims: store.dims,
    single: rows.single,
    copyRows(first, count, target, stride) {
      for (let i = 0; i < count; i++) {
        decode(bytes, (first + i) * rowBytes, target.subarray(i * stride, i * stride + store.dims))
      }
    },
  }
}
