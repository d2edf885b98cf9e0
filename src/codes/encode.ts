import type { RowSource } from '../rows/matrix.js'
import { type Codebook, openDecoder, rowScale, type ScaleType, setCodebook } from './codebook.js'
import type { CodeColumn } from './column.js'
import { copyStrided, type Rounding, scratchEncoder } from './encoder.js'
import { codeRowBytes, type Precision, paddedRowBytes } from './precision.js'

export interface EncodeOptions {
  readonly book?: Codebook | undefined
  readonly rounding?: Rounding
  readonly scale?: ScaleType | undefined
}

/** Codes in the layout that users and files see: rows of `codeRowBytes`, one behind the other. */
export interface EncodedRows {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly scales: Float32Array<ArrayBuffer> | undefined
}

/** Encodes rows through the shared workspace, in one precision. @throws PackvecError NOT_FINITE */
export function encodeAll(
  source: RowSource,
  precision: Precision,
  { book, rounding = 'floor', scale }: EncodeOptions,
  argument: string,
): EncodedRows {
  const room = encodingRoom([{ precision, book, scale }], source.dims, source.rows)
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
    const bytes = new Uint8Array(rows * codeRowBytes(column.precision, dims))
    return { column, encoded: { bytes, scales: column.scale === undefined ? undefined : new Float32Array(rows) } }
  })
}

/**
 * Encodes rows in several precisions of different kinds, each row staged once. Gives views of the room.
 * @throws PackvecError NOT_FINITE
 */
export function encodeColumns(
  source: RowSource,
  room: readonly ColumnRoom[],
  argument: string,
  rounding: Rounding = 'floor',
): EncodedRows[] {
  const writers = room.map((columnRoom) => openColumn(source, columnRoom, rounding))
  if (source.rows > 0) {
    scratchEncoder(source.dims).encoder.forEachChunk(source, argument, (first, count) => {
      for (const { write } of writers) write(first, count)
    })
  }
  return writers.map(({ encoded }) => encoded)
}

function openColumn(
  source: RowSource,
  { column: { precision, book, scale }, encoded: whole }: ColumnRoom,
  rounding: Rounding,
) {
  const { rows, dims } = source
  const rowBytes = codeRowBytes(precision, dims)
  const padded = paddedRowBytes(precision, dims)
  const bytes = whole.bytes.subarray(0, rows * rowBytes)
  const scales = whole.scales?.subarray(0, rows)
  const encoded: EncodedRows = { bytes, scales }
  if (rows === 0) return { encoded, write() {} }
  const { encoder, workspace, codesPtr } = scratchEncoder(dims)
  setCodebook(encoder, precision, book)
  const decode = openDecoder(precision, book)
  const decoded = new Float32Array(dims)
  const write = (first: number, count: number) => {
    encoder.encode(precision, 0, count, codesPtr, rounding)
    const chunk = new Uint8Array(workspace.buffer, codesPtr, count * padded)
    copyStrided(chunk, padded, bytes.subarray(first * rowBytes), rowBytes, count, rowBytes)
    if (scales === undefined) return
    for (let i = 0; i < count; i++) {
      decode(chunk, i * padded, decoded)
      scales[first + i] = rowScale(encoder.stagedRow(i), decoded, scale!)
    }
  }
  return { encoded, write }
}
