import { afterEach, describe, expect, it } from 'vitest'
import {
  Calibration,
  dequantizeEmbeddings,
  init,
  type Precision,
  QuantizedIndex,
  quantizeEmbeddings,
  semanticSearch,
} from '../src/index.js'
import { decodeIndex, encodeIndex } from '../src/storage.js'
import { dots, expectBest, hammingDistances, ranking } from './oracle.js'
import { matrix, thrownBy, tiedRows, unitRows } from './random.js'

const rowOf = (data: Float32Array, dims: number, row: number) => data.subarray(row * dims, (row + 1) * dims)

describe.each(['wasm', 'typescript'] as const)('search on the %s backend', (backend) => {
  const withBackend = (test: () => void) => () => {
    init({ backend })
    test()
  }
  afterEach(() => init({ backend: 'wasm' }))

  for (const dims of [1, 7, 64, 100, 384, 1000]) {
    it(
      `equals brute force over decoded rows of ${dims} dims`,
      withBackend(() => {
        // Narrow rows over several tiles, wide ones over several blocks of dimensions.
        const rows = dims > 384 ? 1500 : 5000
        const data = unitRows(rows, dims, dims)
        const embeddings = { data, dims: [rows, dims] }
        const queries = matrix(3, dims, dims + 1)
        const index = QuantizedIndex.build(embeddings, { coarse: 'float32' })
        expect(index.backend).toBe(backend)
        const exact = index.search(queries, { topK: 20 })
        exact.forEach((result, i) => {
          expectBest(result, dots(rowOf(queries.data, dims, i), data, dims), 20, { rounding: 2e-6 })
        })
        for (const precision of ['int8', 'uint8'] as const) {
          const codes = quantizeEmbeddings(embeddings, precision)
          const decoded = dequantizeEmbeddings(codes).data
          const found = QuantizedIndex.build(embeddings, { coarse: precision, rescore: 'none' }).search(queries)
          found.forEach((result, i) => {
            expectBest(result, dots(rowOf(queries.data, dims, i), decoded, dims), 10, { rounding: 4e-6 })
          })
        }
        const bits = quantizeEmbeddings(embeddings, 'ubinary')
        const queryBits = quantizeEmbeddings(queries, 'ubinary')
        const coded = QuantizedIndex.build(embeddings, { coarse: 'binary', rescore: 'none' })
        coded.search(queries, { topK: 25 }).forEach((result, i) => {
          const query = queryBits.data.subarray(i * bits.rowBytes, (i + 1) * bits.rowBytes)
          const distances = hammingDistances(query, bits.data)
          const expected = ranking(
            distances.map((distance) => -distance),
            25,
          )
          expect([...result.ids]).toEqual(expected)
          expect([...result.distances!]).toEqual(expected.map((row) => distances[row]))
          expect([...result.scores]).toEqual(expected.map((row) => 0 - distances[row]!))
        })
        const signs = dequantizeEmbeddings(bits).data.map((sign) => (sign + 1) / 2)
        coded.search(queries, { scoring: 'asymmetric' }).forEach((result, i) => {
          expectBest(result, dots(rowOf(queries.data, dims, i), signs, dims), 10, { rounding: 4e-6 })
        })
      }),
    )
  }

  it(
    'rescores the Hamming candidates with decoded int8 rows',
    withBackend(() => {
      const [rows, dims] = [3000, 96]
      const data = unitRows(rows, dims, 5)
      const embeddings = { data, dims: [rows, dims] }
      const query = unitRows(1, dims, 6)
      const index = QuantizedIndex.build(embeddings)
      const decoded = dequantizeEmbeddings(quantizeEmbeddings(embeddings, 'int8')).data
      const scores = dots(query, decoded, dims)
      const candidates = QuantizedIndex.build(embeddings, { rescore: 'none' }).search(query, { topK: 40 }).ids
      const kept = new Set(candidates)
      const masked = scores.map((score, row) => (kept.has(row) ? score : -Infinity))
      expectBest(index.search(query, { topK: 10, rescoreMultiplier: 4 }), masked, 10, { rounding: 2e-6 })
      expectBest(index.search(query, { topK: rows }), scores, rows, { rounding: 2e-6 })
    }),
  )
})

describe('QuantizedIndex', () => {
  const [rows, dims] = [700, 48]
  const data = unitRows(rows, dims, 11)
  const embeddings = { data, dims: [rows, dims] }
  const query = unitRows(1, dims, 12)

  it('breaks ties by lower id', () => {
    const same = Array.from({ length: 50 }, () => [1, -1, 0.5])
    const calibration = Calibration.fromRanges([
      [-1, -1, -1],
      [1, 1, 1],
    ])
    for (const coarse of ['binary', 'int8', 'uint8', 'float32'] as const) {
      for (const rescore of ['none', 'int8', 'float32', 'binary'] as const) {
        for (const scoring of ['symmetric', 'asymmetric'] as const) {
          const index = QuantizedIndex.build(same, { coarse, rescore, ranges: calibration })
          expect([...index.search([0.1, 0.2, 0.3], { topK: 5, scoring }).ids]).toEqual([0, 1, 2, 3, 4])
        }
      }
    }
  })

  it('returns all rows when topK is above their number', () => {
    const index = QuantizedIndex.build(embeddings)
    const { ids, scores } = index.search(query, { topK: 10_000 })
    expect([...ids].sort((a, b) => a - b)).toEqual(Array.from({ length: rows }, (_, i) => i))
    for (let i = 1; i < rows; i++) expect(scores[i]).toBeLessThanOrEqual(scores[i - 1]!)
  })

  it('answers a vector with one result and a matrix with an array of them', () => {
    const index = QuantizedIndex.build(embeddings)
    const one = index.search(query)
    expect(index.search({ data: query, dims: [1, dims] })).toEqual([one])
    expect(index.search([query, query])).toEqual([one, one])
    expect(index.search({ data: query, dims: [dims] } as never)).toEqual(one)
    expect(index.search([])).toEqual([])
    expect(one.ids).toBeInstanceOf(Uint32Array)
    expect(one.scores).toBeInstanceOf(Float32Array)
  })

  it('answers a batch as it answers each query', () => {
    const queries = matrix(150, dims, 13)
    for (const coarse of ['binary', 'int8', 'float32'] as const) {
      for (const scoring of ['symmetric', 'asymmetric'] as const) {
        const index = QuantizedIndex.build(embeddings, { coarse })
        const results = index.search(queries, { topK: 7, scoring })
        results.forEach((result, i) => {
          expect(result).toEqual(index.search(rowOf(queries.data, dims, i), { topK: 7, scoring }))
        })
      }
    }
  })

  it('gives the same whether rows come at once or are added', () => {
    const calibration = Calibration.from(embeddings)
    const whole = QuantizedIndex.build(embeddings, { ranges: calibration })
    const grown = QuantizedIndex.build(rowOf(data, dims, 0), { ranges: calibration })
    for (let first = 1, step = 1; first < rows; first += step, step = (step * 5) % 37) {
      const last = Math.min(first + step, rows)
      grown.add({ data: data.subarray(first * dims, last * dims), dims: [last - first, dims] })
    }
    expect(grown.size).toBe(rows)
    expect(grown.search(query, { topK: 50 })).toEqual(whole.search(query, { topK: 50 }))
    expect(encodeIndex(grown)).toEqual(encodeIndex(whole))
  })

  it('moves nothing while rows fit the capacity', () => {
    const index = QuantizedIndex.build(embeddings, { capacity: 100_000 })
    const { byteLength } = index
    index.add(embeddings)
    expect(index.byteLength).toBe(byteLength)
    expect(index.size).toBe(2 * rows)
  })

  it('is unchanged by an addition that fails, and works on', () => {
    const index = QuantizedIndex.build(embeddings)
    const before = index.search(query)
    const bad = data.slice()
    bad[bad.length - 1] = Number.NaN
    expect(thrownBy(() => index.add({ data: bad, dims: [rows, dims] })).message).toContain(`row ${rows - 1}, dimension`)
    expect(index.size).toBe(rows)
    expect(index.search(query)).toEqual(before)
    expect(index.add(embeddings).size).toBe(2 * rows)
  })

  it('is written to bytes and read back the same, from any offset', () => {
    for (const coarse of ['binary', 'ubinary', 'int8', 'uint8', 'float32'] as Precision[]) {
      for (const rescore of ['none', 'int8', 'uint8', 'float32', 'binary'] as (Precision | 'none')[]) {
        for (const width of [dims, 21]) {
          const index = QuantizedIndex.build(matrix(120, width, 3), { coarse, rescore })
          const bytes = encodeIndex(index)
          const shifted = Buffer.concat([Buffer.from([1, 2, 3]), bytes]).subarray(3)
          const read = decodeIndex(shifted)
          expect(read).toMatchObject({ size: 120, dims: width, coarse, rescore })
          expect(encodeIndex(read)).toEqual(bytes)
          const probe = unitRows(1, width, 4)
          expect(read.search(probe)).toEqual(index.search(probe))
        }
      }
    }
  })

  it('refuses a file cut off at any byte', () => {
    const bytes = encodeIndex(QuantizedIndex.build(matrix(100, 8, 3)))
    for (let length = 0; length < bytes.length; length++) {
      const error = thrownBy(() => decodeIndex(bytes.subarray(0, length)))
      expect(error).toMatchObject({ name: 'PackvecError', code: 'INVALID_FILE' })
    }
  })

  it('keeps its codes in at most 1.1 times their bytes', () => {
    const index = QuantizedIndex.build(tiedRows(20_000, 384, 50, 1))
    expect(index.codeBytes).toBe(20_000 * (48 + 384))
    expect(index.byteLength).toBeLessThanOrEqual(1.1 * index.codeBytes)
  })

  it('hands out copies: a later search does not change an earlier result', () => {
    const index = QuantizedIndex.build(embeddings)
    const first = index.search(query)
    const kept = [...first.ids]
    index.search(unitRows(1, dims, 99))
    expect([...first.ids]).toEqual(kept)
  })

  it.each<[string, () => unknown, string, string]>([
    ['no rows', () => QuantizedIndex.build([]), 'EMPTY', '0 rows'],
    [
      'a query of other dims',
      () => QuantizedIndex.build(embeddings).search([1, 2]),
      'DIMS_MISMATCH',
      'query has 2 dimensions, the index has 48',
    ],
    ['rows of other dims', () => QuantizedIndex.build(embeddings).add([[1, 2]]), 'DIMS_MISMATCH', 'embeddings have 2'],
    [
      'a NaN in the query',
      () => QuantizedIndex.build(embeddings).search(query.map(() => Number.NaN)),
      'NOT_FINITE',
      'query',
    ],
    [
      'a quantized query',
      () => QuantizedIndex.build(embeddings).search(new Uint8Array(6) as never),
      'QUANTIZED_INPUT',
      'query',
    ],
    [
      'topK 0',
      () => QuantizedIndex.build(embeddings).search(query, { topK: 0 }),
      'INVALID_ARGUMENT',
      'topK must be a whole number of at least 1, got 0',
    ],
    [
      'topK NaN',
      () => QuantizedIndex.build(embeddings).search(query, { topK: Number.NaN }),
      'INVALID_ARGUMENT',
      'got NaN',
    ],
    ['topK 1.5', () => QuantizedIndex.build(embeddings).search(query, { topK: 1.5 }), 'INVALID_ARGUMENT', '1.5'],
    [
      'a multiplier below 1',
      () => QuantizedIndex.build(embeddings).search(query, { rescoreMultiplier: 0.5 }),
      'INVALID_ARGUMENT',
      'rescoreMultiplier',
    ],
    [
      'an unknown scoring',
      () => QuantizedIndex.build(embeddings).search(query, { scoring: 'fast' as 'symmetric' }),
      'INVALID_ARGUMENT',
      'scoring',
    ],
    [
      'an unknown coarse',
      () => QuantizedIndex.build(embeddings, { coarse: 'bits' as 'binary' }),
      'INVALID_ARGUMENT',
      'coarse',
    ],
    [
      'a calibration of other dims',
      () => QuantizedIndex.build(embeddings, { ranges: Calibration.from(matrix(3, 4, 1)) }),
      'DIMS_MISMATCH',
      'ranges',
    ],
    ['one row without calibration', () => QuantizedIndex.build(query), 'CALIBRATION_REQUIRED', 'single'],
    ['too many dims', () => QuantizedIndex.build(new Float32Array(70_000)), 'TOO_LARGE', '65535'],
  ])('refuses %s', (_title, call, code, part) => {
    const error = thrownBy(call)
    expect(error).toMatchObject({ name: 'PackvecError', code })
    expect(error.message).toContain(part)
  })
})

describe('semanticSearch', () => {
  const [rows, dims] = [900, 40]
  const corpus = matrix(rows, dims, 21)
  const queries = matrix(4, dims, 22)

  it.each(['float32', 'int8', 'uint8', 'binary', 'ubinary'] as Precision[])(
    'gives the same over a float corpus and over its %s codes',
    (precision) => {
      const codes = quantizeEmbeddings(corpus, precision)
      for (const scoring of ['symmetric', 'asymmetric'] as const) {
        const expected = semanticSearch(queries, corpus, { precision, scoring })
        expect(expected).toHaveLength(4)
        expect(semanticSearch(queries, codes, { scoring })).toEqual(expected)
        if (precision === 'float32') continue
        const bare = { data: codes.data, dims: [rows, codes.rowBytes] }
        const found = semanticSearch(queries, bare, { precision, scoring, ranges: codes.calibration })
        expect(found).toEqual(expected)
      }
    },
  )

  it('compares quantized queries code with code', () => {
    for (const precision of ['int8', 'uint8', 'binary', 'ubinary'] as Precision[]) {
      const codes = quantizeEmbeddings(corpus, precision)
      const ranges = codes.calibration
      const quantized = quantizeEmbeddings(queries, precision, { ranges })
      const expected = semanticSearch(queries, codes, { scoring: 'symmetric', rescore: false })
      expect(semanticSearch(quantized, codes)).toEqual(expected)
    }
  })

  it('says so when asked to rescore what cannot be, and only then', () => {
    const warnings: string[] = []
    const onWarning = (message: string) => warnings.push(message)
    semanticSearch(queries, corpus, { precision: 'float32', rescore: true, onWarning })
    expect(warnings[0]).toContain('the corpus is not quantized')
    semanticSearch(queries, corpus, { precision: 'float32', onWarning })
    expect(warnings).toHaveLength(1)
  })

  it.each<[string, () => unknown, string]>([
    ['an empty corpus', () => semanticSearch(queries, []), 'EMPTY'],
    ['queries of other dims', () => semanticSearch(matrix(2, 41, 1), corpus, { precision: 'binary' }), 'DIMS_MISMATCH'],
    [
      'codes of the wrong width',
      () => semanticSearch(queries, { data: new Uint8Array(12), dims: [2, 6] }, { precision: 'ubinary' }),
      'WRONG_WIDTH',
    ],
    [
      'int8 codes without their ranges',
      () => semanticSearch(queries, { data: new Int8Array(80), dims: [2, 40] }, { precision: 'int8' }),
      'CALIBRATION_REQUIRED',
    ],
    [
      'codes for a float32 corpus',
      () => semanticSearch(quantizeEmbeddings(queries, 'ubinary'), corpus),
      'QUANTIZED_INPUT',
    ],
    [
      'quantized queries for asymmetric scoring',
      () =>
        semanticSearch(quantizeEmbeddings(queries, 'ubinary'), corpus, { precision: 'ubinary', scoring: 'asymmetric' }),
      'QUANTIZED_INPUT',
    ],
    [
      'codes of another precision',
      () => semanticSearch(queries, quantizeEmbeddings(corpus, 'ubinary'), { precision: 'binary' }),
      'INVALID_ARGUMENT',
    ],
    [
      'a calibration of other dims',
      () => semanticSearch(queries, corpus, { precision: 'int8', ranges: [[0], [1]] }),
      'DIMS_MISMATCH',
    ],
  ])('refuses %s', (_title, call, code) => {
    expect(thrownBy(call)).toMatchObject({ name: 'PackvecError', code })
  })
})
