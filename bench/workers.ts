import { existsSync } from 'node:fs'
import { QuantizedIndex } from '../src/index.js'
import { createPool, type Pool, type PoolIndex } from '../src/pool.js'
import { type Contender, interleave, verify } from './measure.js'
import type { Line, Section } from './results.js'
import { type Corpus, type Embedded, tiledCorpus } from './search/corpus.js'
import { CHUNK_ROWS } from './search/indexes.js'
import { type Sizes, TOP_K } from './sizes.js'

const WORKER = new URL('../dist/pool-worker.js', import.meta.url)

interface Sharded {
  readonly pool: Pool
  readonly index: PoolIndex
}

/** float32 rows, which no cache holds, over a pool of one worker and a pool of two, and in this thread. */
export async function workerSection(embedded: Embedded, sizes: Sizes): Promise<Section | undefined> {
  if (!existsSync(WORKER)) return undefined
  const { rows, dims } = sizes.corpora[0]!
  const corpus = tiledCorpus(embedded, rows, dims, sizes.queries)
  const pools = [await openSharded(1, corpus), await openSharded(2, corpus)] as const
  try {
    const local = buildLocal(corpus)
    const contenders: (Contender & { readonly what: string })[] = [
      {
        name: 'local',
        what: 'QuantizedIndex, this thread',
        run: rotating(corpus, (query) => local.search(query, TOP)),
      },
      { name: 'one', what: 'pool of one worker', remote: true, run: timed(corpus, pools[0].index) },
      { name: 'two', what: 'pool of two workers', remote: true, run: timed(corpus, pools[1].index) },
    ]
    const query = corpus.queries.slice(0, dims)
    const ids = String(local.search(query, TOP).ids)
    for (const { index } of pools)
      verify(String((await index.search(query, TOP)).ids) === ids, 'a pool finds other ids')
    const timings = await interleave(contenders, sizes.turns)
    const lines = contenders.map(({ name, what }, i): Line => {
      return { id: `workers.${name}`, what, timing: timings[i]!, bytes: rows * dims * 4 }
    })
    return { title: `Workers: float32 ${rows} x ${dims}, one query, top ${TOP_K}`, lines }
  } finally {
    for (const { pool } of pools) await pool.close()
  }
}

const TOP = { topK: TOP_K }
const FLOATS = { coarse: 'float32' } as const

async function openSharded(workers: number, corpus: Corpus): Promise<Sharded> {
  const pool = await createPool({ workers, workerUrl: WORKER })
  const index = await pool.build(chunk(corpus, 0), { ...FLOATS, capacity: corpus.rows })
  for (let first = CHUNK_ROWS; first < corpus.rows; first += CHUNK_ROWS) await index.add(chunk(corpus, first))
  return { pool, index }
}

function buildLocal(corpus: Corpus): QuantizedIndex {
  const index = QuantizedIndex.build(chunk(corpus, 0), { ...FLOATS, capacity: corpus.rows })
  for (let first = CHUNK_ROWS; first < corpus.rows; first += CHUNK_ROWS) index.add(chunk(corpus, first))
  return index
}

function chunk(corpus: Corpus, first: number) {
  const count = Math.min(CHUNK_ROWS, corpus.rows - first)
  return { data: corpus.chunk(first, count), dims: [count, corpus.dims] }
}

function rotating<T>({ queries, dims }: Corpus, run: (query: Float32Array) => T): () => T {
  let next = 0
  return () => {
    const at = (next++ * dims) % queries.length
    return run(queries.subarray(at, at + dims))
  }
}

/** A search of other threads by this thread's clock: from the call to the result. */
function timed(corpus: Corpus, index: PoolIndex): () => Promise<number> {
  return rotating(corpus, async (query) => {
    const start = performance.now()
    await index.search(query, TOP)
    return performance.now() - start
  })
}
