import { afterAll, describe, expect, it } from 'vitest'
import { type BuildOptions, Calibration, init, PRECISIONS, type Precision, QuantizedIndex } from '../../src/index.js'
import { Rotation, randomRotation, svdRotation } from '../../src/rotations.js'
import { encodeIndex, openIndex } from '../../src/storage-node.js'
import { matrix, unitRows } from '../random.js'
import { rejectionOf } from './server.js'

/** Builds an index, opens its file as a stored one (and as one that is in memory), and compares their answers. */
async function expectSame(index: QuantizedIndex, options: object[], inputDims = index.dims, cacheBytes?: number) {
  const file = encodeIndex(index)
  const queries = matrix(5, inputDims, 77)
  for (const load of ['coarse', 'all'] as const) {
    const stored = await openIndex(file, { load, ...(cacheBytes === undefined ? {} : { cacheBytes }) })
    expect([stored.size, stored.dims, stored.coarse, stored.rescore]).toEqual([
      index.size,
      index.dims,
      index.coarse,
      index.rescore,
    ])
    for (const option of options) {
      expect(await stored.search(queries, option)).toEqual(index.search(queries, option))
    }
    await stored.close()
  }
}

const SEARCHES = [
  {},
  { topK: 3, rescoreMultiplier: 1 },
  { topK: 70, rescoreMultiplier: 10 },
  { scoring: 'symmetric' },
  { scoring: 'asymmetric', topK: 5 },
  { minScore: 0.1 },
  { filter: [1, 5, 8, 200, 201] },
]

describe('a stored index', () => {
  afterAll(() => init({ backend: 'wasm' }))

  it.each(PRECISIONS)('gives the results of the index in memory bit for bit with coarse %s', async (coarse) => {
    for (const rescore of [...PRECISIONS, 'none'] as (Precision | 'none')[]) {
      for (const [rows, dims] of [
        [300, 96],
        [301, 37],
      ] as const) {
        const index = QuantizedIndex.build(matrix(rows, dims, rows), { coarse, rescore })
        await expectSame(index, SEARCHES)
      }
    }
  })

  it.each([1, 7, 64, 100, 129, 1000])('does with %i dimensions', async (dims) => {
    for (const rescore of ['int8', 'float32', 'int4', 'ternary'] as const) {
      await expectSame(QuantizedIndex.build(matrix(250, dims, dims), { rescore }), SEARCHES)
    }
  })

  const sample = matrix(400, 48, 3)
  it.each<[string, BuildOptions]>([
    ['scales of float16', { scale: true }],
    ['scales of float32', { scale: 'float32', rescore: 'int4' }],
    ['scales and levels', { scale: true, coarse: 'ternary', rescore: 'quaternary' }],
    ['a hadamard rotation', { rotation: Rotation.hadamard(48, { seed: 5 }) }],
    ['a random rotation', { rotation: randomRotation(48, { seed: 5 }), rescore: 'float32' }],
    ['a rotation about the mean', { rotation: svdRotation(sample, { center: true }), scale: true }],
    ['truncation', { truncate: 20, renormalize: true }],
    ['truncation and rotation', { truncate: 33, renormalize: true, rotation: Rotation.hadamard(33, { seed: 1 }) }],
    ['percentiles', { percentiles: [1, 99], coarse: 'int8', rescore: 'float32' }],
    ['a global scope', { scope: 'global', coarse: 'quaternary', rescore: 'uint8' }],
  ])('does with %s', async (_title, options) => {
    await expectSame(QuantizedIndex.build(sample, options), SEARCHES)
  })

  it('does on the TypeScript backend', async () => {
    init({ backend: 'typescript' })
    await expectSame(QuantizedIndex.build(matrix(250, 40, 8), { scale: true }), SEARCHES)
    init({ backend: 'wasm' })
  })

  it('does with blocks that rows cross, with a cache of one block and with none', async () => {
    const index = QuantizedIndex.build(matrix(2000, 100, 4), { rescore: 'float32' })
    for (const cacheBytes of [0, 4096, 100_000]) await expectSame(index, SEARCHES, 100, cacheBytes)
  })

  it('does with more candidates than are read at once, over many queries', async () => {
    const index = QuantizedIndex.build(matrix(1500, 64, 4))
    const stored = await openIndex(encodeIndex(index))
    const queries = matrix(200, 64, 5)
    const options = { topK: 300, rescoreMultiplier: 5 }
    expect(await stored.search(queries, options)).toEqual(index.search(queries, options))
    expect(await stored.search([])).toEqual([])
  })

  it('answers a vector with one result and a matrix with an array of them', async () => {
    const index = QuantizedIndex.build(matrix(100, 16, 1))
    const stored = await openIndex(encodeIndex(index))
    const query = unitRows(1, 16, 2)
    expect(await stored.search(query)).toEqual(index.search(query))
    expect(await stored.search([query])).toEqual([index.search(query)])
  })

  it('answers with an array in any case when it is asked for many', async () => {
    const stored = await openIndex(encodeIndex(QuantizedIndex.build(matrix(300, 32, 4))))
    const query = matrix(1, 32, 5)
    const vector = query.data.slice()
    const one = await stored.search(vector, { topK: 3 })
    expect(await stored.searchMany(vector, { topK: 3 })).toEqual([one])
    expect(await stored.searchMany(query, { topK: 3 })).toEqual([one])
    expect((await stored.searchMany(matrix(4, 32, 6), { topK: 3 })).length).toBe(4)
    expect(await stored.searchMany([])).toEqual([])
    await stored.close()
    expect((await rejectionOf(stored.searchMany(vector))).code).toBe('DISPOSED')
  })

  it('takes the queries as they are when it is asked', async () => {
    const index = QuantizedIndex.build(matrix(100, 16, 1))
    const stored = await openIndex(encodeIndex(index))
    const query = unitRows(1, 16, 2)
    const expected = index.search(query)
    const running = stored.search(query)
    query.fill(1)
    expect(await running).toEqual(expected)
  })

  it('answers searches side by side as it answers one after the other', async () => {
    const index = QuantizedIndex.build(matrix(2000, 64, 4), { coarse: 'int4', rescore: 'float32', scale: true })
    const stored = await openIndex(encodeIndex(index), { cacheBytes: 50_000 })
    const queries = matrix(30, 64, 5)
    const each = await Promise.all(
      Array.from({ length: 30 }, (_, i) => {
        const topK = 1 + ((i * 37) % 400)
        return stored.search(queries.data.subarray(i * 64, (i + 1) * 64), { topK })
      }),
    )
    each.forEach((result, i) => {
      const topK = 1 + ((i * 37) % 400)
      expect(result).toEqual(index.search(queries.data.subarray(i * 64, (i + 1) * 64), { topK }))
    })
  })

  it('searches batch by batch as batches come', async () => {
    const index = QuantizedIndex.build(matrix(500, 32, 4))
    const stored = await openIndex(encodeIndex(index))
    const batches = [matrix(3, 32, 5), matrix(200, 32, 6), matrix(1, 32, 7)]
    async function* arriving() {
      for (const batch of batches) yield batch
    }
    for (const source of [batches, arriving()]) {
      const results = []
      for await (const result of stored.searchBatches(source, { topK: 4 })) results.push(result)
      expect(results).toEqual(batches.map((batch) => index.search(batch, { topK: 4 })))
    }
    const wrong = async () => {
      for await (const _ of stored.searchBatches([batches[0]!, matrix(1, 31, 7)]));
    }
    expect(await rejectionOf(wrong())).toMatchObject({ code: 'DIMS_MISMATCH', argument: 'query' })
  })

  it('is closed once, and refuses searches afterwards', async () => {
    const stored = await openIndex(encodeIndex(QuantizedIndex.build(matrix(100, 16, 1))))
    await stored.close()
    await stored[Symbol.asyncDispose]()
    for (const call of [stored.search(unitRows(1, 16, 2)), stored.filterOf([1])]) {
      expect(await rejectionOf(call)).toMatchObject({ code: 'DISPOSED', argument: 'index' })
    }
  })

  it('stops for a signal and for the time it takes', async () => {
    const stored = await openIndex(encodeIndex(QuantizedIndex.build(matrix(20_000, 128, 1))))
    const queries = matrix(3000, 128, 2)
    expect(await rejectionOf(stored.search(queries, { signal: AbortSignal.abort('no') }))).toMatchObject({
      code: 'ABORTED',
      cause: 'no',
    })
    const controller = new AbortController()
    const running = stored.search(queries, { signal: controller.signal })
    setTimeout(() => controller.abort())
    expect(await rejectionOf(running)).toMatchObject({ code: 'ABORTED', argument: 'signal' })
    expect(await rejectionOf(stored.search(queries, { timeout: 1 }))).toMatchObject({
      code: 'TIMEOUT',
      argument: 'timeout',
    })
    const query = queries.data.subarray(0, 128)
    expect((await stored.search(query, { timeout: 60_000 })).ids.length).toBe(10)
  })

  it.each([
    ['query', [[1]], {}],
    ['query', unitRows(1, 16, 2).fill(Number.NaN), {}],
    ['topK', unitRows(1, 16, 2), { topK: 0 }],
    ['timeout', unitRows(1, 16, 2), { timeout: 0 }],
    ['signal', unitRows(1, 16, 2), { signal: {} }],
    ['filter', unitRows(1, 16, 2), { filter: [100] }],
    ['filter', unitRows(1, 16, 2), { filter: { bits: new Uint8Array(3) } }],
    ['minScore', unitRows(1, 16, 2), { minScore: 'x' }],
  ])('refuses a wrong %s by name', async (argument, query, options) => {
    const stored = await openIndex(encodeIndex(QuantizedIndex.build(matrix(100, 16, 1))))
    expect(await rejectionOf(stored.search(query as never, options as never))).toMatchObject({ argument })
  })

  it.each([
    ['source', 3],
    ['source', null],
    ['sources', []],
  ])('refuses %s: %o', async (argument, source) => {
    expect(await rejectionOf(openIndex(source as never))).toMatchObject({ code: 'INVALID_ARGUMENT', argument })
  })

  it.each([
    ['load', { load: 'none' }],
    ['cacheBytes', { cacheBytes: -1 }],
    ['onCacheFull', { onCacheFull: 'x' }],
    ['signal', { signal: 1 }],
  ])('refuses a wrong %s at opening', async (argument, options) => {
    const file = encodeIndex(QuantizedIndex.build(matrix(10, 16, 1)))
    expect(await rejectionOf(openIndex(file, options as never))).toMatchObject({ code: 'INVALID_ARGUMENT', argument })
  })
})

describe('several files as one index', () => {
  const [rows, dims] = [900, 40]
  const all = matrix(rows, dims, 21)
  const part = (first: number, end: number) => ({
    data: all.data.subarray(first * dims, end * dims),
    dims: [end - first, dims],
  })
  const calibration = Calibration.from(all)

  it.each<[string, BuildOptions]>([
    ['binary and int8', {}],
    ['int8 alone', { coarse: 'int8', rescore: 'none' }],
    ['binary and float32', { rescore: 'float32' }],
    ['float32', { coarse: 'float32' }],
    ['binary twice', { rescore: 'binary' }],
  ])('give the results of one index of all rows with %s', async (_title, options) => {
    const build = { ...options, ranges: calibration }
    const whole = QuantizedIndex.build(all, build)
    const cuts = [0, 300, 301, 870, 900]
    const files = cuts.slice(1).map((end, i) => encodeIndex(QuantizedIndex.build(part(cuts[i]!, end), build)))
    const queries = matrix(9, dims, 22)
    for (const load of ['coarse', 'all'] as const) {
      const stored = await openIndex(files, { load })
      expect(stored.size).toBe(rows)
      for (const option of [...SEARCHES, { topK: 1000 }, { filter: [299, 300, 301, 899] }]) {
        expect(await stored.search(queries, option as object)).toEqual(whole.search(queries, option as object))
      }
    }
  })

  it.each<[string, BuildOptions]>([
    ['ranges', {}],
    ['rescore precision', { ranges: calibration, rescore: 'uint8' }],
    ['scale of binary', { ranges: calibration, scale: true }],
    ['rotation', { ranges: calibration, rotation: Rotation.hadamard(dims, { seed: 1 }) }],
    ['dims', { truncate: 20 }],
  ])('are refused where they differ in %s', async (what, options) => {
    const files = [
      QuantizedIndex.build(part(0, 450), { ranges: calibration }),
      QuantizedIndex.build(part(450, 900), options),
    ].map(encodeIndex)
    const error = await rejectionOf(openIndex(files))
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'sources[1]' })
    expect(error.message).toContain(what)
  })
})
