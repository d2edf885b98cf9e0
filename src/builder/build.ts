import { describe, fail } from '../check.js'
import { PackvecError } from '../errors.js'
import type { Id } from '../ids.js'
import { type IndexSpec, isKnownKey } from '../index-layout.js'
import type { Embeddings } from '../matrix.js'
import { replaceFile } from '../storage/atomic-file.js'
import { throwIfAborted } from '../storage/source.js'
import { type CodePlan, planCodes } from './calibrate.js'
import type { Corpus } from './corpus.js'
import { encodeRows, FactorTooWide } from './encode-rows.js'
import { IdList } from './id-list.js'
import { IndexReader } from './index-reader.js'
import { IndexWriter } from './index-writer.js'
import { collectRows, Intake } from './intake.js'
import type { BuildIndexOptions, CodingOptions, RowsInput } from './options.js'

/**
 * Builds an index file from rows that never stand in memory as a whole: one pass finds ranges, levels and rotation, a second
 * one encodes. The file is the one that `encodeIndex(QuantizedIndex.build(...))` gives for the same rows and options. It is
 * written beside its place and renamed when all of it is on the disk: until then what was at `path` stays.
 *
 * Batches, which come once, are kept as float32 in an unnamed file beside `path`. Memory: some 10 MiB, the digests (1/256 of
 * the codes), 4 bytes a row for ids that are numbers and 16 for texts, and the sample (at most 16,384 rows).
 * @throws PackvecError EMPTY, NOT_FINITE (with the row number over all files), DIMS_MISMATCH, INVALID_ARGUMENT, IO, ABORTED, ...
 */
export async function buildIndex(path: string, source: RowsInput, options: BuildIndexOptions = {}): Promise<void> {
  checkOptions(options)
  const ids = new IdList(path)
  try {
    const corpus = await collectRows(path, source, options.ids, ids, options)
    await writeNew(path, corpus, ids, options)
  } finally {
    await ids.close()
  }
}

/** Builds an index file from batches that the caller brings one by one; `buildIndex` takes them from an iterable. */
export class IndexBuilder {
  readonly #path: string
  readonly #options: BuildIndexOptions
  readonly #ids: IdList
  readonly #intake: Intake
  #isOpen = true

  private constructor(path: string, options: BuildIndexOptions, ids: IdList, intake: Intake) {
    this.#path = path
    this.#options = options
    this.#ids = ids
    this.#intake = intake
  }

  /** @throws PackvecError `INVALID_ARGUMENT`, `IO` */
  static async open(path: string, options: Omit<BuildIndexOptions, 'ids'> = {}): Promise<IndexBuilder> {
    checkOptions(options)
    const ids = new IdList(path)
    return new IndexBuilder(path, options, ids, await Intake.open(path, ids, options))
  }

  /**
   * Takes some rows, with an id for each or for none of them all. On an error of theirs none is taken.
   * @throws PackvecError NOT_FINITE, RAGGED_ROWS, DIMS_MISMATCH, INVALID_ARGUMENT (ids), IO
   */
  async add(embeddings: Embeddings, options: { readonly ids?: Iterable<Id> } = {}): Promise<void> {
    this.#checkOpen()
    await this.#intake.add(embeddings, options.ids)
  }

  /** Writes the file. @throws PackvecError as `buildIndex` does */
  async finish(): Promise<void> {
    this.#checkOpen()
    try {
      await writeNew(this.#path, this.#intake.corpus(), this.#ids, this.#options)
    } finally {
      await this.discard()
    }
  }

  /** Forgets all rows; nothing was written. */
  async discard(): Promise<void> {
    this.#isOpen = false
    await this.#intake.close()
    await this.#ids.close()
  }

  #checkOpen(): void {
    if (!this.#isOpen)
      throw new PackvecError('INVALID_ARGUMENT', 'builder', 'the builder is finished: open another one')
  }
}

async function writeNew(path: string, corpus: Corpus, ids: IdList, options: BuildIndexOptions): Promise<void> {
  try {
    await replaceFile(path, async (file) => {
      throwIfAborted(options.signal)
      await ids.checkUnique()
      const plan = await (options.like === undefined ? planCodes(corpus, options) : planLike(options.like, corpus))
      const { metadata = {} } = options
      const spec = { ...plan, rows: corpus.rows, ids: ids.layout, deleted: false, metadata }
      const write = async (slots: IndexSpec['slots']) => {
        const writer = new IndexWriter(file, { ...spec, slots })
        await encodeRows(corpus, plan, writer, options)
        await ids.write(writer)
        await writer.finish()
      }
      try {
        await write(plan.slots)
      } catch (error) {
        if (!(error instanceof FactorTooWide)) throw error
        // The places of what follows depend on the width of the factors, so that the file is begun again.
        await write(plan.slots.map((slot) => ({ ...slot, scale: slot.scale && 'float32' })))
      }
    })
  } finally {
    await corpus.close()
  }
}

/** The precisions, ranges, levels and rotation of another index. */
async function planLike(path: string, corpus: Corpus): Promise<CodePlan> {
  const index = await IndexReader.open(path)
  try {
    checkCorpusDims(corpus, index)
    return { ...index.parts, stages: index.header.stages }
  } finally {
    await index.close()
  }
}

/** Rows may have the dimensions of the embeddings, or be truncated already. @throws PackvecError DIMS_MISMATCH */
export function checkCorpusDims({ dims }: Corpus, { header, path }: IndexReader): void {
  if (dims === header.inputDims || dims === header.dims) return
  const message = `the rows have ${dims} dimensions, the index ${path} has ${header.inputDims}`
  throw new PackvecError('DIMS_MISMATCH', 'source', message)
}

const CODING_OPTIONS: readonly (keyof CodingOptions)[] = [
  ...(['coarse', 'rescore', 'calibration', 'calibrationEmbeddings', 'levels', 'scope', 'percentiles'] as const),
  ...(['scale', 'truncate', 'renormalize', 'rotation'] as const),
]

function checkOptions(options: BuildIndexOptions): void {
  const { like, metadata = {} } = options
  const second = like === undefined ? undefined : CODING_OPTIONS.find((name) => options[name] !== undefined)
  if (second !== undefined) {
    fail('INVALID_ARGUMENT', second, 'left out where `like` gives an index to follow', describe(options[second]))
  }
  const known = Object.keys(metadata).find(isKnownKey)
  if (known !== undefined) fail('INVALID_ARGUMENT', 'metadata', "keys that packvec's own metadata do not have", known)
}
