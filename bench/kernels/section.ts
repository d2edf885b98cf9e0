import type { Section } from '../results.js'
import type { Embedded } from '../search/corpus.js'
import type { Sizes } from '../sizes.js'
import { byteLines, hammingLines, pairLines } from './codes.js'
import { floatLines } from './floats.js'
import { tableLines } from './tables.js'

/** Each kernel beside the read limit over the same bytes and beside plain JavaScript. */
export async function kernelSections(sizes: Sizes, embedded: Embedded): Promise<Section[]> {
  const { rows } = sizes
  const codes = [...(await hammingLines(sizes)), ...(await pairLines(sizes)), ...(await byteLines(sizes))]
  return [
    { title: `Kernels over ${rows} x 384 codes, one thread`, lines: codes },
    { title: 'The float query against bits, one thread', lines: await tableLines(sizes, embedded) },
    { title: `Kernels over ${rows} x 384 float32, one thread`, lines: await floatLines(sizes) },
  ]
}
