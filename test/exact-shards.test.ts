import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BuildOptions, type Precision, QuantizedIndex, type SearchOptions } from '../src/index.js'
import { createPool, type Pool } from '../src/pool.js'
import { encodeIndex, openIndex } from '../src/storage.js'
import { bookOf, DATA, type Trial, trial } from './exact.js'
import { expectBest } from './oracle.js'
import { bundlePool } from './pool-bundle.js'

const PRECISIONS: Precision[] = ['int8', 'int4', 'quaternary', 'binary']
const [ROWS, DIMS, K] = [900, 40, 12]
const quiet = { onWarning: () => {} }
const heavy = Boolean(process.env['CI_FULL'])
const pools: Pool[] = []

beforeAll(async () => {
  const bundle = await bundlePool()
  for (const transport of ['shared', 'transfer'] as const) {
    pools.push(await createPool({ workers: 3, transport, workerUrl: bundle.url('pool-worker.js') }))
  }
})

afterAll(() => Promise.all(pools.map((pool) => pool.close())))

describe.each(DATA)('over %s data, shards find what one index finds', (kind) => {
  const trialOf = (precision: Precision) => {
    return trial(kind, precision, { rows: ROWS, dims: DIMS, queries: 3, seeds: [3, 8] })
  }

  it.each(PRECISIONS)('in one stage of %s codes, and that is the best there is', async (coarse) => {
    const { data, queries, book, scores } = trialOf(coarse)
    for (const [i, scale] of [false, true].entries()) {
      const options = { coarse, rescore: 'none', scale, dims: DIMS, ...book, ...quiet } as const
      const search = { topK: K, scoring: 'asymmetric' } as const
      const expected = QuantizedIndex.build(data, options).search(queries, search)
      for (const [q, result] of expected.entries()) {
        expectBest(result, scores(scale)[q]!, K, { title: `${coarse} ${scale} ${q}` })
      }
      await expectSame({ data, queries, options, search, expected }, i)
    }
  })

  it.each(PRECISIONS)('in two stages from %s codes', async (coarse) => {
    const { data, queries, book } = trialOf(coarse)
    const int8 = bookOf({ data, dims: [ROWS, DIMS] }, 'int8')
    for (const [i, scale] of [false, true].entries()) {
      for (const [j, rescore] of (['float32', 'int8'] as const).entries()) {
        if (coarse === rescore) continue
        const options = { coarse, rescore, scale, dims: DIMS, ...int8, ...book, ...quiet } as const
        const search = { topK: K, scoring: 'asymmetric', rescoreMultiplier: 2 } as const
        const expected = QuantizedIndex.build(data, options).search(queries, search)
        await expectSame({ data, queries, options, search, expected }, i + j)
      }
    }
  })
})

interface Case {
  readonly data: Float32Array
  readonly queries: Trial['queries']
  readonly options: BuildOptions
  readonly search: SearchOptions
  readonly expected: unknown
}

/** A pool, an index that is read from two files, and one from one. The cases take turns with the transports of pools. */
async function expectSame({ data, queries, options, search, expected }: Case, turn: number): Promise<void> {
  for (const pool of heavy ? pools : [pools[turn % pools.length]!]) {
    const index = await pool.build(data, options)
    expect(await index.search(queries, search)).toEqual(expected)
    await index.close()
  }
  const cut = 501
  const parts = [data.subarray(0, cut * DIMS), data.subarray(cut * DIMS)]
  const files = parts.map((part) => encodeIndex(QuantizedIndex.build(part, options)))
  for (const sources of [files, [encodeIndex(QuantizedIndex.build(data, options))]]) {
    const opened = await openIndex(sources)
    const found = await opened.search(queries, search)
    expect(found.map(({ ids, scores }) => ({ ids: Uint32Array.from(ids as Iterable<number>), scores }))).toEqual(
      expected,
    )
    await opened.close()
  }
}
