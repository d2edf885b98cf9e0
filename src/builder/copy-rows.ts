import type { Recoding } from '../codes/recoding.js'
import type { IndexReader } from './index-reader.js'
import type { IndexWriter } from './index-writer.js'
import type { WorkOptions } from './options.js'
import { Progress } from './progress.js'

/** Whether to copy a row. */
export type Keep = (row: number) => boolean

/**
 * Copies codes and scales of an index to a new file, each block checked: all rows, or those that `keep` takes.
 * @param recodings by tensor, if its codes get other ranges
 */
export async function copyRows(
  index: IndexReader,
  writer: IndexWriter,
  keep: Keep | undefined,
  { onProgress, signal }: WorkOptions,
  recodings: ReadonlyMap<string, Recoding> = new Map(),
): Promise<void> {
  const { rows, columns, dims } = index.header
  const tensors = columns.flatMap(({ codes, scale }) => (scale === undefined ? [codes] : [codes, scale.tensor]))
  const bytes = tensors.reduce((sum, { byteLength }) => sum + byteLength, 0)
  const progress = new Progress(onProgress, 'copy', rows, bytes / rows)
  let done = 0
  for (const tensor of tensors) {
    const filter = keep === undefined ? (piece: Uint8Array) => piece : rowFilter(tensor.byteLength / rows, keep)
    const recoding = recodings.get(tensor.name)
    let bytesBefore = 0
    for await (const piece of index.stream(tensor, signal)) {
      recoding?.apply(piece, dims, bytesBefore % dims)
      bytesBefore += piece.length
      await writer.append(tensor.name, filter(piece))
      done += piece.length
      progress.report(Math.floor((done / bytes) * rows))
    }
  }
}

/** Takes rows out of a run of bytes that comes in pieces of any length. */
function rowFilter(rowBytes: number, keep: Keep): (piece: Uint8Array) => Uint8Array {
  let row = 0
  /** Of a row that the last piece cut. */
  let rest = new Uint8Array(0)
  return (piece) => {
    const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece])
    const whole = Math.floor(bytes.length / rowBytes)
    const kept = new Uint8Array(whole * rowBytes)
    let at = 0
    for (let i = 0; i < whole; i++) {
      if (!keep(row + i)) continue
      kept.set(bytes.subarray(i * rowBytes, (i + 1) * rowBytes), at)
      at += rowBytes
    }
    row += whole
    rest = new Uint8Array(bytes.subarray(whole * rowBytes))
    return kept.subarray(0, at)
  }
}
