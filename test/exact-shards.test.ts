import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BuildOptions, Calibration, Levels, type Precision, QuantizedIndex } from '../src/index.js'
import { createPool, type Pool } from '../src/pool.js'
import { encodeIndex, openIndex } from '../src/storage.js'
import { DATA, expectBest, rowsOf, trueScores } from './exact.js'
import { bundlePool } from './pool-bundle.js'

const PRECISIONS: Precision[] = ['int8', 'int4', 'quaternary', 'binary']
const [ROWS, DIMS, K] = [900, 40, 12]
const quiet = { onWarning: () => {} }
const pools: Pool[] = []

beforeAll(async () => {
  const bundle = await bundlePool()
  for (const transport of ['shared', 'transfer'] as const) {
    pools.push(await createPool({ workers: 3, transport, workerUrl: bundle.url('pool-worker.js') }))
  }
})

afterAll(() => Promise.all(pools.map((pool) => pool.close())))

/** The ranges or levels of all rows, so that files of parts mean the same. */
function codebookOf(data: Float32Array, precision: Precision) {
  const rows = { data, dims: [ROWS, DIMS] }
  if (precision === 'int8') return { ranges: Calibration.from(rows) }
  return precision === 'binary' ? {} : { levels: Levels.from(rows, precision as 'int4') }
}

describe.each(DATA)('over %s data, shards find what one index finds', (kind) => {
  const data = rowsOf(kind, ROWS, DIMS, 3)
  const queries = { data: rowsOf(kind, 3, DIMS, 8), dims: [3, DIMS] }

  it.each(PRECISIONS)('in one stage of %s codes, and that is the best there is', async (coarse) => {
    for (const scale of [false, true] as const) {
      const book = codebookOf(data, coarse)
      const options = { coarse, rescore: 'none', scale, dims: DIMS, ...book, ...quiet } as const
      const search = { topK: K, scoring: 'asymmetric' } as const
      const expected = QuantizedIndex.build(data, options).search(queries, search)
      const scores = trueScores(data, DIMS, queries.data, coarse, { scale, ...book, ...quiet })
      for (const [q, result] of expected.entries()) expectBest(result, scores[q]!, K, `${coarse} ${scale} ${q}`)
      await expectSame(options, search, expected)
    }
  })

  it.each(PRECISIONS)('in two stages from %s codes', async (coarse) => {
    for (const scale of [false, true] as const) {
      for (const rescore of ['float32', 'int8'] as const) {
        if (coarse === rescore) continue
        const int8 = rescore === 'int8' ? { ranges: Calibration.from({ data, dims: [ROWS, DIMS] }) } : {}
        const options = { coarse, rescore, scale, dims: DIMS, ...codebookOf(data, coarse), ...int8, ...quiet } as const
        const search = { topK: K, scoring: 'asymmetric', rescoreMultiplier: 2 } as const
        await expectSame(options, search, QuantizedIndex.build(data, options).search(queries, search))
      }
    }
  })

  /** A pool, an index that is read from two files, and one from one. */
  async function expectSame(options: BuildOptions, search: object, expected: unknown): Promise<void> {
    for (const pool of pools) {
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
})
