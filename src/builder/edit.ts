import { setBit } from '../base/bits.js'
import { describe } from '../base/check.js'
import { PackvecError } from '../base/errors.js'
import { checkOptions } from '../base/options.js'
import { checkPath } from '../files/path.js'
import { refuseInputs } from '../files/target.js'
import type { IndexHeader } from '../index-file/header.js'
import { checkId, checkIds, failIdCount, failIdsGiven, failIdsMissing } from '../rows/check-ids.js'
import type { Id } from '../rows/ids.js'
import { checkCorpusDims } from './build.js'
import { collectRows, pathsIn } from './collect-rows.js'
import { copyRows } from './copy-rows.js'
import { type Corpus, checkRowCount } from './corpus.js'
import { type Edit, editIndex, loadIds, replaceIndex, resized } from './edit-index.js'
import { encodeRows } from './encode-rows.js'
import { planGrowth } from './grow.js'
import { IdList } from './id-list.js'
import { IndexReader } from './index-reader.js'
import {
  APPEND_CHECKS,
  type AppendOptions,
  DELETE_CHECKS,
  type DeleteOptions,
  type Ids,
  type RowsInput,
  WRITE_CHECKS,
  type WriteOptions,
} from './options.js'
import { deletedTest, storedIds } from './stored-ids.js'

/**
 * Adds rows behind those of an index file, with its levels and rotation: a new file that is renamed over the old one. Ranges
 * that are minima and maxima of the file's own rows widen where the new ones need it; what was given with the build stays.
 * An id may be that of a deleted row. Where the index has no ids of its own, new rows get the next numbers. The rows are
 * gathered first; then the file is this call's alone until the new one is in its place.
 * @throws PackvecError as `buildIndex` does; LOCKED where another writer of the file does not end in time; CHANGED where
 * something else has replaced the file meanwhile
 */
export async function appendToIndex(target: string, source: RowsInput, given?: AppendOptions): Promise<void> {
  const path = checkPath(target)
  const options = checkOptions(given, APPEND_CHECKS)
  const header = await IndexReader.headerOf(path)
  const { ids: known, rows } = header
  await refuseInputs(path, pathsIn(source))
  const fresh = new IdList(path, { rows, kind: known.kind === 'rows' ? undefined : known.kind })
  try {
    const corpus = await collectRows(path, source, options.ids, fresh, options)
    try {
      checkAppended(header, path, corpus, fresh)
      await editIndex(path, 'appendToIndex', options, async (edit) => {
        checkAppended(edit.index.header, path, corpus, fresh)
        await append(edit, corpus, fresh, options)
      })
    } finally {
      await corpus.close()
    }
  } finally {
    await fresh.close()
  }
}

function checkAppended({ ids, rows, ...header }: IndexHeader, path: string, corpus: Corpus, fresh: IdList): void {
  if (ids.kind === 'rows' && fresh.count > 0) failIdsGiven()
  if (ids.kind !== 'rows' && fresh.count === 0) failIdsMissing(ids.kind, corpus.rows)
  if (ids.kind !== 'rows' && fresh.count !== corpus.rows) failIdCount(corpus.rows, fresh.count)
  checkCorpusDims(corpus, { header, path })
  checkRowCount(rows + corpus.rows, 'the index')
}

async function append(
  { index, ids, lock }: Edit,
  corpus: Corpus,
  fresh: IdList,
  options: AppendOptions,
): Promise<void> {
  const { rows } = index.header
  if (index.header.ids.kind !== 'rows') {
    await loadIds(index, ids, options.signal)
    for await (const some of fresh.all()) await ids.add(some)
  }
  const old = await index.readDeleted()
  await ids.checkUnique((row) => row < rows && deletedTest(old)(row))
  const deleted = old && resized(old, rows + corpus.rows)
  const { columns, recodings } = await planGrowth(index, corpus, options)
  const change = { rows: rows + corpus.rows, ids: ids.layout, deleted: old !== undefined, columns }
  await replaceIndex(index, lock, change, async (writer) => {
    await copyRows(index, writer, undefined, options, recodings)
    await encodeRows(corpus, { ...index.parts, columns }, writer, options)
    if (deleted !== undefined) await writer.append('deleted', deleted)
    await ids.write(writer)
  })
}

/**
 * Marks rows as deleted, by their ids: searches pass over them, other ids stay what they are. `compactIndex` frees the space.
 * @throws PackvecError INVALID_ARGUMENT, naming the first id that the index does not have (or not any more); LOCKED, CHANGED
 */
export async function deleteFromIndex(target: string, ids: Ids, given?: DeleteOptions): Promise<void> {
  const path = checkPath(target)
  const options = checkOptions(given, DELETE_CHECKS)
  checkIds(ids)
  await IndexReader.headerOf(path)
  const wanted = new Set<Id>()
  for await (const id of ids) {
    checkId(id, undefined, wanted.size)
    wanted.add(id)
  }
  await editIndex(path, 'deleteFromIndex', options, (edit) => markDeleted(edit, wanted, options))
}

async function markDeleted({ index, ids: list, lock }: Edit, wanted: Set<Id>, options: DeleteOptions): Promise<void> {
  const { rows } = index.header
  const deleted = resized((await index.readDeleted()) ?? new Uint8Array(0), rows)
  const isDeleted = deletedTest(deleted)
  const before = wanted.size
  for await (const { first, ids: run } of storedIds(index, options.signal)) {
    for (let i = 0; i < run.length; i++) {
      const row = first + i
      if (isDeleted(row) || !wanted.delete(run[i]!)) continue
      setBit(deleted, row)
    }
  }
  if (wanted.size > 0 && options.ignoreMissing !== true) {
    const [missing] = wanted
    const message = `ids: the index has no row with the id ${describe(missing)} (${wanted.size} unknown)`
    throw new PackvecError('INVALID_ARGUMENT', 'ids', `${message}: pass ignoreMissing: true to skip such ids`)
  }
  if (wanted.size === before) return
  if (index.header.ids.kind !== 'rows') await loadIds(index, list, options.signal)
  await replaceIndex(index, lock, { rows, ids: list.layout, deleted: true }, async (writer) => {
    await copyRows(index, writer, undefined, options)
    await writer.append('deleted', deleted)
    await list.write(writer)
  })
}

/**
 * Writes an index without its deleted rows. Ids stay: an index that had none of its own gets the old row numbers as ids.
 * @throws PackvecError EMPTY where every row is deleted; LOCKED, CHANGED
 */
export async function compactIndex(target: string, given?: WriteOptions): Promise<void> {
  const path = checkPath(target)
  const options = checkOptions(given, WRITE_CHECKS)
  await editIndex(path, 'compactIndex', options, async ({ index, ids, lock }) => {
    const deleted = await index.readDeleted()
    if (deleted === undefined) return
    const isDeleted = deletedTest(deleted)
    await loadIds(index, ids, options.signal, (row) => !isDeleted(row))
    if (ids.count === 0)
      throw new PackvecError(
        'EMPTY',
        'path',
        `every row of ${path} is deleted, so nothing would be left: delete the file instead`,
      )
    await replaceIndex(index, lock, { rows: ids.count, ids: ids.layout, deleted: false }, async (writer) => {
      await copyRows(index, writer, (row) => !isDeleted(row), options)
      await ids.write(writer)
    })
  })
}
