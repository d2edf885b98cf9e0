import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Embeddings, PackvecError, QuantizedIndex } from '../src/index.js'
import { IndexBuilder } from '../src/node.js'
import { createPool, type Pool } from '../src/pool.js'
import { encodeIndex, openIndex } from '../src/storage-node.js'
import { Folder } from './builder/files.js'
import { bundlePool } from './pool-bundle.js'
import { matrix } from './random.js'

const corpus = matrix(600, 32, 1)
const queries = matrix(3, 32, 2)
const query = queries.data.slice(0, 32)
const whole = QuantizedIndex.build(corpus)
const folder = new Folder()
let pool: Pool
let workerUrl: URL

beforeAll(async () => {
  workerUrl = (await bundlePool()).url('pool-worker.js')
  pool = await createPool({ workers: 2, workerUrl })
})
afterAll(async () => {
  await pool.close()
  folder.remove()
})

/** What the three kinds of index have in common. */
interface AnyIndex {
  readonly size: number
  readonly rows: number
  readonly dims: number
  readonly coarse: string
  readonly rescore: string
  search(queries: Embeddings, options?: object): unknown
  searchMany(queries: Embeddings, options?: object): unknown
}

interface Kind {
  open(): Promise<AnyIndex>
  end(index: AnyIndex): unknown
  /** Uses beside those that all have. */
  readonly more: Readonly<Record<string, (index: AnyIndex) => unknown>>
  readonly signal: boolean
}

const as = <T>(index: AnyIndex) => index as unknown as T
type Closing = { close(): Promise<void>; add(rows: Embeddings): unknown; filterOf(ids: number[]): unknown }

const KINDS: Readonly<Record<string, Kind>> = {
  QuantizedIndex: {
    open: async () => QuantizedIndex.build(corpus),
    end: (index) => as<QuantizedIndex>(index).dispose(),
    more: { add: (index) => as<QuantizedIndex>(index).add([]), clipped: (index) => as<QuantizedIndex>(index).clipped },
    signal: false,
  },
  StoredIndex: {
    open: () => openIndex(encodeIndex(whole)),
    end: (index) => as<Closing>(index).close(),
    more: {
      filterOf: (index) => as<Closing>(index).filterOf([1]),
      sha256: (index) => as<{ sha256: unknown }>(index).sha256,
      backend: (index) => as<QuantizedIndex>(index).backend,
      byteLength: (index) => as<QuantizedIndex>(index).byteLength,
    },
    signal: true,
  },
  PoolIndex: {
    open: () => pool.build(corpus),
    end: (index) => as<Closing>(index).close(),
    more: { add: (index) => as<Closing>(index).add([]), clipped: (index) => as<QuantizedIndex>(index).clipped },
    signal: true,
  },
}

const USES: Readonly<Record<string, (index: AnyIndex) => unknown>> = {
  size: (index) => index.size,
  rows: (index) => index.rows,
  dims: (index) => index.dims,
  coarse: (index) => index.coarse,
  rescore: (index) => index.rescore,
  search: (index) => index.search(query),
  'search for nothing': (index) => index.search([]),
  searchMany: (index) => index.searchMany(query),
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

describe.each(Object.entries(KINDS))('%s', (_name, { open, end, more, signal }) => {
  it('answers searchMany with an array, for a vector, a matrix of one row and nothing', async () => {
    const index = await open()
    const one = whole.search(query, { topK: 4 })
    expect(await index.search(query, { topK: 4 })).toEqual(one)
    expect(await index.searchMany(query, { topK: 4 })).toEqual([one])
    expect(await index.searchMany([query], { topK: 4 })).toEqual([one])
    expect(await index.searchMany(queries, { topK: 4 })).toEqual(whole.search(queries, { topK: 4 }))
    expect(await index.searchMany([])).toEqual([])
    expect(await errorOf(() => index.searchMany([[1, 2]]))).toMatchObject({ code: 'DIMS_MISMATCH', argument: 'query' })
    await end(index)
  })

  it('gives DISPOSED on every use once it has ended, and may be ended again', async () => {
    const index = await open()
    await end(index)
    await end(index)
    for (const [use, run] of Object.entries({ ...USES, ...more })) {
      expect(await errorOf(() => run(index)), use).toMatchObject({ code: 'DISPOSED', argument: 'index' })
    }
  })

  it('ends with the block of await using, also where it was ended before', async () => {
    const index = await open()
    {
      await using scoped = as<AsyncDisposable>(index)
      expect(as<AnyIndex>(scoped as never).size).toBe(600)
    }
    expect(await errorOf(() => index.search(query))).toMatchObject({ code: 'DISPOSED', argument: 'index' })
    const other = await open()
    {
      await using scoped = as<AsyncDisposable>(other)
      await end(as<AnyIndex>(scoped as never))
    }
    expect(await errorOf(() => other.search(query))).toMatchObject({ code: 'DISPOSED', argument: 'index' })
  })

  const withSignal = signal ? it : undefined
  withSignal?.('rejects with ABORTED and the reason as its cause, before and during a search', async () => {
    const index = await open()
    const many = matrix(2000, 32, 3)
    for (const method of ['search', 'searchMany'] as const) {
      const before = errorOf(() => index[method](query, { signal: AbortSignal.abort('no time') }))
      expect(await before, method).toMatchObject({ code: 'ABORTED', argument: 'signal', cause: 'no time' })
      const controller = new AbortController()
      const during = errorOf(() => index[method](many, { signal: controller.signal }))
      controller.abort('changed my mind')
      expect(await during, method).toMatchObject({ code: 'ABORTED', argument: 'signal', cause: 'changed my mind' })
      const own = new PackvecError('TIMEOUT', 'day', 'the day is over')
      expect(await errorOf(() => index[method](query, { signal: AbortSignal.abort(own) })), method).toBe(own)
      const late = errorOf(() => index[method](many, { timeout: 1 }))
      expect(await late, method).toMatchObject({ code: 'TIMEOUT', argument: 'timeout' })
      expect(await index[method](query), method).toBeDefined()
    }
    await end(index)
  })

  withSignal?.('searched while it is closed answers or says DISPOSED', async () => {
    const index = await open()
    const asked = Array.from({ length: 20 }, () => errorOf(() => index.search(matrix(300, 32, 4))))
    await end(index)
    for (const error of await Promise.all(asked)) {
      if (error !== undefined) expect(error).toMatchObject({ code: 'DISPOSED', argument: 'index' })
    }
  })

  const withoutSignal = signal ? undefined : it
  withoutSignal?.('refuses a signal by name: its searches end before anyone could abort them', async () => {
    const index = await open()
    const signalled = errorOf(() => index.search(query, { signal: AbortSignal.abort() }))
    expect(await signalled).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'signal' })
  })
})

describe('a file that is searched where it lies', () => {
  it('says DISPOSED, not what its source says, to a search that reads after the closing', async () => {
    const path = folder.at('closed.safetensors')
    folder.write('closed.safetensors', encodeIndex(whole))
    const index = await openIndex(path)
    const asked = Array.from({ length: 8 }, () => errorOf(() => index.search(matrix(500, 32, 5))))
    await index.close()
    const codes = (await Promise.all(asked)).map((error) => (error as PackvecError | undefined)?.code)
    expect(new Set(codes)).toEqual(new Set(['DISPOSED']))
  })
})

describe('a pool', () => {
  it('gives DISPOSED for itself and its indexes, and ends with the block of await using', async () => {
    const other = await createPool({ workers: 1, workerUrl })
    const index = await other.build(corpus)
    {
      await using scoped = other
      expect(scoped.workers).toBe(1)
    }
    await other.close()
    const uses = [() => other.build(corpus), () => other.open(encodeIndex(whole)), () => index.search(query)]
    for (const use of [...uses, () => index.size]) {
      expect(await errorOf(use)).toMatchObject({ code: 'DISPOSED', argument: 'pool' })
    }
    await index.close()
    expect(await errorOf(() => index.size)).toMatchObject({ code: 'DISPOSED', argument: 'index' })
  })
})

describe('a builder', () => {
  it('is discarded at the end of await using, unless it has finished', async () => {
    let kept: IndexBuilder
    {
      await using builder = await IndexBuilder.open(folder.at('unfinished'))
      await builder.add(corpus)
      expect([builder.path, builder.rows]).toEqual([folder.at('unfinished'), 600])
      kept = builder
    }
    expect(folder.list()).not.toContain('unfinished')
    expect(await errorOf(() => kept.add(corpus))).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'builder' })
    {
      await using builder = await IndexBuilder.open(folder.at('finished'))
      await builder.add(corpus)
      await builder.finish()
    }
    expect(folder.bytes('finished')).toEqual(encodeIndex(whole))
  })
})
