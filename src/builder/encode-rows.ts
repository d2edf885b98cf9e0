import { PackvecError } from '../base/errors.js'
import { fitsHalf } from '../base/half.js'
import { encodeColumns, encodingRoom } from '../codes/encode.js'
import { columnType } from '../codes/factor.js'
import { scaleBytes, tensorName } from '../index-file/layout.js'
import type { Recipe } from '../search/recipe.js'
import { transformRows } from '../transform/transform.js'
import { batchesOf, batchRows } from './batches.js'
import type { Corpus } from './corpus.js'
import type { IndexWriter } from './index-writer.js'
import type { WorkOptions } from './options.js'
import { Progress } from './progress.js'

/** A factor that the float16 column of a file cannot hold. */
export class FactorTooWide extends PackvecError {
  constructor(name: string, row: number, factor: number) {
    const message =
      `scale: row ${row} needs the factor ${factor}, which the float16 column of ${name} codes cannot hold: ` +
      `build the index with scale: 'float32'`
    super('INVALID_ARGUMENT', 'scale', message)
  }
}

/**
 * Encodes all rows of a corpus after those that the writer has: one batch is written while the next is encoded.
 * @throws FactorTooWide
 */
export async function encodeRows(
  corpus: Corpus,
  { transform, columns }: Recipe,
  writer: IndexWriter,
  { onProgress, signal }: WorkOptions,
): Promise<void> {
  const progress = new Progress(onProgress, 'encode', corpus.rows, corpus.rowBytes)
  // Filled in turns, while the other is written: the engine would let tens of MiB of dead arrays lie about.
  const rooms = [0, 1].map(() => encodingRoom(columns, transform.dims, Math.min(batchRows(corpus), corpus.rows)))
  let turn = 0
  let writing: Promise<unknown> = Promise.resolve()
  try {
    for await (const batch of batchesOf(corpus, signal)) {
      const room = rooms[turn++ % 2]!
      const encoded = encodeColumns(transformRows(batch, transform, 'centred', batch.name), room, batch.name)
      await writing
      writing = Promise.all(
        columns.flatMap(({ precision, scale }, i) => {
          const name = tensorName(precision)
          const { bytes, scales } = encoded[i]!
          const codes = writer.append(name, bytes)
          if (scale === undefined) return [codes]
          const factors = `${name}.scale`
          const type = writer.scaleType(factors)
          if (type !== columnType(scales!, type)) {
            const at = scales!.findIndex((factor) => !fitsHalf(factor))
            throw new FactorTooWide(name, batch.first + at, scales![at]!)
          }
          return [codes, writer.append(factors, scaleBytes(scales!, type))]
        }),
      )
      // Thrown at the next turn or below.
      writing.catch(() => {})
      progress.report(batch.first + batch.rows)
    }
    await writing
  } finally {
    await writing.catch(() => {})
  }
}
