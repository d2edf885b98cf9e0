import { countBits, isSet } from '../base/bits.js'
import { invalid } from '../base/invalid.js'
import { naming } from '../files/file.js'
import type { StoredTensor } from '../index-file/header.js'
import { decodeOffsets, type Id, offsetsFault } from '../rows/ids.js'
import type { IndexReader } from './index-reader.js'

/** Row numbers given at a time, for an index without other ids. */
const RUN_ROWS = 65_536

/** Ids of rows from `first` on. */
export interface IdRun {
  readonly first: number
  readonly ids: ArrayLike<Id>
}

/** The ids of all rows of an index, deleted ones too, in the order of rows. @throws PackvecError INVALID_FILE */
export async function* storedIds(index: IndexReader, signal?: AbortSignal): AsyncGenerator<IdRun> {
  const { ids, rows } = index.header
  if (ids.kind === 'numbers') yield* storedNumbers(index, ids.values, signal)
  else if (ids.kind === 'texts') yield* storedTexts(index, ids, signal)
  else {
    for (let first = 0; first < rows; first += RUN_ROWS) {
      yield { first, ids: Uint32Array.from({ length: Math.min(RUN_ROWS, rows - first) }, (_, i) => first + i) }
    }
  }
}

/** Whether a row is deleted: its bit, lowest first. */
export function deletedTest(deleted: Uint8Array | undefined): (row: number) => boolean {
  if (deleted === undefined) return () => false
  return (row) => isSet(deleted, row)
}

/** How many rows are deleted. */
export function countDeleted(deleted: Uint8Array | undefined): number {
  return deleted === undefined ? 0 : countBits(deleted)
}

async function* storedNumbers(index: IndexReader, tensor: StoredTensor, signal?: AbortSignal): AsyncGenerator<IdRun> {
  let first = 0
  for await (const piece of index.stream(tensor, signal)) {
    const ids = new Uint32Array(new Uint8Array(piece).buffer)
    yield { first, ids }
    first += ids.length
  }
}

async function* storedTexts(
  index: IndexReader,
  { texts, offsets: tensor }: { texts: StoredTensor; offsets: StoredTensor },
  signal?: AbortSignal,
): AsyncGenerator<IdRun> {
  const offsets = decodeOffsets(await index.read(tensor), tensor.dtype)
  const fault = offsetsFault(offsets, texts.byteLength)
  if (fault !== undefined) throw naming(index.path, invalid('path', `tensor ${tensor.name} ${fault}`))
  // As a search reads them: bytes that are no UTF-8 give U+FFFD.
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  const rows = offsets.length - 1
  let row = 0
  let begin = 0
  let rest = new Uint8Array(0)
  const takeWhole = (bytes: Uint8Array): Id[] => {
    const ids: Id[] = []
    for (; row < rows && offsets[row + 1]! <= begin + bytes.length; row++) {
      ids.push(decoder.decode(bytes.subarray(offsets[row]! - begin, offsets[row + 1]! - begin)))
    }
    return ids
  }
  for await (const piece of index.stream(texts, signal)) {
    const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece])
    const first = row
    yield { first, ids: takeWhole(bytes) }
    rest = new Uint8Array(bytes.subarray(offsets[row]! - begin))
    begin = offsets[row]!
  }
  // Where all texts are empty, no piece comes.
  if (row < rows) yield { first: row, ids: takeWhole(rest) }
}
