import { Calibration } from '../calibration.js'
import { Clipping, codesClipping, isBounded } from '../clipping.js'
import type { Slot } from '../code-store.js'
import { follows, isLarge, widenSlots } from '../growth.js'
import { tensorName } from '../index-layout.js'
import { Recoding } from '../recoding.js'
import { lookRows } from '../suitability.js'
import { transformRows } from '../transform.js'
import { batchesOf, evenRows } from './batches.js'
import type { Corpus } from './corpus.js'
import type { IndexReader } from './index-reader.js'
import type { AppendOptions, WorkOptions } from './options.js'
import { Progress } from './progress.js'

/** The codebooks of an index that more rows come to, and what becomes of the codes that it has, by tensor. */
export interface Growth {
  readonly slots: readonly Slot[]
  readonly recodings: ReadonlyMap<string, Recoding>
}

/** Widens ranges that are minima and maxima of the rows of a file for those of a corpus, which it reads once for that. */
export async function planGrowth(index: IndexReader, corpus: Corpus, options: AppendOptions): Promise<Growth> {
  const { slots } = index.parts
  const fixed = options.keepRanges === true ? slots.map(asFixed) : slots
  await warnOfClipping(index, fixed, corpus, options)
  if (!fixed.some(follows)) return { slots, recodings: new Map() }
  const found = await minMaxOf(corpus, index, options)
  const wider = widenSlots(slots, found, isLarge(corpus.rows, index.header.rows))
  const recodings = new Map<string, Recoding>()
  const grown = slots.map((slot) => {
    const book = wider.find(({ precision }) => precision === slot.precision)?.book
    if (book === undefined) return slot
    recodings.set(
      tensorName(slot.precision),
      new Recoding(slot.precision, slot.book as Calibration, book as Calibration),
    )
    return { ...slot, book }
  })
  return { slots: grown, recodings }
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

/** A slot whose ranges stay. */
export function asFixed(slot: Slot): Slot {
  return { ...slot, fit: undefined }
}

/** Tells where fixed ranges or levels of an index cut off much of a corpus, by a sample of its rows. */
export async function warnOfClipping(
  index: IndexReader,
  slots: readonly Slot[],
  corpus: Corpus,
  { onWarning, signal }: Pick<AppendOptions, 'onWarning' | 'signal'>,
): Promise<void> {
  const look = await evenRows(corpus, lookRows(corpus.rows), signal)
  const usual = await usualClipping(index, slots)
  const clipping = new Clipping(usual, onWarning)
  clipping.add(slots, transformRows(look, index.parts.transform, 'centred', 'source'), corpus.rows)
}

/** What the codes say that is cut off of the first rows of the index. */
async function usualClipping(index: IndexReader, slots: readonly Slot[]): Promise<number> {
  const { slots: stored, dims } = index.header
  for (const { precision, codes } of stored) {
    if (!isBounded(slots.find((slot) => slot.precision === precision))) continue
    for await (const piece of index.stream(codes))
      return codesClipping(slots, [{ precision, bytes: piece, scales: undefined }], dims)
  }
  return 0
}
