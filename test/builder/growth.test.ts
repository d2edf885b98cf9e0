import { afterAll, describe, expect, it } from 'vitest'
import { Calibration, QuantizedIndex } from '../../src/index.js'
import { appendToIndex, buildIndex, compactIndex, deleteFromIndex, loadIndex, verifyIndex } from '../../src/node.js'
import { Rotation } from '../../src/rotations.js'
import { encodeIndex, openIndex } from '../../src/storage.js'
import { changed, every, example, mixture, quiet, type Rows, recall, recallOf, slice } from '../recall.js'
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

  it('tells what fixed ranges cut off, of files that are appended to and that follow another', async () => {
    const messages: string[] = []
    const onWarning = (message: string) => void messages.push(message)
    const calibration = Calibration.from(slice(corpus, 0, 500))
    await buildIndex(target, [slice(corpus, 0, 500)], { ranges: Calibration.fromRanges(calibration), onWarning })
    await appendToIndex(target, [slice(corpus, 0, 500)], { onWarning })
    expect(messages).toEqual([])
    await appendToIndex(target, [slice(corpus, 500, ROWS)], { onWarning })
    const told = expect.stringMatching(/% of the values that were added lie outside the int8 ranges, which are fixed/)
    expect(messages).toEqual([told])
    await buildIndex(folder.at('like.safetensors'), [slice(corpus, 500, ROWS)], { like: target, onWarning })
    expect(messages).toEqual([told, told])
    await buildIndex(target, [slice(corpus, 0, 500)])
    await appendToIndex(target, [slice(corpus, 500, ROWS)], { onWarning, keepRanges: true })
    expect(messages).toEqual([told, told, told])
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

describe('a file whose rows have a centre', () => {
  const rows = changed(slice(corpus, 0, 1500), (value) => value + 0.2)

  it.each([
    ['alone', {}],
    ['renormalised, rotated', { renormalize: true, rotation: Rotation.hadamard(384, { seed: 2 }) }],
    ['of a sample that was given', { calibrationEmbeddings: slice(rows, 0, 300) }],
  ] as const)('is the one of an index in memory, is searched where it lies and grows: %s', async (_, options) => {
    const built = { ...options, center: true }
    const one = QuantizedIndex.build(rows, built)
    await buildIndex(target, [slice(rows, 0, 700), slice(rows, 700, 1500)], built)
    expect(folder.bytes('index.safetensors')).toEqual(encodeIndex(one))
    await appendToIndex(target, [slice(rows, 0, 100)])
    one.add(slice(rows, 0, 100))
    expect(folder.bytes('index.safetensors')).toEqual(encodeIndex(one))
    const index = await openIndex(new Uint8Array(folder.bytes('index.safetensors')))
    const asked = changed(slice(queries, 0, 20), (value) => value + 0.2)
    const found = await index.search(asked)
    expect(found.map(({ ids, scores }) => ({ ids: new Uint32Array(ids), scores }))).toEqual(one.search(asked))
    await index.close()
    await buildIndex(folder.at('like.safetensors'), [rows], { like: target })
    expect((await loadIndex(folder.at('like.safetensors'))).search(asked)).toEqual(
      (await loadIndex(target)).search(asked, { filter: Array.from({ length: 1500 }, (_, i) => i) }),
    )
  })

  it('is asked for where its rows need it, by a warning that says so once', async () => {
    const messages: string[] = []
    const onWarning = (message: string) => messages.push(message)
    await buildIndex(target, [slice(rows, 0, 700), slice(rows, 700, 1500)], { onWarning })
    expect(messages).toEqual([expect.stringMatching(/384 of 384 dimensions have one sign.* center: true/)])
    await buildIndex(target, [rows], { onWarning, center: true })
    await buildIndex(target, [corpus], { onWarning })
    expect(messages.length).toBe(1)
  })
})
