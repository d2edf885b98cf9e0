import type { RowSource } from '../rows/matrix.js'
import type { CodeColumn } from './column.js'
import { layoutOf, openColumns, parameterBytes } from './column-encoder.js'
import { copyStrided, type Rounding, scratchEncoder } from './encoder.js'

/** Codes in the layout that users and files see: rows of `rowBytes`, one behind the other. */
export interface EncodedRows {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly scales: Float32Array<ArrayBuffer> | undefined
}

/** Encodes rows through the shared workspace, for one column. @throws PackvecError NOT_FINITE */
export function encodeAll(
  source: RowSource,
  column: CodeColumn,
  argument: string,
  rounding: Rounding = 'floor',
): EncodedRows {
  const room = encodingRoom([column], source.dims, source.rows)
  return encodeColumns(source, room, argument, rounding)[0]!
}

/** A column, and where its codes go. */
export interface ColumnRoom {
  readonly column: CodeColumn
  readonly encoded: EncodedRows
}

/** Room for the codes of some rows, to be used as often as wanted. */
export function encodingRoom(columns: readonly CodeColumn[], dims: number, rows: number): ColumnRoom[] {
  return columns.map((column) => {
    const { rowBytes, factorBytes } = layoutOf(column, dims)
    const scales = factorBytes === 0 ? undefined : new Float32Array(rows)
    return { column, encoded: { bytes: new Uint8Array(rows * rowBytes), scales } }
  })
}

/**
 * Encodes rows for several columns of different families, each row staged once. Gives views of the room.
 * @throws PackvecError NOT_FINITE
 */
export function encodeColumns(
  source: RowSource,
  room: readonly ColumnRoom[],
  argument: string,
  rounding: Rounding = 'floor',
): EncodedRows[] {
  const { rows, dims } = source
  const columns = room.map(({ column }) => column)
  const layouts = columns.map((column) => layoutOf(column, dims))
  const views = room.map(({ encoded }, i): EncodedRows => {
    return { bytes: encoded.bytes.subarray(0, rows * layouts[i]!.rowBytes), scales: encoded.scales?.subarray(0, rows) }
  })
  if (rows === 0) return views
  const stride = Math.max(...layouts.map((layout) => layout.stride))
  const { encoder, codesPtr } = scratchEncoder(dims, parameterBytes(columns, dims), stride)
  const encoders = openColumns(encoder, columns, rounding)
  encoder.forEachChunk(source, argument, (first, count) => {
    for (const [i, { encode, writeFactors, layout }] of encoders.entries()) {
      const { rowBytes, stride } = layout
      const { bytes, scales } = views[i]!
      encode(0, count, codesPtr)
      const chunk = encoder.bytes(codesPtr, count * stride)
      copyStrided(chunk, stride, bytes.subarray(first * rowBytes), rowBytes, count, rowBytes)
      if (scales !== undefined) writeFactors(codesPtr, scales.subarray(first, first + count))
    }
  })
  return views
}
