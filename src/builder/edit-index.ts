import { type AtomicFile, replaceFile } from '../files/atomic-file.js'
import { type WriterLock, withWriterLock } from '../files/writer-lock.js'
import type { IndexSpec } from '../index-file/layout.js'
import type { Keep } from './copy-rows.js'
import { IdList } from './id-list.js'
import { IndexReader } from './index-reader.js'
import { IndexWriter } from './index-writer.js'
import type { WriteOptions } from './options.js'
import { storedIds } from './stored-ids.js'

/** An index file that no other call of packvec writes meanwhile. */
export interface Edit {
  readonly index: IndexReader
  /** Empty at first. */
  readonly ids: IdList
  readonly lock: WriterLock
}

/** Reads an index, and writes it, while nobody else does: what is read is what is replaced. */
export async function editIndex(
  path: string,
  work: string,
  options: WriteOptions,
  edit: (edit: Edit) => Promise<void>,
): Promise<void> {
  await withWriterLock(path, work, options, async (lock) => {
    const index = await IndexReader.open(path)
    const ids = new IdList(path)
    try {
      await edit({ index, ids, lock })
    } finally {
      await ids.close()
      await index.close()
    }
  })
}

/** Gathers the ids of an index, or of the rows that `keep` takes. */
export async function loadIds(
  index: IndexReader,
  list: IdList,
  signal?: AbortSignal,
  keep: Keep = () => true,
): Promise<void> {
  for await (const { first, ids } of storedIds(index, signal)) {
    await list.add(Array.from(ids).filter((_, i) => keep(first + i)))
  }
}

/** Puts a changed index in the place of the one that was read, if that is still there when all is on the disk. */
export async function replaceIndex(
  index: IndexReader,
  lock: WriterLock,
  change: Pick<IndexSpec, 'rows' | 'ids' | 'deleted'> & Partial<Pick<IndexSpec, 'columns'>>,
  write: (writer: IndexWriter) => Promise<void>,
): Promise<void> {
  const { stages, ownMetadata: metadata } = index.header
  const spec = { ...index.parts, stages, metadata, ...change }
  const fill = async (file: AtomicFile) => {
    const writer = new IndexWriter(file, spec)
    await write(writer)
    await writer.finish()
  }
  await replaceFile(index.path, fill, { lock, beforeRename: () => index.checkCurrent(lock.target) })
}

/** One bit per row, for more rows than before: the new bits are not set. */
export function resized(bits: Uint8Array, rows: number): Uint8Array {
  const wider = new Uint8Array(Math.ceil(rows / 8))
  wider.set(bits)
  return wider
}
