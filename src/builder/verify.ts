import { hexOf } from '../checksum.js'
import { PackvecError } from '../errors.js'
import { naming } from '../storage/file.js'
import { nodeSha256 } from '../storage/node-sha256.js'
import { throwIfAborted } from '../storage/source.js'
import { IdList } from './id-list.js'
import { IndexReader } from './index-reader.js'
import type { WorkOptions } from './options.js'
import { Progress } from './progress.js'
import { countDeleted, deletedTest, storedIds } from './stored-ids.js'

/** What `verifyIndex` read. */
export interface IndexSummary {
  readonly rows: number
  readonly deletedRows: number
  /** Bytes of the file. */
  readonly byteLength: number
}

/**
 * Reads the whole file and checks all there is to check: header, every tensor by its sum and by the digests of its blocks,
 * codebooks, ids.
 * @throws PackvecError INVALID_FILE, naming the tensor and the block; UNSUPPORTED, IO, ABORTED
 */
export async function verifyIndex(path: string, options: WorkOptions = {}): Promise<IndexSummary> {
  const index = await IndexReader.open(path)
  const ids = new IdList(path)
  try {
    const { rows, tensors, byteLength } = index.header
    const progress = new Progress(options.onProgress, 'verify', rows, byteLength / rows)
    let done = 0
    for (const tensor of tensors.values()) {
      throwIfAborted(options.signal)
      if (tensor.digests === undefined) await index.read(tensor)
      else {
        const whole = nodeSha256()
        for await (const piece of index.stream(tensor, options.signal)) {
          whole.update(piece)
          progress.report(Math.floor(((done + piece.length) / byteLength) * rows))
        }
        const found = hexOf(whole.digest())
        if (found !== tensor.sha256) {
          throw invalid(path, `tensor ${tensor.name}: its SHA-256 is ${found}, the header says ${tensor.sha256}`)
        }
      }
      done += tensor.byteLength
    }
    const deleted = await index.readDeleted()
    const isDeleted = deletedTest(deleted)
    if (index.header.ids.kind !== 'rows') await checkIds(index, ids, isDeleted, options.signal)
    progress.report(rows)
    return { rows, deletedRows: countDeleted(deleted), byteLength }
  } finally {
    await ids.close()
    await index.close()
  }
}

async function checkIds(
  index: IndexReader,
  list: IdList,
  isDeleted: (row: number) => boolean,
  signal: AbortSignal | undefined,
): Promise<void> {
  for await (const { ids } of storedIds(index, signal)) await list.add(Array.from(ids))
  await list.checkUnique(isDeleted).catch((error) => {
    throw error instanceof PackvecError && error.code !== 'IO' ? invalid(index.path, error.message) : error
  })
}

function invalid(path: string, message: string): unknown {
  return naming(path, new PackvecError('INVALID_FILE', 'path', message))
}
