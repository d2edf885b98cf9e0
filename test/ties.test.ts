import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  init,
  type Precision,
  QuantizedIndex,
  quantizeEmbeddings,
  type SearchResult,
  semanticSearch,
} from '../src/index.js'
import { Rotation } from '../src/rotations.js'
import { encodeIndex, openIndex } from '../src/storage.js'
import { randomSource, unitRows } from './random.js'

const quiet = { onWarning: () => {} }

function expectTiesByLowerId({ ids, scores }: SearchResult): void {
  for (let i = 1; i < ids.length; i++) {
    const isInOrder = scores[i - 1]! > scores[i]! || (scores[i - 1] === scores[i] && ids[i - 1]! < ids[i]!)
    if (!isInOrder) expect.fail(`place ${i}: ${ids[i - 1]} (${scores[i - 1]}) before ${ids[i]} (${scores[i]})`)
  }
}

/** Rows far from the origin, so that what is added to all scores swallows most of their differences. */
function farRows(rows: number, dims: number, far: number) {
  const data = unitRows(rows, dims, 4).map((value) => value / 50 + far)
  const centre = new Float32Array(dims).fill(far)
  return { data, rotation: Rotation.fromTensors({ ...identity(dims), centre }) }
}

function identity(dims: number) {
  const matrix = new Float32Array(dims * dims)
  for (let d = 0; d < dims; d++) matrix[d * dims + d] = 1
  return { kind: 'svd', dims, seed: undefined, rank: undefined, matrix } as const
}

describe.each(['wasm', 'typescript'] as const)('on the %s kernels, rows of one score come by lower id', (backend) => {
  beforeAll(() => init({ backend }))
  afterAll(() => init({ backend: 'wasm' }))
  const [rows, dims] = backend === 'wasm' ? [3000, 24] : [700, 24]

  it.each(['int8', 'int4', 'ternary', 'binary', 'float32'] as Precision[])(
    'where a constant makes scores of %s codes equal, at the last place too',
    async (coarse) => {
      for (const far of [1, 50, 3000]) {
        const { data, rotation } = farRows(rows, dims, far)
        for (const rescore of ['none', 'int8'] as const) {
          if (coarse === 'float32' && rescore === 'int8') continue
          const index = QuantizedIndex.build(data, { coarse, rescore, rotation, dims, ...quiet })
          const options = { scoring: 'asymmetric', topK: 25, rescoreMultiplier: 200 } as const
          const query = unitRows(1, dims, 9)
          const result = index.search(query, options)
          expectTiesByLowerId(result)
          // Among all rows: the k-th place is the lowest id that is left of its score.
          const all = index.search(query, { ...options, topK: rows })
          expectTiesByLowerId(all)
          expect(result).toEqual({ ids: all.ids.slice(0, 25), scores: all.scores.slice(0, 25) })
          const stored = await openIndex([encodeIndex(index)])
          expect(await stored.search(query, options)).toMatchObject({ scores: result.scores })
          await stored.close()
        }
      }
    },
  )

  it('where float32 rounds sums of codes to one score', () => {
    const random = randomSource(7)
    const wide = 600
    // Nearly all codes are the highest, so that sums lie near 600 · 255², where float32 has even numbers only.
    const data = new Uint8Array(400 * wide).map(() => (random() < 0.01 ? 254 : 255))
    const corpus = { data, dims: [400, wide] }
    const query = { data: new Uint8Array(wide).fill(255).fill(1, 0, 300), dims: [1, wide] }
    const options = { precision: 'uint8', scoring: 'symmetric', topK: 30 } as const
    const [result] = semanticSearch(query, corpus, options)
    expectTiesByLowerId(result!)
    const [all] = semanticSearch(query, corpus, { ...options, topK: 400 })
    expect(result!.ids).toEqual(all!.ids.slice(0, 30))
    expect(new Set(all!.scores).size).toBeLessThan(400)
  })
})

describe('sums of codes at 65,535 dimensions', () => {
  const dims = 65_535

  it.each(['wasm', 'typescript'] as const)('all 255 are right in uint8, %s', (backend) => {
    init({ backend })
    for (const wide of [33_025, 33_026, 40_000, dims]) {
      const data = new Uint8Array(3 * wide)
        .fill(255)
        .fill(0, wide, 2 * wide)
        .fill(1, 2 * wide)
      const query = { data: new Uint8Array(wide).fill(255), dims: [1, wide] }
      const options = { precision: 'uint8', scoring: 'symmetric', topK: 3 } as const
      const [result] = semanticSearch(query, { data, dims: [3, wide] }, options)
      expect(result!.ids).toEqual(Uint32Array.of(0, 2, 1))
      expect(result!.scores).toEqual(Float32Array.of(wide * 255 ** 2, wide * 255, 0))
    }
    init({ backend: 'wasm' })
  })

  it('the lowest and the highest int8 codes are right', () => {
    const data = new Int8Array(2 * dims).fill(-128).fill(127, dims)
    const query = { data: new Int8Array(dims).fill(-128), dims: [1, dims] }
    const [result] = semanticSearch(query, { data, dims: [2, dims] }, { precision: 'int8', topK: 2 })
    expect(result!.scores).toEqual(Float32Array.of(dims * 128 ** 2, -dims * 128 * 127))
  })

  it('a query whose packed bits go on behind its last dimension is cut there', () => {
    const rowBytes = Math.ceil(dims / 8)
    const corpus = quantizeEmbeddings({ data: new Float32Array(2 * dims).fill(-1), dims: [2, dims] }, 'ubinary')
    const query = { data: new Uint8Array(rowBytes).fill(255), dims: [1, rowBytes] }
    const [result] = semanticSearch(query, corpus, { precision: 'ubinary', topK: 2 })
    expect(result!.distances).toEqual(Uint32Array.of(dims, dims))
  })

  it.each(['int4', 'quaternary', 'ternary', 'binary', 'int8', 'uint8'] as Precision[])(
    'a float query finds the rows of %s codes in the order of their scores',
    (coarse) => {
      const rows = 40
      const data = new Float32Array(rows * dims)
      const random = randomSource(5)
      for (let row = 0; row < rows; row++) {
        // Rows that follow the query more and more.
        for (let d = 0; d < dims; d++) data[row * dims + d] = (random() < 0.5 + row / 100 ? 1 : -1) * (1 + random())
      }
      const index = QuantizedIndex.build(data, { coarse, rescore: 'none', dims, ...quiet })
      const { ids } = index.search(new Float32Array(dims).fill(1), { topK: 10, scoring: 'asymmetric' })
      expect(Array.from(ids)).toEqual(Array.from({ length: 10 }, (_, i) => rows - 1 - i))
    },
  )
})
