import { readFile } from 'node:fs/promises'
import { parse } from 'csv-parse/sync'
import { readNpy } from '../../../src/node.js'
import type { TextFile } from '../page/manifest.js'

/** Texts with categories, and their embeddings as the bytes of a float32 matrix. */
export interface TextSet {
  readonly texts: TextFile
  readonly embeddings: Uint8Array
  readonly dims: number
}

/** Reads `PATH.csv` (text, category) and `PATH.npy`, whose rows belong together. */
export async function readTextSet(path: string): Promise<TextSet> {
  const records: { text: string; category: string }[] = parse(await readFile(`${path}.csv`), { columns: true })
  const names = [...new Set(records.map(({ category }) => category))].sort()
  const { data, dims } = await readNpy(`${path}.npy`)
  const [rows, width] = dims
  if (!(data instanceof Float32Array) || rows !== records.length || width === undefined) {
    throw new Error(`${path}: ${records.length} texts, but ${dims.join(' x ')} embeddings`)
  }
  return {
    texts: {
      texts: records.map(({ text }) => text),
      names,
      category: records.map(({ category }) => names.indexOf(category)),
    },
    embeddings: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    dims: width,
  }
}
