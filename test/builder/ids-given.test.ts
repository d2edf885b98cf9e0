import { afterAll, describe, expect, it } from 'vitest'
import { QuantizedIndex } from '../../src/index.js'
import {
  appendToIndex,
  type BatchIds,
  buildIndex,
  deleteFromIndex,
  type Ids,
  IndexBuilder,
  verifyIndex,
} from '../../src/node.js'
import { openIndex } from '../../src/storage-node.js'
import { Folder, rejectionOf, rowsOf } from './files.js'

const folder = new Folder()
afterAll(() => folder.remove())

const corpus = rowsOf(3, 16, 1)
const options = { onWarning: () => {} }
const target = folder.at('index.safetensors')
const newIndex = () => buildIndex(target, [corpus], { ...options, ids: ['1', '2', '12'] })

// @ts-expect-error a string is no list of ids
const AS_IDS: Ids = '12'
// @ts-expect-error nor is it of those of a batch
const AS_BATCH_IDS: BatchIds = '123'

describe('a string where ids are taken is refused, not taken for its characters', () => {
  const message = (text: string) =>
    expect.stringContaining(`another iterable of ids, got "${text}"; pass a single id as`)

  it('by delete', async () => {
    await newIndex()
    const refused = { code: 'INVALID_ARGUMENT', argument: 'ids', message: message('12') }
    expect(await rejectionOf(deleteFromIndex(target, AS_IDS))).toMatchObject(refused)
    const text = new String('12') as unknown as Ids
    expect(await rejectionOf(deleteFromIndex(target, text, { ignoreMissing: true }))).toMatchObject(refused)
    expect(await verifyIndex(target)).toMatchObject({ deletedRows: 0 })
    await deleteFromIndex(target, ['12'])
    expect(await verifyIndex(target)).toMatchObject({ deletedRows: 1 })
  })

  it('by build, append and the builder, for all rows and for those of a batch', async () => {
    await newIndex()
    const before = folder.bytes('index.safetensors')
    const builder = await IndexBuilder.open(folder.at('built'), options)
    for (const refuse of [
      () => buildIndex(target, [corpus], { ...options, ids: AS_BATCH_IDS }),
      () => buildIndex(target, [{ embeddings: corpus, ids: AS_BATCH_IDS }], options),
      () => appendToIndex(target, [corpus], { ids: AS_BATCH_IDS }),
      () => appendToIndex(target, [{ embeddings: corpus, ids: AS_BATCH_IDS }]),
      () => builder.add(corpus, { ids: AS_BATCH_IDS }),
    ]) {
      expect(await rejectionOf(refuse())).toMatchObject({ code: 'INVALID_ARGUMENT', message: message('123') })
    }
    await builder.discard()
    expect(folder.bytes('index.safetensors')).toEqual(before)
  })

  it('by every filter', async () => {
    await newIndex()
    const index = QuantizedIndex.build(corpus, options)
    const query = corpus.data.slice(0, 16)
    const filter = '12' as unknown as number[]
    expect(() => index.search(query, { filter })).toThrow(/filter must be ids/)
    await using stored = await openIndex(target)
    expect(await rejectionOf(stored.search(query, { filter }))).toMatchObject({ code: 'INVALID_ARGUMENT' })
    expect(await rejectionOf(stored.filterOf(filter))).toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})

describe('what holds no ids at all is refused by name', () => {
  it.each([[12], [null], [{ length: 1, 0: 'a' }], [() => ['1']], [true]])('%o', async (ids) => {
    await newIndex()
    for (const refuse of [
      () => deleteFromIndex(target, ids as unknown as Ids),
      () => buildIndex(target, [corpus], { ...options, ids: ids as unknown as Ids }),
      () => appendToIndex(target, [{ embeddings: corpus, ids: ids as unknown as BatchIds }]),
    ]) {
      expect(await rejectionOf(refuse())).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'ids' })
    }
  })

  it('and so is what is no id, also where missing ones are passed over', async () => {
    await newIndex()
    for (const id of [['1'], 1.5, -1, Number.NaN, 2 ** 32, '\ud800', undefined]) {
      const refused = deleteFromIndex(target, [id as string], { ignoreMissing: true })
      expect(await rejectionOf(refused)).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'ids' })
    }
  })
})
