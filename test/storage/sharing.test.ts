import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { nodeSha256 } from '../../src/files/node-sha256.js'
import { QuantizedIndex } from '../../src/index.js'
import { parseIndexHeader } from '../../src/index-file/header.js'
import { MemorySource } from '../../src/sources/memory-source.js'
import type { ByteRange, ByteSource } from '../../src/sources/source.js'
import { encodeIndex, openIndex } from '../../src/storage-node.js'
import { matrix } from '../random.js'
import { indexFile } from './index-files.js'
import { FileServer, rejectionOf } from './server.js'

const searches = process.env['CI_FULL'] === undefined ? 200 : 1000
const dims = 64
const index = QuantizedIndex.build(matrix(8000, dims, 1))
const file = encodeIndex(index)
const int8 = parseIndexHeader(file, file.length, nodeSha256).columns[1]!.codes
const blocks = Math.ceil(int8.byteLength / 4096)
const queries = matrix(searches, dims, 2)
const queryOf = (i: number) => queries.data.subarray(i * dims, (i + 1) * dims)

let server: FileServer
beforeEach(async () => {
  server = await new FileServer(file).open()
})
afterEach(async () => {
  await server.close()
})

/** Leaves ranges of codes unanswered until it is called. */
function holdRanges(): { release: () => void; closed: () => number; held: () => number } {
  let release = () => {}
  let [closed, held] = [0, 0]
  const open = new Promise<void>((resolve) => {
    release = resolve
  })
  server.behaviour = async (_, response) => {
    held++
    response.once('close', () => {
      if (!response.writableFinished) closed++
    })
    await open
    return false
  }
  return { release, closed: () => closed, held: () => held }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1))
}

describe('simultaneous searches over HTTP', () => {
  it('share what is under way: no block is asked for twice', async () => {
    const stored = await openIndex(server.url, { gapBytes: 0 })
    const before = server.asked.length
    const found = await Promise.all(Array.from({ length: searches }, (_, i) => stored.search(queryOf(i))))
    found.forEach((result, i) => {
      expect(result).toEqual(index.search(queryOf(i)))
    })
    const asked = server.asked.slice(before)
    expect(asked.length).toBeLessThanOrEqual(blocks)
    const bytes = asked.reduce((sum, { first, end }) => sum + end - first, 0)
    expect(bytes).toBeLessThanOrEqual(int8.byteLength)
  })

  it('may each be aborted, and the others go on', async () => {
    const stored = await openIndex(server.url)
    const { release, held } = holdRanges()
    const controllers = Array.from({ length: 4 }, () => new AbortController())
    const running = controllers.map(({ signal }) => stored.search(queryOf(0), { signal }))
    const ended = [0, 2].map((i) => rejectionOf(running[i]!))
    await until(() => held() > 0)
    // The first of them is the one that asked.
    controllers[0]!.abort()
    controllers[2]!.abort()
    expect((await Promise.all(ended)).map(({ code }) => code)).toEqual(['ABORTED', 'ABORTED'])
    release()
    for (const i of [1, 3]) expect(await running[i]).toEqual(index.search(queryOf(0)))
  })

  it('ask for no more once all of them are aborted, and a later one asks anew', async () => {
    const stored = await openIndex(server.url, { maxRequests: 2, gapBytes: 0 })
    const { release, closed, held } = holdRanges()
    const controller = new AbortController()
    const running = Array.from({ length: 3 }, () =>
      rejectionOf(stored.search(queryOf(0), { signal: controller.signal })),
    )
    await until(() => held() === 2)
    controller.abort()
    expect((await Promise.all(running)).map(({ code }) => code)).toEqual(['ABORTED', 'ABORTED', 'ABORTED'])
    await until(() => closed() === 2)
    expect(held()).toBe(2)
    release()
    server.reset()
    expect(await stored.search(queryOf(0))).toEqual(index.search(queryOf(0)))
  })

  it('each end at their own time', async () => {
    const stored = await openIndex(server.url)
    const { release, held } = holdRanges()
    const patient = stored.search(queryOf(0))
    const hasty = rejectionOf(stored.search(queryOf(0), { timeout: 30 }))
    await until(() => held() > 0)
    expect((await hasty).code).toBe('TIMEOUT')
    release()
    expect(await patient).toEqual(index.search(queryOf(0)))
  })

  it('fail where the server does, all at once, and succeed afterwards', async () => {
    const stored = await openIndex(server.url, { retries: 0 })
    server.behaviour = (_, response) => {
      response.writeHead(500).end()
      return true
    }
    const errors = await Promise.all(Array.from({ length: 20 }, () => rejectionOf(stored.search(queryOf(0)))))
    expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(['IO']))
    server.reset()
    expect(await stored.search(queryOf(0))).toEqual(index.search(queryOf(0)))
  })

  it('fail for a damaged block where they need it, the others do not', async () => {
    const alone = async (i: number) => {
      const stored = await openIndex(server.url)
      return stored.search(queryOf(i), { topK: 1 }).then(
        () => 'found',
        ({ code }) => code as string,
      )
    }
    server.content = file.slice()
    // Half of the blocks, so that some searches need none of them.
    for (let block = 0; block < blocks; block += 7) server.content[int8.position + 4096 * block]! ^= 1
    const some = Array.from({ length: 30 }, (_, i) => i)
    const expected: string[] = []
    for (const i of some) expected.push(await alone(i))
    const stored = await openIndex(server.url)
    const found = await Promise.all(
      some.map((i) =>
        stored.search(queryOf(i), { topK: 1 }).then(
          () => 'found',
          ({ code }) => code as string,
        ),
      ),
    )
    expect(found).toEqual(expected)
    expect(new Set(found)).toEqual(new Set(['found', 'INVALID_FILE']))
  })
})

describe('on a host that drops requests', () => {
  afterEach(() => {
    Reflect.deleteProperty(globalThis, 'EdgeRuntime')
  })

  it('searches share nothing that is under way', async () => {
    Object.assign(globalThis, { EdgeRuntime: 'edge-runtime' })
    const stored = await openIndex(server.url)
    const { release, held } = holdRanges()
    const dropped = stored.search(queryOf(0))
    await until(() => held() > 0)
    const before = held()
    const next = stored.search(queryOf(0))
    await until(() => held() > before)
    release()
    expect(await next).toEqual(await dropped)
  })

  it('that nobody knows of, a search waits its time for another and then reads for itself', async () => {
    const memory = new MemorySource(file)
    let dropping = false
    const source: ByteSource = {
      name: 'store',
      byteLength: file.length,
      shareMs: 20,
      read: (...args) => memory.read(...args),
      stream: (...args) => memory.stream(...args),
      close: async () => {},
      readMany: (ranges: readonly ByteRange[]) => (dropping ? new Promise(() => {}) : memory.readMany(ranges)),
    }
    const stored = await openIndex(source)
    dropping = true
    void stored.search(queryOf(0))
    dropping = false
    expect(await stored.search(queryOf(0))).toEqual(index.search(queryOf(0)))
  })

  it('a filter waits for no look-up of another search', async () => {
    const keys = Array.from({ length: 8000 }, (_, row) => `key ${row}`)
    const bytes = indexFile(index, { keys })
    const memory = new MemorySource(bytes)
    let dropping = false
    const source: ByteSource = {
      name: 'store',
      byteLength: bytes.length,
      read: (...args) => memory.read(...args),
      stream: (...args) => memory.stream(...args),
      close: async () => {},
      readMany: (ranges: readonly ByteRange[]) => (dropping ? new Promise(() => {}) : memory.readMany(ranges)),
    }
    const stored = await openIndex(source)
    dropping = true
    void stored.filterOf(['key 1'])
    await new Promise((resolve) => setTimeout(resolve, 5))
    dropping = false
    const { bits } = await stored.filterOf(['key 9'])
    expect(bits[1]).toBe(2)
  })
})

describe('the look-up of names', () => {
  it('is made once for simultaneous filters, and outlives the search that began it', async () => {
    const keys = Array.from({ length: 8000 }, (_, row) => `key ${row}`)
    server.content = indexFile(index, { keys })
    const stored = await openIndex(server.url)
    const { release, held } = holdRanges()
    const controller = new AbortController()
    const first = rejectionOf(stored.search(queryOf(0), { filter: ['key 5'], signal: controller.signal }))
    const others = Array.from({ length: 5 }, () => stored.search(queryOf(0), { filter: ['key 5'] }))
    await until(() => held() > 0)
    controller.abort()
    expect((await first).code).toBe('ABORTED')
    expect(held()).toBeLessThan(6)
    release()
    for (const { keys } of await Promise.all(others)) expect(keys).toEqual(['key 5'])
  })
})

describe('one signal', () => {
  it('serves any number of searches and openings without a warning of a leak', async () => {
    const warnings: string[] = []
    const listen = ({ message }: Error) => warnings.push(message)
    process.on('warning', listen)
    const { signal } = new AbortController()
    const files = Array.from({ length: 15 }, () => file)
    const opened = await Promise.all([
      ...Array.from({ length: 15 }, () => openIndex(server.url, { signal })),
      openIndex(files, { signal }),
    ])
    await Promise.all(opened.flatMap((stored) => [0, 1].map((i) => stored.search(queryOf(i), { signal }))))
    await Promise.all(Array.from({ length: 50 }, (_, i) => opened[0]!.search(queryOf(i), { signal, timeout: 60_000 })))
    await new Promise((resolve) => setTimeout(resolve, 10))
    process.off('warning', listen)
    expect(warnings).toEqual([])
  })
})
