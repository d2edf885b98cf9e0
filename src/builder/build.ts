import { throwIfAborted } from '../base/abort.js'
import { describe, fail } from '../base/check.js'
import { PackvecError } from '../base/errors.js'
import { checkOptions } from '../base/options.js'
import { type AtomicFile, replaceFile } from '../files/atomic-file.js'
import { checkPath } from '../files/path.js'
import { refuseInputs } from '../files/target.js'
import type { IndexHeader } from '../index-file/header.js'
import type { IndexSpec } from '../index-file/layout.js'
import type { Recipe } from '../search/recipe.js'
import { planCodes } from './calibrate.js'
import { collectRows, pathsIn } from './collect-rows.js'
import type { Corpus } from './corpus.js'
import { encodeRows, FactorTooWide } from './encode-rows.js'
import { asFixed, warnOfClipping } from './grow.js'
import { IdList } from './id-list.js'
import { IndexReader } from './index-reader.js'
import { IndexWriter } from './index-writer.js'
import { checkMetadata } from './metadata.js'
import {
  BUILD_INDEX_CHECKS,
  type BuildIndexOptions,
  CODING_CHECKS,
  type CodingOptions,
  type RowsInput,
} from './options.js'

/**
 * Builds an index file from rows that never stand in memory as a whole: one pass finds ranges, levels and rotation, a second
 * one encodes. The file is the one that `encodeIndex(QuantizedIndex.build(...))` gives for the same rows and options. It is
 * written beside its place and renamed when all of it is on the disk: until then what was at `path` stays.
 *
 * Batches, which come once, are kept as float32 in an unnamed file beside `path`. Memory: some 10 MiB, the digests (1/256 of
 * the codes), 4 bytes per row for ids that are numbers and 16 for texts, and the sample (at most 16,384 rows).
 * @throws PackvecError EMPTY, NOT_FINITE (with the row number over all files), DIMS_MISMATCH, INVALID_ARGUMENT, IO, ABORTED, ...
 */
export async function buildIndex(target: string, source: RowsInput, given?: BuildIndexOptions): Promise<void> {
  const path = checkPath(target)
  const options = checkBuildOptions(given)
  await refuseInputs(path, [...pathsIn(source), ['index to follow', options.like]])
  const ids = new IdList(path)
  try {
    const corpus = await collectRows(path, source, options.ids, ids, options)
    try {
      await writeNew(path, corpus, ids, options)
    } finally {
      await corpus.close()
    }
  } finally {
    await ids.close()
  }
}

/** Writes the index of a corpus in the place of what was at `path`. */
export async function writeNew(path: string, corpus: Corpus, ids: IdList, options: BuildIndexOptions): Promise<void> {
  const { signal, lockTimeout, like, metadata = {} } = options
  const fill = async (file: AtomicFile) => {
    throwIfAborted(signal)
    await ids.checkUnique()
    const plan = await (like === undefined ? planCodes(corpus, options) : planLike(like, corpus, options))
    const spec = { ...plan, rows: corpus.rows, ids: ids.layout, deleted: false, metadata }
    const write = async (columns: IndexSpec['columns']) => {
      const writer = new IndexWriter(file, { ...spec, columns })
      await encodeRows(corpus, plan, writer, options)
      await ids.write(writer)
      await writer.finish()
    }
    try {
      await write(plan.columns)
    } catch (error) {
      if (!(error instanceof FactorTooWide)) throw error
      // The places of what follows depend on the width of the factors, so that the file is begun again.
      await write(plan.columns.map((column) => ({ ...column, scale: column.scale && 'float32' })))
    }
  }
  await replaceFile(path, fill, { signal, lockTimeout })
}

/** The precisions, ranges, levels and rotation of another index. */
async function planLike(path: string, corpus: Corpus, options: BuildIndexOptions): Promise<Recipe> {
  const index = await IndexReader.open(path)
  try {
    checkCorpusDims(corpus, index)
    // Fixed: files that are searched as one need the same ranges.
    const columns = index.parts.columns.map(asFixed)
    await warnOfClipping(index, columns, corpus, options)
    return { ...index.parts, columns }
  } finally {
    await index.close()
  }
}

/** Rows may have the dimensions of the embeddings, or be truncated already. @throws PackvecError DIMS_MISMATCH */
export function checkCorpusDims(
  { dims }: Corpus,
  { header, path }: { readonly header: Pick<IndexHeader, 'dims' | 'inputDims'>; readonly path: string },
): void {
  if (dims === header.inputDims || dims === header.dims) return
  const message = `the rows have ${dims} dimensions, the index ${path} has ${header.inputDims}`
  throw new PackvecError('DIMS_MISMATCH', 'source', message)
}

/** What an index to follow says already; warnings come all the same. */
const codings = (Object.keys(CODING_CHECKS) as (keyof CodingOptions)[]).filter((name) => name !== 'onWarning')

/** @throws PackvecError INVALID_ARGUMENT */
export function checkBuildOptions(
  given: BuildIndexOptions | undefined,
  checks: Partial<typeof BUILD_INDEX_CHECKS> = BUILD_INDEX_CHECKS,
): BuildIndexOptions {
  const options = checkOptions(given, checks as typeof BUILD_INDEX_CHECKS)
  const { like, metadata } = options
  const second = like === undefined ? undefined : codings.find((name) => options[name] !== undefined)
  if (second !== undefined) {
    fail(
      'INVALID_ARGUMENT',
      second,
      'left out beside `like`, which takes it from another index',
      describe(options[second]),
    )
  }
  if (metadata !== undefined) checkMetadata(metadata)
  return options
}
