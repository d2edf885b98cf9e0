import { afterAll, beforeAll, describe, it } from 'vitest'
import { init, type Precision, QuantizedIndex } from '../src/index.js'
import { DATA, expectBest, rowsOf, trueScores } from './exact.js'
import { randomSource } from './random.js'

const PRECISIONS: Precision[] = ['int8', 'uint8', 'int4', 'quaternary', 'ternary', 'binary']
const quiet = { onWarning: () => {} }
const heavy = Boolean(process.env['CI_FULL'])

function search(kind: string, precision: Precision, rows: number, dims: number, scale: boolean | 'float32', k: number) {
  const seed = 17 * dims + rows
  const data = rowsOf(kind, rows, dims, seed)
  const queries = rowsOf(kind, 4, dims, seed + 5)
  const options = { scale, ...quiet }
  const index = QuantizedIndex.build(data, { coarse: precision, rescore: 'none', dims, ...options })
  const results = index.search({ data: queries, dims: [4, dims] }, { topK: k, scoring: 'asymmetric' })
  return { results, index, queries, data, scores: trueScores(data, dims, queries, precision, options) }
}

describe.each(['wasm', 'typescript'] as const)('on the %s kernels', (backend) => {
  beforeAll(() => init({ backend }))
  afterAll(() => init({ backend: 'wasm' }))
  const rows = backend === 'wasm' ? (heavy ? 16_000 : 2000) : 600

  describe.each(DATA)('one stage over %s data', (kind) => {
    it.each(PRECISIONS)('finds the best rows that %s codes have', (precision) => {
      for (const scale of [false, true, 'float32'] as const) {
        for (const dims of backend === 'wasm' ? [64, 200] : [40]) {
          const { results, scores } = search(kind, precision, rows, dims, scale, 10)
          for (const [q, result] of results.entries()) expectBest(result, scores[q]!, 10, `${dims} ${scale} ${q}`)
        }
      }
    })
  })

  it('finds them at any number of dimensions', () => {
    for (const dims of [1, 2, 3, 5, 8, 17, 31, 100, 769, ...(backend === 'wasm' ? [2100] : [])]) {
      for (const precision of PRECISIONS) {
        for (const kind of ['uneven 1', 'outlier', 'constant']) {
          for (const scale of [false, true]) {
            const { results, scores } = search(kind, precision, 300, dims, scale, 7)
            for (const [q, result] of results.entries()) {
              expectBest(result, scores[q]!, 7, `${kind} ${precision} ${dims} ${scale} ${q}`)
            }
          }
        }
      }
    }
  })

  it('finds them among the rows that a filter allows, few or many', () => {
    const random = randomSource(4)
    for (const kind of ['uneven 1', 'outlier', 'plain']) {
      for (const precision of PRECISIONS) {
        for (const scale of [false, true]) {
          const { index, queries, scores } = search(kind, precision, 1500, 48, scale, 1)
          for (const share of [0.001, 0.02, 0.3, 1]) {
            const allowed = new Set(Array.from({ length: 1500 }, (_, row) => row).filter(() => random() < share))
            const results = index.search(
              { data: queries, dims: [4, 48] },
              { topK: 20, scoring: 'asymmetric', filter: allowed },
            )
            for (const [q, result] of results.entries()) {
              expectBest(result, scores[q]!, 20, `${kind} ${precision} ${scale} ${share}`, allowed)
            }
          }
        }
      }
    }
  })
})

it('the rows of one length are found by all codes when one dimension is 64 times the others', () => {
  for (const precision of PRECISIONS) {
    const { results, scores } = search('outlier', precision, 16_000, 64, false, 100)
    for (const [q, result] of results.entries()) expectBest(result, scores[q]!, 100, precision)
  }
})
