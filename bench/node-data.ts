import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { decodeNpy } from '../src/formats/npy.js'
import type { Embedded } from './search/corpus.js'

/** Where the real embeddings may lie, seen from build/ and from bench/: the full set, else the part in the repository. */
const FOLDERS = ['../../shared/data/minilm', '../examples/data']

export function loadEmbedded(): Embedded {
  const here = fileURLToPath(new URL('.', import.meta.url))
  const folder = FOLDERS.map((path) => join(here, path)).find((path) => existsSync(join(path, 'banking77_train.npy')))
  if (folder === undefined) throw new Error('bench: banking77_train.npy is not in examples/data')
  const read = (name: string) => decodeNpy(readFileSync(join(folder, name)))
  const train = read('banking77_train.npy')
  return {
    name: 'all-MiniLM-L6-v2 over Banking77',
    dims: train.dims[1]!,
    rows: train.data as Float32Array,
    questions: read('banking77_test.npy').data as Float32Array,
  }
}
