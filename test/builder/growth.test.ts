import { afterAll, describe, expect, it } from 'vitest'
import { QuantizedIndex } from '../../src/index.js'
import { appendToIndex, buildIndex, compactIndex, deleteFromIndex, loadIndex, verifyIndex } from '../../src/node.js'
import { encodeIndex, openIndex } from '../../src/storage.js'
import { every, example, mixture, quiet, type Rows, recall, recallOf, slice } from '../recall.js'
import { Folder, rejectionOf } from './files.js'

const folder = new Folder()
afterAll(() => folder.remove())

const corpus = example('train')
const queries = example('test')
const ROWS = corpus.dims[0]!
const target = folder.at('index.safetensors')

/** A file of the first rows, to which the others are appended in so many pieces. */
async function appended(rows: Rows, start: number, pieces: number, options = {}): Promise<QuantizedIndex> {
  await buildIndex(target, [slice(rows, 0, start)], { ...quiet, ...options })
  const more = rows.dims[0]! - start
  for (let i = 0; i < pieces; i++) {
    const at = (piece: number) => start + Math.floor((more * piece) / pieces)
    await appendToIndex(target, [slice(rows, at(i), at(i + 1))])
  }
  expect(await verifyIndex(target)).toMatchObject({ rows: rows.dims[0] })
  return loadIndex(target)
}

describe('a file that grows', () => {
  it.each([
    ['the default codes', {}],
    ['int8 alone', { coarse: 'int8', rescore: 'none' }],
    ['uint8 alone, one range for all dimensions', { coarse: 'uint8', rescore: 'none', scope: 'global' }],
  ] as const)('finds what one built at once finds: %s', async (_, options) => {
    const once = recall(QuantizedIndex.build(corpus, options), corpus, queries)
    for (const [start, pieces] of [
      [100, 1],
      [1000, 3],
      [20, 12],
    ] as const) {
      expect(recall(await appended(corpus, start, pieces, options), corpus, queries)).toBeGreaterThan(once - 0.005)
    }
    const index = await openIndex(new Uint8Array(folder.bytes('index.safetensors')))
    const found = await index.search(queries, { topK: 10 })
    expect(recallOf(found, corpus, queries)).toBeGreaterThan(once - 0.005)
    await index.close()
  })

  it('finds rows about points that the first rows are far from', async () => {
    const rows = mixture(6000, 64, 30, 1, 7)
    const some = every(rows, 40)
    const options = { coarse: 'int8', rescore: 'none' } as const
    const once = recall(QuantizedIndex.build(rows, options), rows, some)
    expect(recall(await appended(rows, 20, 1, options), rows, some)).toBeGreaterThan(once - 0.005)
  })

  it('gives the bytes of an index in memory that the same rows are added to once', async () => {
    const first = QuantizedIndex.build(slice(corpus, 0, 100))
    folder.write('index.safetensors', encodeIndex(first))
    await appendToIndex(target, [slice(corpus, 100, 300), slice(corpus, 300, 1001)])
    expect(folder.bytes('index.safetensors')).toEqual(encodeIndex(first.add(slice(corpus, 100, 1001))))
  })

  it('keeps its growth through deleting and compacting', async () => {
    await buildIndex(target, [slice(corpus, 0, 120)], quiet)
    await deleteFromIndex(target, [0])
    await compactIndex(target)
    await appendToIndex(target, [slice(corpus, 120, ROWS)], {
      ids: Array.from({ length: ROWS - 120 }, (_, i) => 120 + i),
    })
    const index = await openIndex(new Uint8Array(folder.bytes('index.safetensors')))
    const once = recall(QuantizedIndex.build(corpus), corpus, queries)
    expect(recallOf(await index.search(queries, { topK: 10 }), corpus, queries)).toBeGreaterThan(once - 0.005)
    await index.close()
  })

  it('leaves ranges as they are where it is asked to, was built like another file, or got them', async () => {
    const first = folder.at('first.safetensors')
    await buildIndex(first, [slice(corpus, 0, 200)])
    const before = (await loadIndex(first)).calibration!.ranges
    await buildIndex(target, [slice(corpus, 200, 400)], { like: first })
    await appendToIndex(target, [slice(corpus, 400, 600)])
    await appendToIndex(first, [slice(corpus, 600, 800)], { keepRanges: true })
    for (const path of [first, target]) expect((await loadIndex(path)).calibration!.ranges).toEqual(before)
    const both = await openIndex(
      [first, target].map((path) => new Uint8Array(folder.bytes(path.slice(folder.path.length + 1)))),
    )
    expect(both.size).toBe(800)
    await both.close()
  })

  it('stays as it was where a row cannot be added', async () => {
    await buildIndex(target, [slice(corpus, 0, 200)])
    const before = folder.bytes('index.safetensors')
    const wrong = slice(corpus, 200, 300)
    wrong.data[77 * 384 + 5] = Number.NaN
    expect(await rejectionOf(appendToIndex(target, [wrong]))).toMatchObject({ code: 'NOT_FINITE' })
    expect(folder.bytes('index.safetensors')).toEqual(before)
  })
})
