import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { QuantizedIndex, type SearchResult } from '../src/index.js'
import { createPool, type Pool, type PoolIndex } from '../src/pool.js'
import { encodeIndex } from '../src/storage.js'
import { bundlePool } from './pool-bundle.js'
import { matrix, unitRows } from './random.js'

const DIMS = 32
const corpus = matrix(400, DIMS, 1)
const more = matrix(3000, DIMS, 2)
const query = unitRows(1, DIMS, 3)
const quiet = { onWarning() {} }
const file = encodeIndex(QuantizedIndex.build(corpus, quiet))
/** Rows of which so many can be asked for that a shard needs more room. */
const narrow = matrix(20_000, 8, 4)
const narrowQuery = unitRows(1, 8, 5)

let folder: string
let pool: Pool

/**
 * Workers that number the memories they ask for, all together, by files that only one of them can make; the one whose number
 * is the name of another file is refused.
 */
beforeAll(async () => {
  const bundle = await bundlePool()
  folder = join(bundle.folder, 'memories')
  const source = `
    import { existsSync, writeFileSync } from 'node:fs'
    const folder = ${JSON.stringify(folder)}
    function next(number = 0) {
      try {
        writeFileSync(folder + '/made-' + number, '', { flag: 'wx' })
        return number
      } catch {
        return next(number + 1)
      }
    }
    const { Memory } = WebAssembly
    WebAssembly.Memory = class extends Memory {
      constructor(descriptor) {
        if (existsSync(folder + '/refuse-' + next())) throw new RangeError('WebAssembly.Memory(): could not allocate memory')
        super(descriptor)
      }
    }
    await import('./pool-worker.js')`
  writeFileSync(join(bundle.folder, 'short-of-memory.js'), source)
  refuse(undefined)
  pool = await createPool({ workers: 3, workerUrl: bundle.url('short-of-memory.js') })
})
afterAll(() => pool.close())

/** Begins to count anew, and refuses one memory. */
function refuse(number: number | undefined): void {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  if (number !== undefined) writeFileSync(join(folder, `refuse-${number}`), '')
}

const wasAsked = (number: number) => existsSync(join(folder, `made-${number}`))
const found = ({ ids, scores }: SearchResult) => ({ ids: [...ids], scores: [...scores] })

interface Work {
  readonly make: () => Promise<PoolIndex | undefined>
  readonly run: (index: PoolIndex) => Promise<unknown>
  readonly query: Float32Array
}

const works: Record<string, Work> = {
  build: {
    make: async () => undefined,
    run: async () => {
      await using index = await pool.build(corpus, quiet)
      return found(await index.search(query))
    },
    query,
  },
  open: {
    make: async () => undefined,
    run: async () => {
      await using index = await pool.open(file)
      return found(await index.search(query))
    },
    query,
  },
  'add, which has to grow,': {
    make: () => pool.build(corpus, quiet),
    run: async (index) => {
      await index.add(more)
      return [index.size, found(await index.search(query))]
    },
    query,
  },
  'add of rows that widen the ranges': {
    make: () => pool.build(corpus, { coarse: 'int8', rescore: 'none', ...quiet }),
    run: async (index) => {
      await index.add({ data: more.data.map((value) => 3 * value), dims: more.dims })
      return [index.size, found(await index.search(query))]
    },
    query,
  },
  'search, which needs more room than before,': {
    make: () => pool.build(narrow, { coarse: 'ubinary', rescore: 'none', ...quiet }),
    run: async (index) => found(await index.search(narrowQuery, { topK: 20_000 })),
    query: narrowQuery,
  },
}

describe('a worker that gets no memory', () => {
  it.each(Object.entries(works))('lets %s end with TOO_LARGE, nothing changed, and then succeed', async (_, work) => {
    refuse(undefined)
    const first = await work.make()
    const expected = await work.run(first!)
    await first?.close()
    for (let at = 0; ; at++) {
      refuse(undefined)
      const index = await work.make()
      const before = index && [index.size, found(await index.search(work.query))]
      refuse(at)
      const error = await work.run(index!).then(
        () => undefined,
        (reason: unknown) => reason,
      )
      if (!wasAsked(at)) {
        expect(at).toBeGreaterThan(0)
        await index?.close()
        break
      }
      refuse(undefined)
      expect(error).toMatchObject({ name: 'PackvecError', code: 'TOO_LARGE' })
      expect(index && [index.size, found(await index.search(work.query))]).toEqual(before)
      expect(await work.run(index!)).toEqual(expected)
      await index?.close()
    }
  })
})
