import { type BuildOptions, Calibration, QuantizedIndex } from '../../src/index.js'
import type { Corpus } from './corpus.js'

export const CHUNK_ROWS = 8192

/** What the library searches, each with a memory of its own. */
export interface Indexes {
  readonly float32: QuantizedIndex
  readonly int8: QuantizedIndex
  readonly binary: QuantizedIndex
  /** Bits in front, int8 behind. */
  readonly rescored: QuantizedIndex
  readonly calibration: Calibration
  /** Milliseconds to build each, by name, without making the corpus. */
  readonly buildMs: Readonly<Record<string, number>>
}

/** Gets each chunk of the corpus as it is made, for peers that keep their own copy. */
export type Keeper = (chunk: Float32Array, first: number) => void

const OPTIONS: Readonly<Record<string, BuildOptions>> = {
  float32: { coarse: 'float32' },
  int8: { coarse: 'int8', rescore: 'none' },
  binary: { coarse: 'binary', rescore: 'none' },
  rescored: { coarse: 'binary', rescore: 'int8' },
}

/** Builds all indexes in one pass over the corpus, a chunk at a time. */
export function buildIndexes(corpus: Corpus, keepers: readonly Keeper[]): Indexes {
  const { rows, dims } = corpus
  const matrix = (first: number) => {
    const count = Math.min(CHUNK_ROWS, rows - first)
    return { data: corpus.chunk(first, count), dims: [count, dims] }
  }
  const calibration = Calibration.from(matrix(0))
  const built = new Map<string, QuantizedIndex>()
  const buildMs: Record<string, number> = {}
  for (let first = 0; first < rows; first += CHUNK_ROWS) {
    const chunk = matrix(first)
    for (const [name, options] of Object.entries(OPTIONS)) {
      const start = performance.now()
      const index = built.get(name)
      if (index) index.add(chunk)
      else built.set(name, QuantizedIndex.build(chunk, { ...options, ranges: calibration, capacity: rows }))
      buildMs[name] = (buildMs[name] ?? 0) + performance.now() - start
    }
    for (const keep of keepers) keep(chunk.data, first)
  }
  const get = (name: string) => built.get(name)!
  const [float32, int8, binary, rescored] = [get('float32'), get('int8'), get('binary'), get('rescored')]
  return { float32, int8, binary, rescored, calibration, buildMs }
}
