import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { copyBits, countBits, isSet, rowsOfBits } from '../src/base/bits.js'
import {
  type BuildOptions,
  type Filter,
  init,
  PRECISIONS,
  QuantizedIndex,
  quantizeEmbeddings,
  type SearchOptions,
  type SearchResult,
  semanticSearch,
} from '../src/index.js'
import { allowedRows } from '../src/rows/filter.js'
import { ranking } from './oracle.js'
import { matrix, randomSource, thrownBy, tiedRows, unitRows } from './random.js'

const quiet = { onWarning: () => {} }

function bitsOf(ids: readonly number[], rows: number): Uint8Array {
  const bits = new Uint8Array(Math.ceil(rows / 8))
  for (const id of ids) bits[id >> 3]! |= 1 << (id & 7)
  return bits
}

const rowsWhere = (rows: number, isAllowed: (row: number) => boolean) =>
  Array.from({ length: rows }, (_, row) => row).filter(isAllowed)

interface Matrix {
  readonly data: Float32Array
  readonly dims: number[]
}

/** An index of the allowed rows alone, whose results have the ids of the whole. */
function indexOfAllowed({ data, dims }: Matrix, options: BuildOptions, allowed: readonly number[]) {
  const width = dims[1]!
  const rows = new Float32Array(allowed.length * width)
  for (const [i, row] of allowed.entries()) rows.set(data.subarray(row * width, (row + 1) * width), i * width)
  const alone = QuantizedIndex.build({ data: rows, dims: [allowed.length, width] }, options)
  return (queries: Matrix, search: SearchOptions): SearchResult[] =>
    alone.search(queries, search).map((result) => ({ ...result, ids: result.ids.map((id) => allowed[id]!) }))
}

/** The first rows: ranges and levels of few rows are as good as those of all where both indexes have them. */
function firstRows({ data, dims }: Matrix, rows: number): Matrix {
  return { data: data.subarray(0, rows * dims[1]!), dims: [rows, dims[1]!] }
}

/** Forms of one filter. */
const formsOf = (allowed: readonly number[], rows: number): Filter[] => [
  allowed,
  [...allowed].reverse(),
  Uint32Array.from([...allowed, ...allowed]),
  new Set(allowed),
  { bits: bitsOf(allowed, rows) },
]

describe.each(['wasm', 'typescript'] as const)('a filter on the %s backend', (backend) => {
  afterEach(() => init({ backend: 'wasm' }))
  const [rows, dims] = [701, 40]
  const corpora = [matrix(rows, dims, 1), tiedRows(rows, dims, 30, 2)]
  const queries = matrix(3, dims, 4)
  const random = randomSource(5)
  const filters = [
    [0],
    [700],
    rowsWhere(rows, () => true),
    rowsWhere(rows, () => random() < 0.5),
    rowsWhere(rows, () => random() < 0.03),
    rowsWhere(rows, (row) => row >= 600),
  ]

  for (const coarse of PRECISIONS) {
    it(`gives what an index of the allowed rows gives, with ${coarse} in front`, () => {
      init({ backend })
      const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!
      for (const rescore of ['none', ...PRECISIONS] as const) {
        for (const [i, embeddings] of corpora.entries()) {
          const scale = pick([false, true])
          const calibrationEmbeddings = firstRows(embeddings, 60)
          const options = { coarse, rescore, scale, calibrationEmbeddings, ...quiet }
          const index = QuantizedIndex.build(embeddings, options)
          for (const allowed of filters) {
            const searchAllowed = indexOfAllowed(embeddings, options, allowed)
            for (const scoring of ['symmetric', 'asymmetric'] as const) {
              const search = { topK: pick([1, 5, 12, 800]), rescoreMultiplier: pick([1, 1.5, 4]), scoring }
              const title = JSON.stringify({ coarse, rescore, scale, ...search, i, allowed: allowed.length })
              const filter = pick(formsOf(allowed, rows))
              expect(index.search(queries, { ...search, filter }), title).toEqual(searchAllowed(queries, search))
            }
          }
        }
      }
    })
  }
})

describe('rows from 2^31 on', () => {
  it('are allowed by their ids and by their bits, and cut from a filter over several files', () => {
    const rows = 2 ** 31 + 4001
    const ids = [5, 2 ** 31 - 1, 2 ** 31, 2 ** 31 + 77, 2 ** 31 + 4000]
    const { bits, count } = allowedRows({ ids }, rows, 'the index')!
    expect(count).toBe(ids.length)
    expect(ids.map((id) => isSet(bits, id))).toEqual(ids.map(() => true))
    const part = new Uint8Array(500)
    copyBits(bits, 2 ** 31 + 1, part, 0, 4000)
    expect([...rowsOfBits(part, countBits(part))]).toEqual([76, 3999])
  })
})

describe('a filter', () => {
  const dims = 64

  it.each([4095, 4096, 4097, 12_300])('finds the allowed rows among %i, over several tiles', (rows) => {
    const embeddings = tiedRows(rows, dims, 500, rows)
    const queries = matrix(2, dims, 6)
    const random = randomSource(rows)
    for (const coarse of ['binary', 'ternary', 'int4', 'uint8', 'float32'] as const) {
      const options = { coarse, rescore: 'none', calibrationEmbeddings: firstRows(embeddings, 200) } as const
      const index = QuantizedIndex.build(embeddings, options)
      for (const density of [0.9, 0.1, 0.01]) {
        const filter = rowsWhere(rows, () => random() < density)
        const expected = indexOfAllowed(embeddings, options, filter)(queries, { topK: 30 })
        expect(index.search(queries, { topK: 30, filter })).toEqual(expected)
      }
    }
  })

  it.each(PRECISIONS)('finds the rows of a few long ranges, which alone are scanned, in %s codes', (coarse) => {
    const rows = 6000
    const embeddings = tiedRows(rows, dims, 400, 3)
    const queries = matrix(3, dims, 6)
    for (const scale of [false, true]) {
      const options = { coarse, rescore: 'none', scale, calibrationEmbeddings: firstRows(embeddings, 200) } as const
      const index = QuantizedIndex.build(embeddings, options)
      for (const ranges of [
        [[1001, 3999]],
        [
          [0, 300],
          [1003, 2050],
          [5000, 6000],
        ],
      ]) {
        const filter = ranges.flatMap(([first, end]) => rowsWhere(rows, (row) => row >= first! && row < end!))
        const allowed = indexOfAllowed(embeddings, options, filter)
        for (const scoring of ['symmetric', 'asymmetric'] as const) {
          for (const topK of [7, 500]) {
            const expected = allowed(queries, { topK, scoring })
            expect(index.search(queries, { topK, scoring, filter })).toEqual(expected)
          }
        }
      }
    }
  })

  it('holds for every query of a call, in batches of any size', () => {
    const embeddings = matrix(3000, dims, 7)
    const queries = matrix(150, dims, 8)
    for (const coarse of ['binary', 'int8'] as const) {
      const index = QuantizedIndex.build(embeddings, { coarse })
      for (const filter of [rowsWhere(3000, (row) => row % 3 === 0), rowsWhere(3000, (row) => row % 100 === 0)]) {
        for (const [i, result] of index.search(queries, { filter }).entries()) {
          expect(result).toEqual(index.search(queries.data.subarray(i * dims, (i + 1) * dims), { filter }))
          expect(result.ids.every((id) => filter.includes(id))).toBe(true)
        }
      }
    }
  })

  it('that allows nothing gives empty results of the usual form', () => {
    for (const coarse of ['binary', 'int8', 'float32', 'ternary'] as const) {
      for (const rescore of ['none', 'int8'] as const) {
        const index = QuantizedIndex.build(matrix(30, dims, 9), { coarse, rescore, ...quiet })
        for (const filter of [[], new Set<number>(), { bits: new Uint8Array(4) }] as Filter[]) {
          const result = index.search(unitRows(1, dims, 1), { filter })
          expect(result).toEqual(index.search(unitRows(1, dims, 1), { filter: [1], minScore: 1e9 }))
          expect([result.ids.length, result.scores.length]).toEqual([0, 0])
          expect(index.search([], { filter })).toEqual([])
          const nan = new Float32Array(dims).fill(Number.NaN)
          expect(thrownBy(() => index.search(nan, { filter })).code).toBe('NOT_FINITE')
        }
      }
    }
  })

  it('leaves the next search as it would be without it', () => {
    const index = QuantizedIndex.build(matrix(2000, dims, 3))
    const query = unitRows(1, dims, 4)
    const before = index.search(query, { topK: 50 })
    for (const filter of [[3], rowsWhere(2000, (row) => row % 2 === 0)]) index.search(query, { topK: 50, filter })
    expect(index.search(query, { topK: 50 })).toEqual(before)
  })

  it('covers rows that were added, and leaves the arrays it came in alone', () => {
    const index = QuantizedIndex.build(matrix(20, dims, 3), quiet).add(matrix(1, dims, 5))
    const bits = new Uint8Array([0, 0, 0xff])
    expect([...index.search(unitRows(1, dims, 5), { filter: { bits } }).ids].sort()).toEqual([16, 17, 18, 19, 20])
    expect(bits[2]).toBe(0xff)
  })

  it('of more bits than there is scratch for moves the index to a larger memory', () => {
    const rows = 1_200_000
    const signs = Float32Array.from({ length: rows }, (_, row) => (row % 3 === 0 ? 1 : -1))
    const index = QuantizedIndex.build([[1], [-1]], { ...quiet, rescore: 'none' })
    index.add({ data: signs, dims: [rows, 1] })
    const before = index.byteLength
    const bits = new Uint8Array(Math.ceil((rows + 2) / 8)).fill(0xf0)
    const { ids, distances } = index.search([1], { topK: 4, filter: { bits } })
    expect([[...ids], [...distances!]]).toEqual([
      [5, 14, 20, 23],
      [0, 0, 0, 0],
    ])
    expect(index.byteLength).toBeGreaterThan(before)
    expect([...index.search([1], { topK: 2 }).ids]).toEqual([0, 2])
  })

  it('allows exactly the rows of any filter, found in the order of all rows', () => {
    const rows = 5000
    const query = unitRows(1, 24, 2)
    const indexes = (['binary', 'int8', 'float32', 'quaternary'] as const).map((coarse) => {
      const index = QuantizedIndex.build(tiedRows(rows, 24, 300, 1), { coarse, rescore: 'none' })
      return { index, all: index.search(query, { topK: rows }) }
    })
    const someRows = fc.oneof(
      fc.uniqueArray(fc.nat(rows - 1), { maxLength: 60 }),
      fc.tuple(fc.nat(rows), fc.nat(rows)).map(([a, b]) => rowsWhere(rows, (row) => row >= a !== row >= b)),
      fc.integer({ min: 2, max: 40 }).map((step) => rowsWhere(rows, (row) => row % step === 0)),
    )
    fc.assert(
      fc.property(someRows, fc.integer({ min: 1, max: 300 }), fc.nat(4), fc.nat(3), (allowed, topK, form, which) => {
        const { index, all } = indexes[which]!
        const kept = new Set(allowed)
        const expected = [...all.ids].filter((id) => kept.has(id)).slice(0, topK)
        const found = index.search(query, { topK, filter: formsOf(allowed, rows)[form]! })
        expect([...found.ids]).toEqual(expected)
        const places = new Map(Array.from(all.ids, (id, place) => [id, place]))
        expect([...found.scores]).toEqual(expected.map((id) => all.scores[places.get(id)!]))
      }),
      { numRuns: 200 },
    )
  })

  it('is taken by semanticSearch for the rows of its corpus', () => {
    const corpus = matrix(90, dims, 1)
    const queries = matrix(2, dims, 2)
    for (const precision of PRECISIONS) {
      const given = precision === 'float32' ? corpus : quantizeEmbeddings(corpus, precision, quiet)
      const all = semanticSearch(queries, given, { topK: 90, rescoreMultiplier: 90 })
      const found = semanticSearch(queries, given, { topK: 4, rescoreMultiplier: 90, filter: [80, 8, 41, 5, 77] })
      for (const [i, { ids }] of found.entries()) {
        expect([...ids]).toEqual([...all[i]!.ids].filter((id) => [80, 8, 41, 5, 77].includes(id)).slice(0, 4))
      }
    }
  })

  it('finds its rows where the room for a search has to grow, and would then hold a copy of them', () => {
    const [rows, dims] = [17_920, 1024]
    const random = randomSource(5)
    const data = Uint8Array.from({ length: (rows * dims) / 8 }, () => 256 * random())
    const query = unitRows(1, dims, 6)
    const filter = rowsWhere(rows, (row) => row % 32 === 7)
    const options = { precision: 'ubinary', scoring: 'asymmetric', rescore: false, topK: 5, filter } as const
    const { ids, scores } = semanticSearch(query, { data, dims: [rows, dims / 8] }, options)
    const sums = filter.map((row) => {
      let sum = 0
      for (let d = 0; d < dims; d++) if ((data[(row * dims) / 8 + (d >> 3)]! >> (7 - (d & 7))) & 1) sum += query[d]!
      return sum
    })
    const order = ranking(sums, 5)
    expect([...ids]).toEqual(order.map((at) => filter[at]))
    expect(scores[0]).toBeCloseTo(sums[order[0]!]!, 4)
  })
})

describe('minScore', () => {
  const embeddings = matrix(500, 32, 1)
  const queries = matrix(3, 32, 2)

  it.each(['wasm', 'typescript'] as const)('cuts the results below it, on the %s backend', (backend) => {
    init({ backend })
    for (const coarse of PRECISIONS) {
      for (const rescore of ['none', 'int8'] as const) {
        for (const scoring of ['symmetric', 'asymmetric'] as const) {
          const index = QuantizedIndex.build(embeddings, { coarse, rescore })
          const all = index.search(queries, { topK: 60, scoring })
          for (const minScore of [-1e9, all[0]!.scores[0]!, all[0]!.scores[20]!, all[1]!.scores[3]! + 1e-3, 1e9]) {
            const found = index.search(queries, { topK: 60, scoring, minScore })
            for (const [i, { ids, scores, distances }] of all.entries()) {
              const count = scores.filter((score) => score >= minScore).length
              expect(found[i]).toEqual({
                ids: ids.subarray(0, count),
                scores: scores.subarray(0, count),
                ...(distances && { distances: distances.subarray(0, count) }),
              })
            }
          }
        }
      }
    }
    init({ backend: 'wasm' })
  })

  it('is minus the distance where bits are not rescored', () => {
    const index = QuantizedIndex.build(embeddings, { rescore: 'none' })
    const { distances } = index.search(queries.data.subarray(0, 32), { topK: 500, minScore: -12 })
    expect(Math.max(...distances!)).toBe(12)
  })

  it('is taken by semanticSearch', () => {
    const [first] = semanticSearch(queries, embeddings, { minScore: 0.3 })
    expect([...first!.scores]).toEqual([...semanticSearch(queries, embeddings)[0]!.scores].filter((s) => s >= 0.3))
  })
})

describe('bad filters and scores', () => {
  const index = QuantizedIndex.build(matrix(700, 16, 1))
  const search = (options: unknown) => () => index.search(unitRows(1, 16, 2), options as SearchOptions)

  it.each<[string, unknown, string]>([
    [
      'an id of no row',
      { filter: [3, 900] },
      'filter must hold row numbers below 700, the rows of the index, got 900 at position 1',
    ],
    ['the id behind the last row', { filter: new Set([700]) }, 'got 700 at position 0'],
    ['an id of no row in a Uint32Array', { filter: Uint32Array.of(1, 2 ** 32 - 1) }, 'got 4294967295 at position 1'],
    ['a negative id', { filter: [-1] }, 'got -1 at position 0'],
    ['a fraction', { filter: [0.5] }, 'got 0.5 at position 0'],
    ['NaN', { filter: [0, Number.NaN] }, 'got NaN at position 1'],
    ['a text for an id', { filter: ['1'] }, 'got "1" at position 0'],
    ['a hole', { filter: new Array(1) }, 'got undefined at position 0'],
    ['a bare Uint8Array', { filter: new Uint8Array(88) }, '{ bits: Uint8Array }, got Uint8Array(88)'],
    ['an Int32Array', { filter: new Int32Array(2) }, 'got Int32Array(2)'],
    ['a function', { filter: () => true }, 'got a function'],
    ['null', { filter: null }, 'got null'],
    ['bits that are no bytes', { filter: { bits: [1, 2] } }, 'got { bits: Array(2) }'],
    [
      'too few bits',
      { filter: { bits: new Uint8Array(87) } },
      'must be 88 bytes long for the 700 rows of the index, got 87',
    ],
    ['too many bits', { filter: { bits: new Uint8Array(89) } }, 'rows of the index, got 89'],
    ['minScore NaN', { minScore: Number.NaN }, 'minScore must be a finite number, got NaN'],
    ['minScore Infinity', { minScore: Infinity }, 'minScore must be a finite number, got Infinity'],
    ['minScore as a text', { minScore: '0.5' }, 'minScore must be a finite number, got "0.5"'],
  ])('are refused: %s', (_title, options, part) => {
    const error = thrownBy(search(options))
    expect(error).toMatchObject({ name: 'PackvecError', code: 'INVALID_ARGUMENT' })
    expect(error.argument).toBe(Object.keys(options as object)[0])
    expect(error.message).toContain(part)
  })

  it('names the corpus in semanticSearch', () => {
    const call = () => semanticSearch(unitRows(1, 8, 1), matrix(5, 8, 2), { filter: [5] })
    expect(thrownBy(call).message).toBe(
      'filter must hold row numbers below 5, the rows of the corpus, got 5 at position 0',
    )
  })
})

describe('bits of rows', () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 40 })

  it('are counted and listed', () => {
    fc.assert(
      fc.property(bytes, (bits) => {
        const expected = rowsWhere(8 * bits.length, (row) => isSet(bits, row))
        expect(countBits(bits)).toBe(expected.length)
        expect([...rowsOfBits(bits, expected.length)]).toEqual(expected)
      }),
    )
  })

  it('are copied from any place to any place', () => {
    fc.assert(
      fc.property(bytes, fc.nat(100), fc.nat(20), fc.nat(400), (source, first, to, length) => {
        const from = first % (8 * source.length)
        const count = Math.min(length, 8 * source.length - from)
        const target = new Uint8Array(Math.ceil((to + count) / 8) + 1)
        copyBits(source, from, target, to, count)
        const expected = rowsWhere(count, (row) => isSet(source, from + row)).map((row) => to + row)
        expect([...rowsOfBits(target, countBits(target))]).toEqual(expected)
      }),
    )
  })
})
