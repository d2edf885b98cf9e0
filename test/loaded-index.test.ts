import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decodeSafetensors } from '../src/formats/safetensors.js'
import { type Embeddings, type Filter, PackvecError, QuantizedIndex, type SearchOptions } from '../src/index.js'
import { type BuildIndexOptions, buildIndex, deleteFromIndex, loadIndex, saveIndex, verifyIndex } from '../src/node.js'
import { createPool, type Pool, type PoolIndex } from '../src/pool.js'
import { decodeIndex, encodeIndex, openIndex } from '../src/storage-node.js'
import { Folder, rowsOf, slice } from './builder/files.js'
import { sealed } from './format/sealed.js'
import { bundlePool } from './pool-bundle.js'

const ROWS = 900
const DIMS = 24
const corpus = rowsOf(ROWS, DIMS, 1)
const queries = rowsOf(5, DIMS, 2)
const query = queries.data.subarray(0, DIMS)
const folder = new Folder()
const texts = Array.from({ length: ROWS }, (_, row) => `${row % 3 === 0 ? '\ufeffé' : ''}text ${row}`)
const numbers = Array.from({ length: ROWS }, (_, row) => (row % 2 === 0 ? 2 ** 32 - 1 - row : 7 * row))
const METADATA = { model: 'all-MiniLM', about: 'ü' }
let pool: Pool
let path = ''

beforeAll(async () => {
  const bundle = await bundlePool()
  pool = await createPool({ workers: 2, workerUrl: bundle.url('pool-worker.js') })
})
afterAll(async () => {
  await pool.close()
  folder.remove()
})

/** What an index in memory and one of a pool have in common. */
interface Searched {
  readonly size: number
  readonly rows: number
  search(queries: Embeddings, options?: SearchOptions): unknown
  add(embeddings: Embeddings, options?: { readonly ids?: Iterable<number | string> }): unknown
}

const READERS: Record<string, () => Promise<Searched>> = {
  loadIndex: () => loadIndex(path),
  decodeIndex: async () => decodeIndex(folder.bytes('index')),
  'pool.open': () => pool.open(folder.bytes('index')),
}

async function errorOf(run: () => unknown): Promise<unknown> {
  try {
    await run()
  } catch (error) {
    expect(error).toBeInstanceOf(PackvecError)
    return error
  }
  return undefined
}

const OPTIONS: BuildIndexOptions = { metadata: METADATA, onWarning: () => {} }
const KINDS: readonly (readonly [string, string[] | number[] | undefined, (row: number) => string | number])[] = [
  ['text ids', texts, (row) => texts[row]!],
  ['number ids', numbers, (row) => numbers[row]!],
  ['row numbers', undefined, (row) => row],
]

describe.each(KINDS)('an index in memory that was loaded from a file with %s', (_kind, ids, idOf) => {
  const gone = [0, 3, 4, 77, 500, ROWS - 1]

  beforeAll(async () => {
    path = folder.at('index')
    await buildIndex(path, [corpus], { ...OPTIONS, ...(ids && { ids }) })
    await deleteFromIndex(path, gone.map(idOf))
  })

  describe.each(Object.keys(READERS))('by %s', (reader) => {
    const read = () => READERS[reader]!()

    it('gives the results of openIndex: by ids, without deleted rows, whatever the filter', async () => {
      const [stored, index] = [await openIndex(path), await read()]
      expect([index.size, index.rows]).toEqual([stored.size, stored.rows])
      expect([index.size, index.rows]).toEqual([ROWS - gone.length, ROWS])
      const half = Array.from({ length: ROWS }, (_, row) => row).filter((row) => row % 5 < 2)
      const bits = new Uint8Array(Math.ceil(ROWS / 8)).fill(0b10110)
      const filters: (Filter | undefined)[] = [
        undefined,
        half.map(idOf),
        new Set(gone.slice(1).map(idOf)),
        [idOf(5), idOf(4)],
        [],
        { bits },
      ]
      for (const filter of filters) {
        for (const topK of [1, 10, 2 * ROWS]) {
          const options: SearchOptions = { topK, ...(filter && { filter }) }
          const expected = await stored.search(queries, options)
          expect(await index.search(queries, options)).toEqual(expected)
          expect(await index.search(query, options)).toEqual(expected[0])
          for (const { ids, keys } of expected) {
            const found: readonly unknown[] = keys ?? Array.from(ids)
            expect(found.filter((id) => gone.some((row) => idOf(row) === id))).toEqual([])
          }
        }
      }
      await stored.close()
    })

    it('takes rows with new ids, refuses others, and is left as it was then', async () => {
      const [index, more] = [await read(), rowsOf(4, DIMS, 3)]
      const fresh: (number | string)[] = texts === ids ? ['', 'new', idOf(3) as string, 'ç'] : [1, 2 ** 32 - 1, 3, 9]
      const repeated = ids === undefined ? [0] : [fresh[0]!, fresh[1]!, fresh[0]!, fresh[3]!]
      const before = await index.search(queries)
      const wrong: unknown[] = [
        repeated,
        fresh.slice(1),
        ...(ids ? [undefined, [...fresh.slice(1), idOf(5)], [...fresh.slice(1), -1], 'abcd', 4] : [fresh, []]),
      ]
      for (const given of wrong) {
        const error = await errorOf(() => index.add(more, { ids: given as string[] }))
        expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'ids' })
      }
      const bad = { data: more.data.slice().fill(Number.NaN, 5), dims: more.dims }
      expect(await errorOf(() => index.add(bad, ids && { ids: fresh }))).toMatchObject({ code: 'NOT_FINITE' })
      expect([index.size, index.rows]).toEqual([ROWS - gone.length, ROWS])
      expect(await index.search(queries)).toEqual(before)

      await index.add(more, ids && { ids: new Set(fresh) })
      expect([index.size, index.rows]).toEqual([ROWS - gone.length + 4, ROWS + 4])
      const named = (row: number) => (ids ? fresh[row]! : ROWS + row)
      for (const row of [0, 1, 2, 3]) {
        const filter = [named(row), idOf(8), idOf(4)]
        const found = (await index.search(slice(more, row, row + 1), { filter })) as {
          ids: Uint32Array
          keys?: string[]
        }[]
        expect(found[0]!.ids).toHaveLength(2)
        expect((found[0]!.keys ?? found[0]!.ids)[0]).toBe(named(row))
      }
    })
  })

  it('is saved with ids, deleted rows and metadata, byte for byte the file', async () => {
    for (const index of [await loadIndex(path), decodeIndex(folder.bytes('index'))]) {
      expect(Buffer.compare(encodeIndex(index), folder.bytes('index'))).toBe(0)
      await saveIndex(index, folder.at('again'))
      expect(Buffer.compare(folder.bytes('again'), folder.bytes('index'))).toBe(0)
    }
  })

  it('is saved with the rows that were added, as openIndex then finds them', async () => {
    const index = await loadIndex(path)
    const more = rowsOf(21, DIMS, 5)
    for (const row of Array.from({ length: 21 }, (_, row) => row)) {
      const id = texts === ids ? `more ${row} ${'é'.repeat(row)}` : 100_000 + row
      index.add(slice(more, row, row + 1), ids && { ids: [id] })
    }
    await saveIndex(index, folder.at('more'))
    expect(await verifyIndex(folder.at('more'))).toMatchObject({ rows: ROWS + 21, deletedRows: gone.length })
    const stored = await openIndex(folder.at('more'))
    expect(await stored.search(more, { topK: 20 })).toEqual(index.search(more, { topK: 20 }))
    expect(encodeIndex(await loadIndex(folder.at('more')))).toEqual(encodeIndex(index))
    await stored.close()
  })
})

describe('an index in memory', () => {
  it('finds nothing where every row is deleted', async () => {
    path = folder.at('index')
    await buildIndex(path, [corpus], OPTIONS)
    await deleteFromIndex(
      path,
      Array.from({ length: ROWS }, (_, row) => row),
    )
    for (const read of Object.values(READERS)) {
      const index = await read()
      expect([index.size, index.rows]).toEqual([0, ROWS])
      expect(await index.search(query)).toEqual({ ids: new Uint32Array(0), scores: new Float32Array(0) })
    }
  })

  it('without ids of the user’s takes none', async () => {
    const built = QuantizedIndex.build(corpus, { onWarning: () => {} })
    const pooled: PoolIndex = await pool.build(corpus, { onWarning: () => {} })
    for (const index of [built, pooled]) {
      const error = await errorOf(() => index.add(corpus, { ids: numbers }))
      expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'ids' })
      expect(index.size).toBe(ROWS)
      expect(await errorOf(() => index.search(query, { filter: ['1'] }))).toMatchObject({ argument: 'filter' })
    }
  })

  it('is refused with bits of deleted rows that are not there', async () => {
    path = folder.at('index')
    await buildIndex(path, [slice(corpus, 0, 20)], OPTIONS)
    await deleteFromIndex(path, [1])
    const { tensors, metadata } = decodeSafetensors(folder.bytes('index'))
    tensors.get('deleted')!.data[2]! |= 1 << 7
    for (const read of [decodeIndex, (bytes: Uint8Array) => pool.open(bytes)]) {
      const error = await errorOf(() => read(sealed(tensors, metadata)))
      expect(error).toMatchObject({
        code: 'INVALID_FILE',
        message: expect.stringMatching(/marks rows beyond the last one/),
      })
    }
  })
})
