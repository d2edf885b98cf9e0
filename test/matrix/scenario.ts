import type * as Core from '../../src/index.js'
import type * as Pools from '../../src/pool.js'
import type * as Rotations from '../../src/rotations.js'
import type * as Storage from '../../src/storage.js'

// What every runtime and every bundle must compute alike. It is given the library, so that it runs against the sources too.

type Matrix = { readonly data: Float32Array; readonly dims: readonly [rows: number, dims: number] }
export interface Data {
  readonly corpus: Matrix
  readonly queries: Matrix
}

/** Ids, and scores as the bits of their float32. */
export type Hits = readonly { readonly ids: number[]; readonly bits: number[] }[]

/** The entries that are alike everywhere. */
export interface Library {
  readonly core: typeof Core
  readonly rotations: typeof Rotations
  readonly storage: typeof Storage
}

export interface Outcome {
  readonly backend: string
  readonly codes: Record<string, number>
  readonly hits: Record<string, Hits>
  readonly errors: string[]
}

const SEARCHES = {
  'bits, then int8': {},
  'int8 alone': { coarse: 'int8', rescore: 'none' },
  float32: { coarse: 'float32' },
  '2-bit codes with a scale, then int4': { coarse: 'quaternary', rescore: 'int4', scale: true },
  'truncated to 128': { truncate: 128, renormalize: true },
} as const

/** Codes, searches, files and errors, on whatever `backend` is. */
export function runScenario({ core, rotations, storage }: Library, { corpus, queries }: Data): Outcome {
  const codes: Record<string, number> = {}
  for (const precision of core.PRECISIONS) {
    const { data } = core.quantizeEmbeddings(corpus, precision)
    codes[precision] = hashOf(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  }
  const hits: Record<string, Hits> = {}
  const search = (name: string, options: Core.BuildOptions) => {
    hits[name] = hitsOf(core.QuantizedIndex.build(corpus, options).search(queries, { topK: 5 }))
  }
  for (const [name, options] of Object.entries(SEARCHES)) search(name, options)
  search('rotated by a Hadamard matrix', { rotation: rotations.Rotation.hadamard(corpus.dims[1], { seed: 1 }) })
  search('rotated by SVD', { coarse: 'quaternary', rotation: rotations.svdRotation(corpus) })

  const index = core.QuantizedIndex.build(corpus)
  const thirds = Array.from({ length: corpus.dims[0] / 3 }, (_, i) => 3 * i)
  hits['every third row'] = hitsOf(index.search(queries, { topK: 5, filter: thirds }))
  const file = storage.encodeIndex(index)
  codes['index file'] = hashOf(file)
  hits['read from a file'] = hitsOf(storage.decodeIndex(file).search(queries, { topK: 5 }))

  const errors = [codeOf(() => index.search([1])), codeOf(() => core.quantizeEmbeddings([[Number.NaN]], 'ubinary'))]
  index.dispose()
  errors.push(codeOf(() => index.size))
  return { backend: core.backend(), codes, hits, errors }
}

/** Two threads: the same hits as one. */
export async function runPoolScenario(
  { createPool }: typeof Pools,
  { corpus, queries }: Data,
  options: Pools.PoolOptions = {},
): Promise<Record<string, Hits>> {
  const hits: Record<string, Hits> = {}
  const pool = await createPool({ workers: 2, ...options })
  for (const [name, options] of Object.entries(SEARCHES)) {
    const index = await pool.build(corpus, options)
    hits[name] = hitsOf(await index.search(queries, { topK: 5 }))
  }
  await pool.close()
  return hits
}

function hitsOf(results: readonly Core.SearchResult[]): Hits {
  return results.map(({ ids, scores }) => ({
    ids: [...ids],
    bits: [...new Uint32Array(scores.buffer, scores.byteOffset, scores.length)],
  }))
}

/** FNV-1a. */
function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}

function codeOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    return (error as Core.PackvecError).code
  }
  return 'nothing thrown'
}
