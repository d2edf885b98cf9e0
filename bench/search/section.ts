import type { QuantizedIndex, SearchOptions } from '../../src/index.js'
import { type Contender, interleave, verify } from '../measure.js'
import type { Line, Section } from '../results.js'
import { BATCH, type CorpusSize, type Sizes, TOP_K } from '../sizes.js'
import { type Corpus, type Embedded, tiledCorpus } from './corpus.js'
import { buildIndexes, type Indexes } from './indexes.js'
import type { Peer, PeerLine, Truth } from './peer.js'
import { recallAt10, searchAll } from './recall.js'

/** A way of searching that a user would choose between. */
interface Way {
  readonly name: string
  readonly what: string
  readonly index: QuantizedIndex
  readonly options: SearchOptions
}

function ways({ float32, int8, binary, rescored }: Indexes): Way[] {
  const top = { topK: TOP_K }
  const rescore = (rescoreMultiplier: number) => ({ topK: 10, rescoreMultiplier })
  return [
    { name: 'float32', what: 'float32 exact, top 100', index: float32, options: top },
    { name: 'int8', what: 'int8, top 100', index: int8, options: top },
    { name: 'binary', what: 'binary, top 100', index: binary, options: top },
    {
      name: 'asymmetric',
      what: 'binary by float query, top 100',
      index: binary,
      options: { ...top, scoring: 'asymmetric' },
    },
    { name: 'rescored', what: 'binary + int8, 400 -> 100', index: rescored, options: { ...top, rescoreMultiplier: 4 } },
    { name: 'rescored-x2', what: 'binary + int8, 20 -> 10', index: rescored, options: rescore(2) },
    { name: 'rescored-x4', what: 'binary + int8, 40 -> 10', index: rescored, options: rescore(4) },
    { name: 'rescored-x10', what: 'binary + int8, 100 -> 10', index: rescored, options: rescore(10) },
    {
      name: 'rescored-asymmetric',
      what: 'binary by float query + int8, 40 -> 10',
      index: rescored,
      options: { ...rescore(4), scoring: 'asymmetric' },
    },
  ]
}

/** End to end through `QuantizedIndex` over one corpus, with the peers in turns, recall beside time. */
export async function searchSections(
  size: CorpusSize,
  embedded: Embedded,
  peers: readonly Peer[],
  sizes: Sizes,
): Promise<Section[]> {
  const corpus = tiledCorpus(embedded, size.rows, size.dims, sizes.queries)
  const keepers = []
  for (const peer of peers) keepers.push(await peer.begin(corpus))
  const indexes = buildIndexes(corpus, keepers)
  const exact = searchAll(indexes.float32, corpus, { topK: TOP_K + 20 })
  const truth = { corpus, indexes, exact }
  verifySelf(truth)
  const peerLines: PeerLine[] = []
  for (const peer of peers) peerLines.push(...(await peer.lines(truth)))
  const all = ways(indexes)
  const single = await singleLines(size, all, truth, peerLines, sizes)
  const batch = await batchLines(size, all, corpus, peerLines, sizes)
  for (const peer of peers) await peer.end()
  const shape = `${size.rows} x ${size.dims}`
  const built = Object.entries(indexes.buildMs).map(([name, ms]) => `${name} ${ms.toFixed(0)} ms`)
  const notes = [`${corpus.what}; recall over ${sizes.queries} questions. Built: ${built.join(', ')}.`]
  return [
    { title: `Search ${shape}, one query, one thread`, lines: single, notes },
    { title: `Search ${shape}, batch of ${BATCH}, one thread`, lines: batch },
  ]
}

/** A row of the corpus must find itself, first, in every index that keeps more than bits. */
function verifySelf({ corpus, indexes }: Truth): void {
  const id = Math.floor(corpus.rows / 2)
  const row = corpus.chunk(id, 1).slice()
  for (const index of [indexes.float32, indexes.int8, indexes.rescored]) {
    verify(index.search(row, { topK: 1 }).ids[0] === id, `a row does not find itself (${index.coarse})`)
  }
}

async function singleLines(
  size: CorpusSize,
  all: readonly Way[],
  { corpus, exact }: Truth,
  peers: readonly PeerLine[],
  sizes: Sizes,
): Promise<Line[]> {
  const { queries, dims } = corpus
  const own = all.map(({ name, index, options }): Contender => {
    let next = 0
    const run = () => {
      const query = (next++ % sizes.queries) * dims
      return index.search(queries.subarray(query, query + dims), options)
    }
    return { name, run }
  })
  const timings = await interleave([...own, ...peers.map(({ single }) => single)], sizes.turns)
  const line = (name: string, what: string, i: number) => ({ id: `${size.name}.${name}`, what, timing: timings[i]! })
  return [
    ...all.map(({ name, what, index, options }, i) => {
      const results = searchAll(index, corpus, options)
      return { ...line(name, what, i), recall: recallAt10(exact, (query) => results[query]!.ids) }
    }),
    ...peers.map(({ name, what, recall, note }, i) => ({
      ...line(name, what, own.length + i),
      ...(recall === undefined ? {} : { recall }),
      ...(note === undefined ? {} : { note }),
    })),
  ]
}

async function batchLines(
  size: CorpusSize,
  all: readonly Way[],
  corpus: Corpus,
  peers: readonly PeerLine[],
  sizes: Sizes,
): Promise<Line[]> {
  const group = `${size.name}-batch`
  const { dims } = corpus
  const probe = { data: corpus.queries.subarray(0, BATCH * dims), dims: [BATCH, dims] }
  const get = (name: string) => all.find((way) => way.name === name)!
  const batched = (name: string) => {
    const { index, options, what } = get(name)
    return { name: `${name}-64`, what: `${what}, x ${BATCH}`, run: () => index.search(probe, options) }
  }
  const binary = get('binary')
  const one = {
    name: 'binary-1',
    what: 'binary, top 100, one query',
    run: () => binary.index.search(probe.data.subarray(0, dims), binary.options),
  }
  const withBatch = peers.filter(({ batch }) => batch !== undefined)
  const fast = [one, batched('binary'), batched('rescored-x4'), batched('asymmetric')]
  const slow = [batched('int8'), batched('float32')]
  const timings = [
    ...(await interleave([...fast, ...withBatch.map(({ batch }) => batch!)], Math.ceil(sizes.turns / 2))),
    ...(await interleave(slow, sizes.slowTurns)),
  ]
  const named = [
    ...fast,
    ...withBatch.map(({ name, what }) => ({ name: `${name}-64`, what: `${what}, x ${BATCH}` })),
    ...slow,
  ]
  return named.map(({ name, what }, i) => {
    const line = { id: `${group}.${name}`, what, timing: timings[i]! }
    return name === 'binary-1' ? line : { ...line, queries: BATCH }
  })
}
