import { openDecoder } from '../codes/codebook.js'
import type { CodeRows } from '../codes/codes.js'
import { encodeAll } from '../codes/encode.js'
import { flipSigns } from '../codes/encoder.js'
import { codeRowBytes } from '../codes/precision.js'
import type { RowSource } from '../rows/matrix.js'
import { type CodeStore, clearTail } from './code-store.js'

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
    const rowBytes = codeRowBytes(source.precision, source.dims)
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

/** The codes of one query, with unsigned bits, and none set behind the last dimension. */
export function codesOf({ bytes, precision, dims }: CodeRows, row: number): Uint8Array {
  const rowBytes = codeRowBytes(precision, dims)
  const codes = bytes.slice(row * rowBytes, (row + 1) * rowBytes)
  if (precision === 'binary') flipSigns(codes)
  clearTail(codes, rowBytes, 1, precision, dims)
  return codes
}

/** Queries as their own codes decode: what comparing int4 codes with int4 codes means. */
export function decodedQueries(store: CodeStore, rows: RowSource | CodeRows, argument: string): RowSource {
  const { precision, book } = store.column('nibbles')
  const bytes = 'copyRows' in rows ? encodeAll(rows, precision, { book }, argument).bytes : rows.bytes
  const decode = openDecoder(precision, book)
  const rowBytes = codeRowBytes(precision, store.dims)
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
