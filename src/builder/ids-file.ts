import { describe } from '../base/check.js'
import { PackvecError } from '../base/errors.js'
import { writeFileAtomic } from '../files/atomic-file.js'
import { type OpenFile, openFile } from '../files/file.js'
import { refuseInputs } from '../files/target.js'
import type { Id } from '../rows/ids.js'
import { IndexReader } from './index-reader.js'
import { deletedTest, storedIds } from './stored-ids.js'

/** Bytes read at a time. */
const READ_BYTES = 1 << 16
/** An id is a name, no document: a longer line is another kind of file. */
const MAX_LINE_BYTES = 1 << 20
const LINE_FEED = 0x0a

/**
 * Ids from a file of JSON lines, a string or a number each. Nothing is opened before the first is asked for.
 * @throws PackvecError `IO`, also for what is no file, such as a pipe; `INVALID_FILE`, naming the line
 */
export async function* readIdsFile(path: string): AsyncGenerator<Id> {
  const file = await openFile(path)
  try {
    let number = 1
    for await (const line of linesOf(file, path)) yield parseId(line, path, number++)
  } finally {
    await file.close()
  }
}

/** The lines of a file, without their ends, each no longer than `MAX_LINE_BYTES`. */
async function* linesOf(file: OpenFile, path: string): AsyncGenerator<Uint8Array> {
  let rest = new Uint8Array(0)
  let number = 1
  for (let position = 0; position < file.bytes; position += READ_BYTES) {
    const piece = new Uint8Array(Math.min(READ_BYTES, file.bytes - position))
    await file.read(position, piece)
    let from = 0
    for (let end = piece.indexOf(LINE_FEED); end >= 0; end = piece.indexOf(LINE_FEED, from)) {
      yield joined(rest, piece.subarray(from, end))
      rest = new Uint8Array(0)
      from = end + 1
      number++
    }
    rest = joined(rest, piece.subarray(from))
    if (rest.length <= MAX_LINE_BYTES) continue
    const message = `${path}: line ${number} has more than ${MAX_LINE_BYTES} bytes: each line must be one id as JSON`
    throw new PackvecError('INVALID_FILE', 'ids', message)
  }
  if (rest.length > 0) yield rest
}

function joined(first: Uint8Array<ArrayBuffer>, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(first.length + second.length)
  both.set(first)
  both.set(second, first.length)
  return both
}

/** Writes the ids of the rows that are not deleted, in the order of rows, as JSON lines. */
export async function writeIdsFile(indexPath: string, path: string): Promise<void> {
  await refuseInputs(path, [['index', indexPath]], 'output')
  const index = await IndexReader.open(indexPath)
  try {
    await writeFileAtomic(path, lines(index))
  } finally {
    await index.close()
  }
}

async function* lines(index: IndexReader): AsyncGenerator<Uint8Array> {
  const isDeleted = deletedTest(await index.readDeleted())
  for await (const { first, ids } of storedIds(index)) {
    const live = Array.from(ids).filter((_, i) => !isDeleted(first + i))
    yield new TextEncoder().encode(live.map((id) => `${JSON.stringify(id)}\n`).join(''))
  }
}

function parseId(line: Uint8Array, path: string, number: number): Id {
  // A mark at the beginning of the file is no part of an id.
  const text = new TextDecoder('utf-8', { ignoreBOM: number > 1 }).decode(line)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    value = undefined
  }
  if (typeof value === 'string' || typeof value === 'number') return value
  const message = `${path}: line ${number} must be a JSON string or number, got ${describe(text)}`
  throw new PackvecError('INVALID_FILE', 'ids', message)
}
