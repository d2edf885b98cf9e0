import { copyFileSync, existsSync, rmSync, writeFileSync } from 'node:fs'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { decodeSafetensors } from '../../src/formats/safetensors.js'
import { QuantizedIndex } from '../../src/index.js'
import {
  appendToIndex,
  type BuildProgress,
  buildIndex,
  compactIndex,
  deleteFromIndex,
  loadIndex,
  verifyIndex,
} from '../../src/node.js'
import { encodeIndex } from '../../src/storage.js'
import { Folder, rejectionOf, rowsOf, slice } from './files.js'

const folder = new Folder()
afterAll(() => folder.remove())

const ROWS = 1000
const DIMS = 33
const corpus = rowsOf(ROWS, DIMS, 1)
const target = folder.at('index.safetensors')
const OPTIONS = { coarse: 'ternary', scale: true, onWarning: () => {} } as const
const numbers = Array.from({ length: ROWS }, (_, i) => 3 * i + 5)
const texts = numbers.map((id) => (id % 2 === 0 ? '' : 'ü') + id)

function stored(): { tensors: ReturnType<typeof decodeSafetensors>['tensors']; metadata: Record<string, string> } {
  const { tensors, metadata } = decodeSafetensors(folder.bytes('index.safetensors'))
  return { tensors, metadata: { ...metadata } }
}

function storedKeys(): string[] {
  const { tensors } = stored()
  const offsets = new Uint32Array(tensors.get('keys.offsets')!.data.slice().buffer)
  const { data } = tensors.get('keys')!
  return Array.from({ length: offsets.length - 1 }, (_, i) => {
    return new TextDecoder().decode(data.subarray(offsets[i], offsets[i + 1]))
  })
}

function storedNumbers(): number[] {
  return [...new Uint32Array(stored().tensors.get('ids')!.data.slice().buffer)]
}

describe('appendToIndex', () => {
  it('gives the bytes of an index that the rows were added to in memory', async () => {
    const first = QuantizedIndex.build(slice(corpus, 0, 600), OPTIONS)
    folder.write('index.safetensors', encodeIndex(first))
    await appendToIndex(target, [
      folder.npy('a.npy', slice(corpus, 600, 601)),
      folder.npy('b.npy', slice(corpus, 601, ROWS)),
    ])
    expect(folder.bytes('index.safetensors')).toEqual(encodeIndex(first.add(slice(corpus, 600, ROWS))))
  })

  it('adds ids behind those there are, of either kind', async () => {
    for (const [ids, read] of [
      [numbers, storedNumbers],
      [texts, storedKeys],
    ] as const) {
      await buildIndex(target, [slice(corpus, 0, 600)], { ...OPTIONS, ids: ids.slice(0, 600) as string[] })
      await appendToIndex(target, [slice(corpus, 600, ROWS)], { ids: ids.slice(600) as string[] })
      expect(read()).toEqual(ids)
      await verifyIndex(target)
    }
  })

  it('keeps metadata that it does not know, and what is deleted', async () => {
    await buildIndex(target, [slice(corpus, 0, 600)], { ...OPTIONS, metadata: { model: 'M' } })
    await deleteFromIndex(target, [0, 599])
    await appendToIndex(target, [slice(corpus, 600, ROWS)])
    expect(stored().metadata).toMatchObject({ model: 'M', rows: '1000' })
    expect(await verifyIndex(target)).toMatchObject({ rows: ROWS, deletedRows: 2 })
    expect((await rejectionOf(deleteFromIndex(target, [599]))).message).toMatch(/the id 599/)
  })

  it('takes the id of a deleted row again', async () => {
    await buildIndex(target, [slice(corpus, 0, 600)], { ...OPTIONS, ids: texts.slice(0, 600) })
    await deleteFromIndex(target, [texts[7]!])
    await appendToIndex(target, [slice(corpus, 7, 8)], { ids: [texts[7]!] })
    await verifyIndex(target)
    await compactIndex(target)
    expect(storedKeys()).toEqual([...texts.slice(0, 7), ...texts.slice(8, 600), texts[7]])
  })
})

describe('deleteFromIndex and compactIndex', () => {
  it('mark rows, lowest bit first, and take them out', async () => {
    await buildIndex(target, [corpus], { ...OPTIONS, coarse: 'binary' })
    const before = stored().tensors
    await deleteFromIndex(target, [0, 9, 999, 9])
    const { data } = stored().tensors.get('deleted')!
    expect([data.length, data[0], data[1], data[124]]).toEqual([125, 1, 2, 128])
    expect(stored().tensors.get('int8')!.data).toEqual(before.get('int8')!.data)
    await compactIndex(target)
    const after = stored().tensors
    expect(after.has('deleted')).toBe(false)
    expect(storedNumbers()).toEqual(Array.from({ length: ROWS }, (_, i) => i).filter((i) => ![0, 9, 999].includes(i)))
    for (const [name, rowBytes] of [
      ['int8', DIMS],
      ['binary', 5],
      ['int8.scale', 2],
    ] as const) {
      const rows = (i: number, j: number) => Buffer.from(before.get(name)!.data.subarray(i * rowBytes, j * rowBytes))
      expect(Buffer.from(after.get(name)!.data)).toEqual(Buffer.concat([rows(1, 9), rows(10, 999)]))
    }
    await verifyIndex(target)
    expect((await loadIndex(target)).size).toBe(997)
  })

  it('cut rows that lie across pieces of the file', async () => {
    const many = rowsOf(40_000, 67, 6)
    await buildIndex(target, [many])
    const int8 = stored().tensors.get('int8')!.data
    await deleteFromIndex(
      target,
      Array.from({ length: 20_000 }, (_, i) => 2 * i),
    )
    await compactIndex(target)
    const odd = Buffer.concat(
      Array.from({ length: 20_000 }, (_, i) => int8.subarray((2 * i + 1) * 67, (2 * i + 2) * 67)),
    )
    expect(Buffer.compare(stored().tensors.get('int8')!.data, odd)).toBe(0)
  })

  it('find rows by their ids, also those that were numbers of rows once', async () => {
    await buildIndex(target, [corpus], OPTIONS)
    await deleteFromIndex(target, [3])
    await compactIndex(target)
    expect((await rejectionOf(deleteFromIndex(target, [3]))).message).toMatch(/the id 3 \(1 unknown\)/)
    await deleteFromIndex(target, [4, 999])
    await compactIndex(target)
    expect(storedNumbers()).toHaveLength(997)
    expect(storedNumbers().slice(0, 5)).toEqual([0, 1, 2, 5, 6])
  })

  it('change nothing where nothing is to be done', async () => {
    await buildIndex(target, [corpus], OPTIONS)
    const bytes = folder.bytes('index.safetensors')
    await compactIndex(target)
    await deleteFromIndex(target, [])
    await deleteFromIndex(target, ['no', 4000], { ignoreMissing: true })
    expect(folder.bytes('index.safetensors')).toEqual(bytes)
  })

  it('pass over ids that are not there, where that is wanted', async () => {
    await buildIndex(target, [corpus], { ...OPTIONS, ids: texts })
    await deleteFromIndex(target, [texts[1]!, 'no'], { ignoreMissing: true })
    expect(await verifyIndex(target)).toMatchObject({ deletedRows: 1 })
  })

  it('are not found by readers that hold the whole index in memory', async () => {
    await buildIndex(target, [corpus], OPTIONS)
    await deleteFromIndex(target, [1])
    const index = await loadIndex(target)
    expect([index.size, index.rows]).toEqual([corpus.dims[0] - 1, corpus.dims[0]])
    expect(index.search(slice(corpus, 1, 2), { topK: corpus.dims[0] })[0]!.ids).not.toContain(1)
  })
})

describe('what cannot be done leaves the index as it was, and nothing beside it', () => {
  beforeEach(async () => {
    await buildIndex(folder.at('plain'), [corpus], OPTIONS)
    await buildIndex(folder.at('keyed'), [corpus], { ...OPTIONS, ids: texts })
  })

  const wrong = slice(corpus, 0, 5)
  wrong.data[4 * DIMS] = Number.NaN
  it.each<[string, (path: (name: string) => string) => Promise<unknown>, string, RegExp]>([
    [
      'ids for rows without',
      (at) => appendToIndex(at('plain'), [corpus], { ids: numbers }),
      'INVALID_ARGUMENT',
      /added rows cannot have ids/,
    ],
    [
      'no ids for rows with',
      (at) => appendToIndex(at('keyed'), [corpus]),
      'INVALID_ARGUMENT',
      /the index has text ids, so every added row needs one; got none for 1000 rows/,
    ],
    [
      'ids that are there',
      (at) => appendToIndex(at('keyed'), [corpus], { ids: texts }),
      'INVALID_ARGUMENT',
      /unique, got "ü5" at rows 0 and 1000/,
    ],
    [
      'ids of another kind',
      (at) => appendToIndex(at('keyed'), [corpus], { ids: numbers }),
      'INVALID_ARGUMENT',
      /ids must be texts, as the other ids are, got 5 for row 1000/,
    ],
    [
      'rows of other dims',
      (at) => appendToIndex(at('plain'), [rowsOf(3, 7, 1)]),
      'DIMS_MISMATCH',
      /rows have 7 dimensions, the index .* has 33/,
    ],
    ['NaN', (at) => appendToIndex(at('plain'), [wrong]), 'NOT_FINITE', /NaN at row 4, dimension 0/],
    ['no rows', (at) => appendToIndex(at('plain'), []), 'EMPTY', /at least 1 row/],
    [
      'an unknown row',
      (at) => deleteFromIndex(at('plain'), [5, 1000, 1001]),
      'INVALID_ARGUMENT',
      /the id 1000 \(2 unknown\)/,
    ],
    [
      'an unknown text',
      (at) => deleteFromIndex(at('keyed'), ['ü5', 'ü6']),
      'INVALID_ARGUMENT',
      /the id "ü6" \(1 unknown\)/,
    ],
    ['a missing file', (at) => deleteFromIndex(at('none'), [1]), 'IO', /no such file/],
    [
      'a file that is no index',
      (at) => appendToIndex(folder.npy('c.npy', corpus) && at('c.npy'), [corpus]),
      'INVALID_FILE',
      /c\.npy/,
    ],
  ])('%s', async (_, work, code, message) => {
    const names = () => folder.list().filter((name) => !name.endsWith('.npy'))
    const before = [names(), folder.bytes('plain'), folder.bytes('keyed')]
    expect(await rejectionOf(work((name) => folder.at(name)))).toMatchObject({
      code,
      message: expect.stringMatching(message),
    })
    expect([names(), folder.bytes('plain'), folder.bytes('keyed')]).toEqual(before)
  })

  it('every row deleted', async () => {
    await deleteFromIndex(
      folder.at('plain'),
      numbers.map((_, row) => row),
    )
    expect(await rejectionOf(compactIndex(folder.at('plain')))).toMatchObject({ code: 'EMPTY' })
  })

  it('an index that something without its lock has replaced meanwhile, or removed', async () => {
    for (const [replace, left] of [
      [() => copyFileSync(folder.at('keyed'), target), folder.bytes('keyed')],
      [() => writeFileSync(target, 'not an index'), new TextEncoder().encode('not an index')],
      [() => rmSync(target), undefined],
    ] as const) {
      copyFileSync(folder.at('plain'), target)
      let replaced = false
      const onProgress = ({ phase }: BuildProgress) => {
        if (phase === 'encode' && !replaced) replace()
        replaced ||= phase === 'encode'
      }
      const appended = appendToIndex(target, [slice(corpus, 0, 1)], { onProgress })
      expect(await rejectionOf(appended)).toMatchObject({ code: 'CHANGED' })
      expect(existsSync(target) ? folder.bytes('index.safetensors') : undefined).toEqual(left)
    }
  })
})

describe('rows that are still coming', () => {
  it('keep no other writer waiting: an append may wait for another one of the same file', async () => {
    await buildIndex(target, [corpus], OPTIONS)
    async function* slow() {
      yield slice(corpus, 0, 5)
      await appendToIndex(target, [slice(corpus, 0, 1)])
    }
    await appendToIndex(target, slow())
    expect(await verifyIndex(target)).toMatchObject({ rows: ROWS + 6 })
  })
})
