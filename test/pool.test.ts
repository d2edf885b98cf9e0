import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type BuildOptions,
  backend,
  type Filter,
  init,
  PRECISIONS,
  QuantizedIndex,
  type SearchOptions,
} from '../src/index.js'
import { createPool, type Pool, type TransportKind } from '../src/pool.js'
import { Rotation } from '../src/rotations.js'
import { encodeIndex } from '../src/storage.js'
import { exampleRows } from './golden.js'
import { bundlePool } from './pool-bundle.js'
import { matrix, randomSource, tiedRows, unitRows } from './random.js'
import { changed, every, mixture, slice } from './recall.js'

const TRANSPORTS: readonly TransportKind[] = ['shared', 'transfer']
const quiet = { onWarning: () => {} }
let bundle: Awaited<ReturnType<typeof bundlePool>>
const pools: Pool[] = []

beforeAll(async () => {
  bundle = await bundlePool()
  const workerUrl = bundle.url('pool-worker.js')
  for (const workers of [1, 2, 3]) {
    for (const transport of TRANSPORTS) pools.push(await createPool({ workers, transport, workerUrl }))
  }
})

afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.close()))
})

/** A rotation about a centre, as svd's is. */
function centredRotation(dims: number): Rotation {
  const { matrix: axes } = Rotation.hadamard(dims, { seed: 2 })
  const random = randomSource(9)
  return Rotation.fromMatrix(axes, dims, 'svd', undefined, {
    centre: Float32Array.from({ length: dims }, () => (random() - 0.5) / 8),
  })
}

describe('an index of a pool gives the very results of one index', () => {
  const dims = 40
  const rotations = [undefined, Rotation.hadamard(dims, { seed: 1 }), centredRotation(dims)]
  const corpora = [matrix(701, dims, 1), tiedRows(701, dims, 60, 2)]
  const more = matrix(37, dims, 3)
  const queries = matrix(3, dims, 4)

  for (const coarse of PRECISIONS) {
    it(`with ${coarse} in front, for every rescorer, scoring and scale, at some number of workers`, async () => {
      const random = randomSource(PRECISIONS.indexOf(coarse))
      const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!
      for (const rescore of ['none', ...PRECISIONS] as const) {
        for (const scoring of ['symmetric', 'asymmetric'] as const) {
          for (const scale of [false, true]) {
            const rotation = pick(rotations)
            const options = { coarse, rescore, scale, ...(rotation && { rotation }), ...quiet }
            const embeddings = pick(corpora)
            const one = QuantizedIndex.build(embeddings, options)
            const pool = pick(pools)
            const index = await pool.build(embeddings, options)
            const search: SearchOptions = { topK: pick([1, 5, 12]), rescoreMultiplier: pick([1, 1.5, 4]), scoring }
            const title = JSON.stringify({ ...options, ...search, rotation: rotation?.kind, workers: pool.workers })
            expect(await index.search(queries, search), title).toEqual(one.search(queries, search))
            const filter = Array.from({ length: 701 }, (_, row) => row).filter(() => random() < 0.2)
            const filtered = { ...search, filter, minScore: one.search(queries, search)[0]!.scores.at(-1)! }
            expect(await index.search(queries, filtered), title).toEqual(one.search(queries, filtered))
            await index.add(more)
            one.add(more)
            const query = queries.data.subarray(0, dims)
            expect(await index.search(query, search), title).toEqual(one.search(query, search))
            await index.close()
          }
        }
      }
    })
  }

  it('on real embeddings, in batches of any size', async () => {
    const corpus = exampleRows('banking77_train.npy', 2915)
    const questions = exampleRows('banking77_test.npy', 150)
    const settings: [BuildOptions, SearchOptions][] = [
      [{}, {}],
      [{}, { topK: 100, rescoreMultiplier: 1 }],
      [{ rescore: 'none' }, {}],
      [{ coarse: 'int8' }, { topK: 3 }],
      [{ coarse: 'float32' }, {}],
      [{ coarse: 'ternary', rescore: 'int8', scale: true }, { scoring: 'asymmetric' }],
    ]
    for (const [options, search] of settings) {
      const one = QuantizedIndex.build(corpus, options)
      const expected = one.search(questions, search)
      for (const pool of pools) {
        const index = await pool.build(corpus, options)
        expect(await index.search(questions, search)).toEqual(expected)
        await index.close()
      }
    }
  })

  it('with filters of rows in every place, of one shard, and of none', async () => {
    const rows = 19_000
    const random = randomSource(3)
    const more = [10, 1, 3000, 2000, 5000, 1, 8987, 1].map((count, i) => tiedRows(count, 16, 50, i % 2))
    const queries = matrix(3, 16, 12)
    const every = Array.from({ length: rows }, (_, row) => row)
    const bits = Uint8Array.from({ length: rows / 8 }, () => random() * 256)
    const filters: Filter[] = [
      every.filter(() => random() < 0.5),
      Uint32Array.from(every.filter(() => random() < 0.01)),
      new Set(every.slice(10, 100)),
      [rows - 1],
      [],
      { bits },
    ]
    for (const options of [quiet, { ...quiet, rescore: 'none' }, { ...quiet, coarse: 'int8' }] as BuildOptions[]) {
      const one = QuantizedIndex.build(more[0]!, options)
      for (const embeddings of more.slice(1)) one.add(embeddings)
      const expected = filters.map((filter) => one.search(queries, { topK: 20, filter }))
      for (const pool of pools) {
        const index = await pool.build(more[0]!, options)
        for (const embeddings of more.slice(1)) await index.add(embeddings)
        for (const [i, filter] of filters.entries()) {
          expect(await index.search(queries, { topK: 20, filter })).toEqual(expected[i])
        }
        expect(await index.search(queries, { topK: 20 })).toEqual(one.search(queries, { topK: 20 }))
        await index.close()
      }
    }
  })

  it('with a filter as it was when the search was asked for, held against the rows of its turn', async () => {
    const embeddings = matrix(300, 16, 1)
    const query = unitRows(1, 16, 2)
    const one = QuantizedIndex.build(embeddings).add(embeddings)
    const filter = [5, 6, 7, 599]
    const expected = one.search(query, { filter })
    for (const pool of pools) {
      const index = await pool.build(embeddings)
      const added = index.add(embeddings)
      const asked = index.search(query, { filter })
      const refused = index.search(query, { filter: [600] }).catch((error: Error) => error)
      filter.fill(0)
      expect(await asked).toEqual(expected)
      filter.splice(0, 4, 5, 6, 7, 599)
      expect(await refused).toMatchObject({
        code: 'INVALID_ARGUMENT',
        argument: 'filter',
        message: 'filter must hold row numbers below 600, the rows of the index, got 600 at position 0',
      })
      await expect(index.search(query, { filter: 3 as never })).rejects.toMatchObject({ argument: 'filter' })
      await expect(index.search(query, { minScore: Number.NaN })).rejects.toMatchObject({ argument: 'minScore' })
      await added
      await index.close()
    }
  })

  it('where topK is more than the rows of a shard, and more than all rows', async () => {
    const embeddings = matrix(20, 24, 5)
    const query = unitRows(1, 24, 6)
    const one = QuantizedIndex.build(embeddings, quiet)
    for (const pool of pools) {
      const index = await pool.build(embeddings, quiet)
      for (const topK of [7, 15, 20, 1000]) {
        expect(await index.search(query, { topK })).toEqual(one.search(query, { topK }))
      }
    }
  })

  it('where there are fewer rows than workers', async () => {
    for (const pool of pools) {
      for (const rows of [1, 2]) {
        const embeddings = matrix(rows, 16, rows)
        const options = { rescore: 'float32' } as const
        const index = await pool.build(embeddings, options)
        const one = QuantizedIndex.build(embeddings, options)
        expect(await index.search([unitRows(1, 16, 8)])).toEqual(one.search([unitRows(1, 16, 8)]))
        await index.add(matrix(5, 16, 9))
        one.add(matrix(5, 16, 9))
        expect(await index.search(unitRows(1, 16, 8))).toEqual(one.search(unitRows(1, 16, 8)))
      }
    }
  })

  it('after additions small and large, with ids in the order of adding', async () => {
    const dims = 16
    for (const pool of pools) {
      const one = QuantizedIndex.build(matrix(10, dims, 1), quiet)
      const index = await pool.build(matrix(10, dims, 1), quiet)
      for (const [i, rows] of [1, 1, 3000, 2000, 5000, 1, 9000, 1].entries()) {
        const embeddings = tiedRows(rows, dims, 50, i % 2)
        one.add(embeddings)
        expect(await index.add(embeddings)).toBe(index)
      }
      expect(index.size).toBe(one.size)
      const queries = matrix(20, dims, 12)
      expect(await index.search(queries, { topK: 60 })).toEqual(one.search(queries, { topK: 60 }))
    }
  })

  it('after additions that widen the ranges, with fine codes and without', async () => {
    const all = mixture(18_000, 16, 40, 1, 5)
    const queries = every(all, 900)
    const ends = [20, 30, 1000, 1001, 16_300, 17_000, 17_001, 18_000]
    for (const options of [
      { rescore: 'none', coarse: 'int8' },
      { scale: true },
      { scope: 'global' },
    ] as BuildOptions[]) {
      const one = QuantizedIndex.build(slice(all, 0, 20), { ...quiet, ...options })
      const others = await Promise.all(pools.map((pool) => pool.build(slice(all, 0, 20), { ...quiet, ...options })))
      for (const [i, end] of ends.slice(1).entries()) {
        one.add(slice(all, ends[i]!, end))
        const expected = one.search(queries)
        for (const index of others) {
          await index.add(slice(all, ends[i]!, end))
          expect(await index.search(queries), `${end} rows`).toEqual(expected)
          expect(index.clipped).toBe(one.clipped)
        }
      }
      for (const index of others) await index.close()
    }
  })

  it('about a centre, with the same warnings', async () => {
    const rows = changed(mixture(900, 20, 5, 1, 2), (value) => value + 0.5)
    const asked = every(rows, 30)
    for (const options of [{}, { center: true }, { center: true, coarse: 'int8', rescore: 'none' }] as BuildOptions[]) {
      const messages: string[][] = [[], []]
      const one = QuantizedIndex.build(rows, { ...options, onWarning: (message) => messages[0]!.push(message) })
      for (const scoring of ['symmetric', 'asymmetric'] as const) {
        const index = await pools[3]!.build(rows, { ...options, onWarning: (message) => messages[1]!.push(message) })
        expect(await index.search(asked, { scoring })).toEqual(one.search(asked, { scoring }))
        await index.close()
      }
      expect(messages[1]).toEqual([...messages[0]!, ...messages[0]!])
      expect(messages[0]!.length).toBe(options.center ? 0 : 1)
    }
  })

  it('of rows that take several chunks to hand over', async () => {
    const dims = 2000
    const embeddings = matrix(1700, dims, 1)
    const query = unitRows(1, dims, 2)
    for (const options of [{ coarse: 'float32' }, { rotation: Rotation.hadamard(dims) }] as BuildOptions[]) {
      const one = QuantizedIndex.build(embeddings, options).add(embeddings)
      for (const pool of pools.slice(2, 4)) {
        const index = await pool.build(embeddings, options)
        await index.add(embeddings)
        expect(await index.search(query)).toEqual(one.search(query))
        await index.close()
      }
    }
  })

  it('opened from bytes, with levels, scales and a rotation', async () => {
    const dims = 40
    const embeddings = matrix(333, dims, 7)
    for (const options of [
      {},
      { coarse: 'ternary', rescore: 'int4', scale: true, rotation: centredRotation(dims) },
      { coarse: 'float32', truncate: 20, renormalize: true },
    ] as BuildOptions[]) {
      const one = QuantizedIndex.build(embeddings, options)
      for (const pool of pools) {
        const index = await pool.open(encodeIndex(one))
        expect([index.size, index.dims, index.coarse, index.rescore]).toEqual([333, 40, one.coarse, one.rescore])
        expect(await index.search(queries)).toEqual(one.search(queries))
      }
    }
  })

  it('from floats in shared memory, from arrays, and for queries of any form', async () => {
    const { data } = matrix(300, 24, 1)
    const sharedData = new Float32Array(new SharedArrayBuffer(data.byteLength))
    sharedData.set(data)
    const plain = Array.from({ length: 300 }, (_, row) => Array.from(data.subarray(24 * row, 24 * (row + 1))))
    const one = QuantizedIndex.build({ data, dims: [300, 24] })
    for (const pool of pools) {
      for (const embeddings of [{ data: sharedData, dims: [300, 24] }, plain]) {
        const index = await pool.build(embeddings)
        for (const query of [plain[3]!, plain.slice(0, 2), []]) {
          expect(await index.search(query as never)).toEqual(one.search(query as never))
        }
      }
    }
  })

  it('for several searches asked for at once, with additions between them', async () => {
    const embeddings = matrix(500, 32, 1)
    const queries = [matrix(2, 32, 5), matrix(70, 32, 6), matrix(1, 32, 7)]
    for (const pool of pools) {
      const one = QuantizedIndex.build(embeddings)
      const [index, other] = await Promise.all([pool.build(embeddings), pool.build(embeddings, { coarse: 'int8' })])
      const asked = queries.map((query) => index.search(query))
      const added = index.add(embeddings)
      const after = index.search(queries[0]!)
      const apart = other.search(queries[0]!)
      for (const [i, query] of queries.entries()) expect(await asked[i]).toEqual(one.search(query))
      await added
      expect(await after).toEqual(one.add(embeddings).search(queries[0]!))
      expect(await apart).toEqual(QuantizedIndex.build(embeddings, { coarse: 'int8' }).search(queries[0]!))
    }
  })

  it('on the plain TypeScript kernels, where this thread runs on them', async () => {
    const before = backend()
    init({ backend: 'typescript' })
    try {
      const embeddings = matrix(200, 33, 1)
      const pool = await createPool({ workers: 2, workerUrl: bundle.url('pool-worker.js') })
      const index = await pool.build(embeddings, { coarse: 'float32' })
      expect(await index.search(embeddings)).toEqual(
        QuantizedIndex.build(embeddings, { coarse: 'float32' }).search(embeddings),
      )
      await pool.close()
    } finally {
      init({ backend: before })
    }
  })
})

describe('the bundled pool', () => {
  it('finds its worker beside itself and takes one worker a core but one', async () => {
    const { createPool } = await import(/* @vite-ignore */ bundle.url('pool.js').href)
    const pool: Pool = await createPool()
    expect(pool.transport).toBe('shared')
    expect(pool.workers).toBeGreaterThanOrEqual(1)
    const index = await pool.build(matrix(120, 16, 1))
    expect((await index.search(unitRows(1, 16, 2))).ids).toHaveLength(10)
    await pool.close()
  })
})
