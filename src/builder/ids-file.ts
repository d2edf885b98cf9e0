import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { describe } from '../check.js'
import { PackvecError } from '../errors.js'
import type { Id } from '../ids.js'
import { writeFileAtomic } from '../storage/atomic-file.js'
import { io } from '../storage/file.js'
import { refuseInputs } from '../storage/target.js'
import { IndexReader } from './index-reader.js'
import { deletedTest, storedIds } from './stored-ids.js'

/**
 * Ids from a file of JSON lines, a string or a number each.
 * @throws PackvecError `IO`, `INVALID_FILE`, naming the line
 */
export async function* readIdsFile(path: string): AsyncGenerator<Id> {
  const lines = createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })
  const iterator = lines[Symbol.asyncIterator]()
  try {
    for (let number = 1; ; number++) {
      const { done, value } = await io('read', path, () => iterator.next())
      if (done) return
      yield parseId(value, path, number)
    }
  } finally {
    lines.close()
  }
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

function parseId(line: string, path: string, number: number): Id {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    value = undefined
  }
  if (typeof value === 'string' || typeof value === 'number') return value
  const message = `${path}: line ${number} must be a JSON string or number, got ${describe(line)}`
  throw new PackvecError('INVALID_FILE', 'ids', message)
}
