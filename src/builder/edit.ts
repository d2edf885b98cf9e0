import { describe, fail } from '../check.js'
import { PackvecError } from '../errors.js'
import type { Id } from '../ids.js'
import type { IndexSpec } from '../index-layout.js'
import { replaceFile } from '../storage/atomic-file.js'
import { checkCorpusDims } from './build.js'
import { copyRows, type Keep } from './copy-rows.js'
import { checkRowCount } from './corpus.js'
import { encodeRows } from './encode-rows.js'
import { IdList } from './id-list.js'
import { IndexReader } from './index-reader.js'
import { IndexWriter } from './index-writer.js'
import { collectRows } from './intake.js'
import type { AppendOptions, DeleteOptions, Ids, RowsInput, WorkOptions } from './options.js'
import { deletedTest, storedIds } from './stored-ids.js'

/**
 * Adds rows behind those of an index file, with its ranges, levels and rotation: a new file that is renamed over the old one.
 * An id may be that of a deleted row. Where the index has no ids of its own, new rows get the next numbers.
 * @throws PackvecError as `buildIndex` does; CHANGED where another process has replaced the file meanwhile
 */
export async function appendToIndex(path: string, source: RowsInput, options: AppendOptions = {}): Promise<void> {
  await withIndex(path, async (index, ids) => {
    const { rows } = index.header
    const hasIds = index.header.ids.kind !== 'rows'
    if (hasIds) await loadIds(index, ids, options.signal)
    const corpus = await collectRows(path, source, options.ids, ids, options)
    try {
      if (hasIds !== ids.count > 0 || (hasIds && ids.count !== rows + corpus.rows)) {
        const expected = hasIds ? `given for all ${corpus.rows} new rows` : 'left out: the index has row numbers'
        fail('INVALID_ARGUMENT', 'ids', expected, `${hasIds ? ids.count - rows : ids.count} ids`)
      }
      checkCorpusDims(corpus, index)
      checkRowCount(rows + corpus.rows, 'the index')
      const old = await index.readDeleted()
      await ids.checkUnique((row) => row < rows && deletedTest(old)(row))
      const deleted = old && resized(old, rows + corpus.rows)
      await replaceIndex(
        index,
        { rows: rows + corpus.rows, ids: ids.layout, deleted: old !== undefined },
        async (writer) => {
          await copyRows(index, writer, undefined, options)
          await encodeRows(corpus, index.parts, writer, options)
          if (deleted !== undefined) await writer.append('deleted', deleted)
          await ids.write(writer)
        },
      )
    } finally {
      await corpus.close()
    }
  })
}

/**
 * Marks rows as deleted, by their ids: searches pass over them, other ids stay what they are. `compactIndex` frees the space.
 * @throws PackvecError INVALID_ARGUMENT, naming the first id that the index does not have (or not any more)
 */
export async function deleteFromIndex(path: string, ids: Ids, options: DeleteOptions = {}): Promise<void> {
  await withIndex(path, async (index, list) => {
    const { rows } = index.header
    const wanted = new Set<Id>()
    for await (const id of ids) wanted.add(id)
    const deleted = resized((await index.readDeleted()) ?? new Uint8Array(0), rows)
    const isDeleted = deletedTest(deleted)
    const before = wanted.size
    for await (const { first, ids: run } of storedIds(index, options.signal)) {
      for (let i = 0; i < run.length; i++) {
        const row = first + i
        if (isDeleted(row) || !wanted.delete(run[i]!)) continue
        deleted[row >>> 3]! |= 1 << (row & 7)
      }
    }
    if (wanted.size > 0 && options.ignoreMissing !== true) {
      const [missing] = wanted
      fail('INVALID_ARGUMENT', 'ids', 'ids of rows that the index has', `${describe(missing)} (${wanted.size} unknown)`)
    }
    if (wanted.size === before) return
    if (index.header.ids.kind !== 'rows') await loadIds(index, list, options.signal)
    await replaceIndex(index, { rows, ids: list.layout, deleted: true }, async (writer) => {
      await copyRows(index, writer, undefined, options)
      await writer.append('deleted', deleted)
      await list.write(writer)
    })
  })
}

/**
 * Writes an index without its deleted rows. Ids stay: an index that had none of its own gets the old row numbers as ids.
 * @throws PackvecError EMPTY where every row is deleted
 */
export async function compactIndex(path: string, options: WorkOptions = {}): Promise<void> {
  await withIndex(path, async (index, ids) => {
    const deleted = await index.readDeleted()
    if (deleted === undefined) return
    const isDeleted = deletedTest(deleted)
    await loadIds(index, ids, options.signal, (row) => !isDeleted(row))
    if (ids.count === 0)
      throw new PackvecError('EMPTY', 'path', `every row of ${path} is deleted, nothing would be left`)
    await replaceIndex(index, { rows: ids.count, ids: ids.layout, deleted: false }, async (writer) => {
      await copyRows(index, writer, (row) => !isDeleted(row), options)
      await ids.write(writer)
    })
  })
}

async function withIndex(path: string, use: (index: IndexReader, ids: IdList) => Promise<void>): Promise<void> {
  const index = await IndexReader.open(path)
  const ids = new IdList(path)
  try {
    await use(index, ids)
  } finally {
    await ids.close()
    await index.close()
  }
}

async function loadIds(index: IndexReader, list: IdList, signal?: AbortSignal, keep: Keep = () => true): Promise<void> {
  for await (const { first, ids } of storedIds(index, signal)) {
    await list.add(Array.from(ids).filter((_, i) => keep(first + i)))
  }
}

/** Puts a changed index in the place of the one that was read, if that is still there. */
async function replaceIndex(
  index: IndexReader,
  change: Pick<IndexSpec, 'rows' | 'ids' | 'deleted'>,
  write: (writer: IndexWriter) => Promise<void>,
): Promise<void> {
  const { stages, ownMetadata: metadata } = index.header
  await replaceFile(index.path, async (file) => {
    const writer = new IndexWriter(file, { ...index.parts, stages, metadata, ...change })
    await write(writer)
    await writer.finish()
    await index.checkCurrent()
  })
}

function resized(bits: Uint8Array, rows: number): Uint8Array {
  const wider = new Uint8Array(Math.ceil(rows / 8))
  wider.set(bits)
  return wider
}
