import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { init, quantizeEmbeddings, type SearchResult, semanticSearch } from '../src/index.js'
import { goldenSearch, type SearchCase } from './golden.js'
import { hammingDistances } from './oracle.js'

const { corpus, queries, cases, ranges, calibrationEmbeddings } = goldenSearch()
const options = { ...(ranges && { ranges }), ...(calibrationEmbeddings && { calibrationEmbeddings }) }
const queryBits = quantizeEmbeddings(queries, 'ubinary').data
const corpusBits = quantizeEmbeddings(corpus, 'ubinary').data
const rowBytes = Math.ceil(corpus.dims[1]! / 8)

/** Reference scores as ours: higher is better. usearch gives 1 - dot of codes; both give distances of bits. */
function ourScore({ engine, precision, rescore }: SearchCase, score: number): number {
  if (rescore || precision === 'float32') return score
  if (precision === 'binary' || precision === 'ubinary') return -score
  return engine === 'usearch' ? 1 - score : score
}

function same(score: number, expected: number): boolean {
  return Math.abs(score - expected) <= 1e-5 * Math.max(1, Math.abs(expected))
}

/** Bits that differ between a query and each row: once for all cases. */
const distancesOf = Array.from({ length: queries.dims[0]! }, (_, query) =>
  hammingDistances(queryBits.subarray(query * rowBytes, (query + 1) * rowBytes), corpusBits),
)

/** The distance of the last candidate that rescoring looks at, and whether a row behind the cut is as near. */
function candidateCut(query: number, candidates: number): { distance: number; tied: boolean } {
  const distances = distancesOf[query]!.slice().sort()
  return { distance: distances[candidates - 1]!, tied: distances[candidates] === distances[candidates - 1] }
}

interface Hits {
  ids: number[]
  scores: number[]
}

function goldenHits(golden: SearchCase, query: number): Hits {
  const row = <T>(values: ArrayLike<T>): T[] => Array.from(values).slice(query * golden.topK, (query + 1) * golden.topK)
  return { ids: row(golden.ids.data), scores: row(golden.scores.data).map((score) => ourScore(golden, score)) }
}

/** Scores agree place by place; ids too, but among hits of one score, of which the last may go on behind the k-th. */
function expectSameHits(hits: Hits, expected: Hits): void {
  const { ids, scores } = expected
  expect(hits.ids.length).toBe(ids.length)
  for (const [place, score] of scores.entries()) {
    if (!same(hits.scores[place]!, score)) expect(hits.scores, `score at place ${place}`).toEqual(scores)
    const tied = ids.filter((_, other) => same(scores[other]!, score))
    if (same(scores.at(-1)!, score)) continue
    expect(tied, `id at place ${place}`).toContain(hits.ids[place])
  }
  expect(new Set(hits.ids).size).toBe(ids.length)
}

/** The hits that are candidates however a tie at the cut was broken. */
function nearerThan(distance: number, query: number, { ids, scores }: Hits, count = ids.length): Hits {
  const places = ids.flatMap((id, place) => (distancesOf[query]![id]! < distance ? [place] : [])).slice(0, count)
  return { ids: places.map((place) => ids[place]!), scores: places.map((place) => scores[place]!) }
}

function expectGoldenHits(golden: SearchCase, query: number, result: SearchResult): void {
  const hits = { ids: Array.from(result.ids), scores: Array.from(result.scores) }
  const expected = goldenHits(golden, query)
  const bits = golden.precision === 'binary' || golden.precision === 'ubinary'
  if (bits && !golden.rescore) expect(Array.from(result.distances!)).toEqual(hits.scores.map((score) => -score))
  // faiss cuts ties by lower id, as packvec does; which of the tied candidates usearch rescored is not defined.
  if (bits && golden.rescore && golden.engine === 'usearch') {
    const cut = candidateCut(query, golden.topK * golden.rescoreMultiplier)
    if (cut.tied) {
      const count = Math.min(
        nearerThan(cut.distance, query, hits).ids.length,
        nearerThan(cut.distance, query, expected).ids.length,
      )
      expectSameHits(nearerThan(cut.distance, query, hits, count), nearerThan(cut.distance, query, expected, count))
      return
    }
  }
  expectSameHits(hits, expected)
}

describe.each(['wasm', 'typescript'] as const)('on the %s kernels', (backend) => {
  beforeAll(() => init({ backend }))
  afterAll(() => init({ backend: 'wasm' }))

  test.each(cases)('$name: scores and ids are those of the reference', (golden) => {
    const { precision, topK, rescore, rescoreMultiplier } = golden
    const codes = quantizeEmbeddings(corpus, precision, options)
    const results = semanticSearch(queries, codes, {
      precision,
      topK,
      rescore,
      rescoreMultiplier,
      scoring: 'symmetric',
      onWarning: () => {},
    })
    expect(results).toHaveLength(queries.dims[0]!)
    for (const [query, result] of results.entries()) expectGoldenHits(golden, query, result)
  })
})
