import { checkIterable, fail, isInstance, reading } from '../base/check.js'
import { forEachOf } from '../base/each.js'
import { checkIds, failIdCount } from '../rows/check-ids.js'
import { isTensorLike } from '../rows/matrix.js'
import { type Corpus, openNpyCorpus } from './corpus.js'
import type { IdList } from './id-list.js'
import { Intake } from './intake.js'
import type { Batch, Ids, RowsInput, WorkOptions } from './options.js'

/** The rows of any source as a corpus; ids go to `ids`. */
export async function collectRows(
  target: string,
  source: RowsInput,
  given: Ids | undefined,
  ids: IdList,
  work: WorkOptions,
): Promise<Corpus> {
  if (given !== undefined) checkIds(given)
  const before = ids.count
  const corpus = await openCorpus(target, source, ids, work)
  try {
    if (given !== undefined) {
      if (ids.count > before) fail('INVALID_ARGUMENT', 'ids', 'given with the batches or as the option ids', 'both')
      await ids.add(given)
    }
    const count = ids.count - before
    // None at all may be right: the caller knows.
    if (count > 0 && count !== corpus.rows) {
      failIdCount(corpus.rows, count)
    }
    return corpus
  } catch (error) {
    await corpus.close()
    throw error
  }
}

async function openCorpus(target: string, source: RowsInput, ids: IdList, work: WorkOptions): Promise<Corpus> {
  if (typeof source === 'string') return openNpyCorpus([source])
  if (isPaths(source)) return openNpyCorpus(source)
  const intake = await Intake.open(target, ids, work)
  try {
    await forEachOf(batchesIn(source), 'source', async (item) => {
      const batch = isInstance(item, Promise) ? await item : item
      await (isBatch(batch) ? intake.add(batch.embeddings, batch.ids) : intake.add(batch))
    })
    return intake.corpus()
  } catch (error) {
    await intake.close()
    throw error
  }
}

function batchesIn(
  source: Exclude<RowsInput, string>,
): Iterable<Batch | Batch['embeddings']> | AsyncIterable<Batch | Batch['embeddings']> {
  // One matrix, or one vector, is one batch.
  const isOne = reading('source', () => isTensorLike(source)) || ArrayBuffer.isView(source)
  if (isOne) return [source as unknown as Batch['embeddings']]
  checkIterable(source, 'source', 'paths of .npy files, or batches of embeddings')
  return source as Exclude<typeof source, readonly string[]>
}

/** The files that rows come from, for `refuseInputs`. */
export function pathsIn(source: RowsInput): [name: string, path: string][] {
  const paths = typeof source === 'string' ? [source] : isPaths(source) ? source : []
  return paths.map((path) => ['source', path])
}

function isPaths(source: RowsInput): source is readonly string[] {
  return reading('source', () => {
    if (!Array.isArray(source)) return false
    // Not `every`, which passes over holes: an array may claim billions of them.
    for (const item of source) if (typeof item !== 'string') return false
    return true
  })
}

function isBatch(item: Batch | Batch['embeddings']): item is Batch {
  return typeof item === 'object' && item !== null && reading('source', () => 'embeddings' in item)
}
