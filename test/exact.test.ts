import { afterAll, beforeAll, describe, it } from 'vitest'
import { init, type Precision, QuantizedIndex, type SearchOptions } from '../src/index.js'
import { DATA, type Trial, trial } from './exact.js'
import { expectBest } from './oracle.js'
import { randomSource } from './random.js'

const PRECISIONS: Precision[] = ['int8', 'uint8', 'int4', 'quaternary', 'ternary', 'binary']
const heavy = Boolean(process.env['CI_FULL'])

/** Four queries, and rows of a kind whose seed follows from their size. */
function trialOf(kind: string, precision: Precision, rows: number, dims: number): Trial {
  const seed = 17 * dims + rows
  return trial(kind, precision, { rows, dims, queries: 4, seeds: [seed, seed + 5] })
}

function build({ data, queries, book }: Trial, coarse: Precision, scale: boolean | 'float32') {
  const options = { coarse, rescore: 'none', dims: queries.dims[1]!, scale, ...book, onWarning() {} } as const
  return QuantizedIndex.build(data, options)
}

function expectAllBest(tried: Trial, precision: Precision, scale: boolean | 'float32', topK: number, title: string) {
  const options: SearchOptions = { topK, scoring: 'asymmetric' }
  const scores = tried.scores(scale)
  for (const [q, result] of build(tried, precision, scale).search(tried.queries, options).entries()) {
    expectBest(result, scores[q]!, topK, { title: `${title} ${scale} ${q}` })
  }
}

describe.each(['wasm', 'typescript'] as const)('on the %s kernels', (backend) => {
  beforeAll(() => init({ backend }))
  afterAll(() => init({ backend: 'wasm' }))
  const rows = backend === 'wasm' ? (heavy ? 16_000 : 2000) : 600

  describe.each(DATA)('one stage over %s data', (kind) => {
    it.each(PRECISIONS)('finds the best rows that %s codes have', (precision) => {
      for (const dims of backend === 'wasm' ? [64, 200] : [40]) {
        const tried = trialOf(kind, precision, rows, dims)
        for (const scale of [false, true, 'float32'] as const) {
          expectAllBest(tried, precision, scale, 10, `${dims}`)
        }
      }
    })
  })

  const widths = [1, 2, 3, 5, 8, 17, 31, 100, 769, ...(backend === 'wasm' ? [2100] : [])]
  describe.each(widths)('of %i dimensions', (dims) => {
    it.each(PRECISIONS)('finds the best rows that %s codes have', (precision) => {
      for (const kind of ['uneven 1', 'outlier', 'constant']) {
        const tried = trialOf(kind, precision, 300, dims)
        for (const scale of [false, true]) expectAllBest(tried, precision, scale, 7, kind)
      }
    })
  })

  it.each(PRECISIONS)('finds %s codes among the rows that a filter allows, few or many', (precision) => {
    const random = randomSource(4 + PRECISIONS.indexOf(precision))
    for (const kind of ['uneven 1', 'outlier', 'plain']) {
      const tried = trialOf(kind, precision, 1500, 48)
      for (const scale of [false, true]) {
        const index = build(tried, precision, scale)
        const scores = tried.scores(scale)
        for (const share of [0.001, 0.02, 0.3, 1]) {
          const allowed = new Set(Array.from({ length: 1500 }, (_, row) => row).filter(() => random() < share))
          const results = index.search(tried.queries, { topK: 20, scoring: 'asymmetric', filter: allowed })
          for (const [q, result] of results.entries()) {
            expectBest(result, scores[q]!, 20, { title: `${kind} ${scale} ${share}`, allowed })
          }
        }
      }
    }
  })
})

it.each(PRECISIONS)('%s codes find the rows of one length when one dimension is 64 times the others', (precision) => {
  expectAllBest(trialOf('outlier', precision, 16_000, 64), precision, false, 100, precision)
})
