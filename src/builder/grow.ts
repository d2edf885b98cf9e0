import type { CodeColumn } from '../codes/column.js'
import { Calibration } from '../codes/ranges.js'
import { Recoding } from '../codes/recoding.js'
import { lookRows } from '../codes/suitability.js'
import { tensorName } from '../index-file/layout.js'
import { Clipping, codesClipping, isBounded } from '../search/clipping.js'
import { follows, isLarge, widenColumns } from '../search/growth.js'
import { transformRows } from '../transform/transform.js'
import { batchesOf, evenRows } from './batches.js'
import type { Corpus } from './corpus.js'
import type { IndexReader } from './index-reader.js'
import type { AppendOptions, WorkOptions } from './options.js'
import { Progress } from './progress.js'

/** The codebooks of an index that more rows come to, and what becomes of the codes that it has, by tensor. */
export interface Growth {
  readonly columns: readonly CodeColumn[]
  readonly recodings: ReadonlyMap<string, Recoding>
}

/** Widens ranges that are minima and maxima of the rows of a file for those of a corpus, which it reads once for that. */
export async function planGrowth(index: IndexReader, corpus: Corpus, options: AppendOptions): Promise<Growth> {
  const { columns } = index.parts
  const fixed = options.keepRanges === true ? columns.map(asFixed) : columns
  await warnOfClipping(index, fixed, corpus, options)
  if (!fixed.some(follows)) return { columns, recodings: new Map() }
  const found = await minMaxOf(corpus, index, options)
  const wider = widenColumns(columns, found, isLarge(corpus.rows, index.header.rows))
  const recodings = new Map<string, Recoding>()
  const grown = columns.map((column) => {
    const book = wider.find(({ precision }) => precision === column.precision)?.book
    if (book === undefined) return column
    recodings.set(
      tensorName(column.precision),
      new Recoding(column.precision, column.book as Calibration, book as Calibration),
    )
    return { ...column, book }
  })
  return { columns: grown, recodings }
}

/** Minima and maxima of all rows, as they are encoded. */
async function minMaxOf(corpus: Corpus, { parts }: IndexReader, options: WorkOptions): Promise<Calibration> {
  const found = new Calibration(parts.transform.dims)
  const progress = new Progress(options.onProgress, 'calibrate', corpus.rows, corpus.rowBytes)
  for await (const batch of batchesOf(corpus, options.signal)) {
    found.addRows(transformRows(batch, parts.transform, 'centred', batch.name), batch.name)
    progress.report(batch.first + batch.rows)
  }
  return found
}

/** A column whose ranges stay. */
export function asFixed(column: CodeColumn): CodeColumn {
  return { ...column, fit: undefined }
}

/** Tells where fixed ranges or levels of an index cut off much of a corpus, by a sample of its rows. */
export async function warnOfClipping(
  index: IndexReader,
  columns: readonly CodeColumn[],
  corpus: Corpus,
  { onWarning, signal }: Pick<AppendOptions, 'onWarning' | 'signal'>,
): Promise<void> {
  const look = await evenRows(corpus, lookRows(corpus.rows), signal)
  const usual = await usualClipping(index, columns)
  const clipping = new Clipping(usual, onWarning)
  clipping.add(columns, transformRows(look, index.parts.transform, 'centred', 'source'), corpus.rows)
}

/** What the codes say that is cut off of the first rows of the index. */
async function usualClipping(index: IndexReader, columns: readonly CodeColumn[]): Promise<number> {
  const { columns: stored, dims } = index.header
  for (const { precision, codes } of stored) {
    if (!isBounded(columns.find((column) => column.precision === precision))) continue
    for await (const piece of index.stream(codes))
      return codesClipping(columns, [{ precision, bytes: piece, scales: undefined }], dims)
  }
  return 0
}
