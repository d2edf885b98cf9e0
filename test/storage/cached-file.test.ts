import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { QuantizedIndex } from '../../src/index.js'
import { parseIndexHeader } from '../../src/index-file/header.js'
import { type CachedFileOptions, openCachedFile } from '../../src/sources/cache/cached-file.js'
import type { PieceCache } from '../../src/sources/cache/piece-cache.js'
import { checkHttpOptions } from '../../src/sources/http/options.js'
import { portableSha256 } from '../../src/sources/sha256.js'
import type { ByteSource } from '../../src/sources/source.js'
import { encodeIndex, openIndex } from '../../src/storage-node.js'
import { matrix, unitRows } from '../random.js'
import { FileServer, patternBytes, rejectionOf } from './server.js'

const content = patternBytes(3_500_000)
let server: FileServer
let cache: MapCache

/** A cache that a user might bring, with room for so many bytes. */
class MapCache implements PieceCache {
  readonly blobs = new Map<string, Blob>()
  room = Number.POSITIVE_INFINITY

  async get(file: string, piece: string) {
    return this.blobs.get(`${file}/${piece}`)
  }

  async put(file: string, piece: string, data: Blob) {
    const held = [...this.blobs.values()].reduce((sum, { size }) => sum + size, 0)
    if (held + data.size > this.room) throw new DOMException('full', 'QuotaExceededError')
    this.blobs.set(`${file}/${piece}`, data)
  }

  async delete(file: string) {
    for (const key of [...this.blobs.keys()]) if (key.startsWith(`${file}/`)) this.blobs.delete(key)
  }
}

beforeEach(async () => {
  server = await new FileServer(content).open()
  cache = new MapCache()
})
afterEach(() => server.close())

function open(options: Partial<CachedFileOptions> = {}): Promise<ByteSource> {
  const http = checkHttpOptions({ retryDelay: 1, retries: 1, requestTimeout: 2000 })
  return openCachedFile(new URL(server.url), {
    cache,
    onCacheFull: 'refuse',
    newHasher: portableSha256,
    http,
    ...options,
  })
}

async function expectContent(source: ByteSource, expected = content): Promise<void> {
  expect(source.byteLength).toBe(expected.length)
  const ranges = [0, 1_048_570, 3_400_000].map((position) => ({ position, target: new Uint8Array(1000) }))
  await source.readMany(ranges)
  for (const { position, target } of ranges) expect(target).toEqual(expected.subarray(position, position + 1000))
}

describe('a file behind HTTP with a cache', () => {
  it('is downloaded once, with progress, and asked for by its ETag afterwards', async () => {
    const progress: [number, number | undefined][] = []
    const source = await open({ onProgress: (bytes, total) => progress.push([bytes, total]) })
    await expectContent(source)
    expect(progress.at(-1)).toEqual([content.length, content.length])
    expect(server.bytesSent).toBe(content.length)
    server.reset()
    await expectContent(await open())
    expect(server.asked.map(({ headers }) => headers['if-none-match'])).toEqual(['"one"'])
    expect(server.bytesSent).toBe(0)
  })

  it('is read from the copy while the server is away, slow or broken, and refused where it says no', async () => {
    await open()
    for (const status of [500, 503]) {
      server.behaviour = (_, response) => {
        response.writeHead(status).end()
        return true
      }
      await expectContent(await open())
    }
    server.behaviour = () => true
    await expectContent(await open({ http: checkHttpOptions({ requestTimeout: 30 }) }))
    server.behaviour = (_, response) => {
      response.writeHead(403).end()
      return true
    }
    expect(await rejectionOf(open())).toMatchObject({ code: 'IO', message: expect.stringContaining('403') })
    const { url } = server
    await server.close()
    const http = checkHttpOptions({ retries: 0 })
    const offline = openCachedFile(new URL(url), { cache, onCacheFull: 'refuse', newHasher: portableSha256, http })
    await expectContent(await offline)
    server = await new FileServer(content).open()
  })

  it('is downloaded anew when it has changed, and nothing of the old version stays', async () => {
    await open()
    const before = cache.blobs.size
    const next = content.slice().reverse()
    server.content = next
    server.etag = '"two"'
    await expectContent(await open(), next)
    expect(cache.blobs.size).toBe(before)
  })

  it.each([
    ['the same date but other first bytes', () => server.content.set([1, 2, 3], 0)],
    [
      'another length',
      () => {
        server.content = content.slice(0, 3_450_000)
      },
    ],
    [
      'another date',
      () => {
        server.lastModified = 'Tue, 03 Mar 2026 00:00:00 GMT'
      },
    ],
  ])('is seen to have changed without an ETag by %s', async (_title, change) => {
    server.etag = undefined
    server.lastModified = 'Mon, 02 Mar 2026 00:00:00 GMT'
    server.content = content.slice()
    await open()
    server.reset()
    await open()
    expect(server.bytesSent).toBeLessThan(70_000)
    change()
    await expectContent(await open(), server.content as Uint8Array<ArrayBuffer>)
  })

  it('goes on with a download where it ended', async () => {
    const controller = new AbortController()
    const aborted = open({
      signal: controller.signal,
      onProgress: (bytes) => bytes > 2_300_000 && controller.abort(),
    })
    expect(await rejectionOf(aborted)).toMatchObject({ code: 'ABORTED' })
    server.reset()
    await expectContent(await open())
    expect(server.asked.map(({ first }) => first)).toEqual([0, 2 * 1_048_576])
    expect(server.bytesSent).toBe(65_536 + content.length - 2 * 1_048_576)
  })

  it('begins a download again where the file has changed meanwhile', async () => {
    const controller = new AbortController()
    const aborted = open({ signal: controller.signal, onProgress: (bytes) => bytes > 2_300_000 && controller.abort() })
    await rejectionOf(aborted)
    server.content = content.slice().reverse()
    server.etag = '"two"'
    await expectContent(await open(), server.content as Uint8Array<ArrayBuffer>)
  })

  it('refuses by name where the cache has no room, or reads over the network as the user chose', async () => {
    cache.room = 2_500_000
    const error = await rejectionOf(open())
    expect(error).toMatchObject({ code: 'TOO_LARGE', argument: 'cache' })
    expect(error.message).toContain("onCacheFull: 'network'")
    expect(cache.blobs.size).toBe(0)
    await expectContent(await open({ onCacheFull: 'network' }))
    expect(cache.blobs.size).toBe(0)
  })

  it('is fetched again after its copy was discarded, or lost a piece', async () => {
    const source = await open()
    await source.discard!()
    expect(cache.blobs.size).toBe(0)
    expect(await rejectionOf(source.read(0, new Uint8Array(1)))).toMatchObject({ code: 'CHANGED' })
    await expectContent(await open())
  })

  it('is fetched again after its copy lost one piece', async () => {
    const source = await open()
    const key = [...cache.blobs.keys()].find((name) => name.endsWith('-2'))!
    cache.blobs.delete(key)
    expect(await rejectionOf(source.read(3_000_000, new Uint8Array(1)))).toMatchObject({ code: 'CHANGED' })
    await expectContent(await open())
    expect(cache.blobs.size).toBe(5)
  })

  it.each<[string, (manifest: Record<string, unknown>) => unknown]>([
    ['a tag that is a number', (manifest) => ({ ...manifest, etag: 17 })],
    ['a tag that is an object', (manifest) => ({ ...manifest, etag: {} })],
    ['a date that is a list', (manifest) => ({ ...manifest, etag: undefined, lastModified: [] })],
    ['a tag that is null', (manifest) => ({ ...manifest, etag: null })],
    ['a text for whether it is complete', (manifest) => ({ ...manifest, complete: 'yes' })],
    ['a version that is a path', (manifest) => ({ ...manifest, version: '../x' })],
    ['a length that is a text', (manifest) => ({ ...manifest, byteLength: '3500000' })],
    ['pieces of one byte', (manifest) => ({ ...manifest, pieceBytes: 1 })],
    ['pieces of one byte of a download that goes on', (manifest) => ({ ...manifest, pieceBytes: 1, complete: false })],
    ['a list', () => []],
    ['a text', () => 'manifest'],
    ['nothing', () => null],
  ])('is downloaded anew where its manifest has %s', async (_title, make) => {
    await open()
    const key = [...cache.blobs.keys()].find((name) => name.endsWith('/manifest'))!
    const manifest = JSON.parse(await cache.blobs.get(key)!.text())
    cache.blobs.set(key, new Blob([JSON.stringify(make(manifest))]))
    server.reset()
    await expectContent(await open())
    expect(server.bytesSent).toBe(content.length)
    server.reset()
    await expectContent(await open())
    expect(server.bytesSent).toBe(0)
  })

  it('is downloaded anew where the cache gives no Blob for its manifest', async () => {
    await open()
    const get = cache.get.bind(cache)
    cache.get = async (file, piece) => (piece === 'manifest' ? ({ size: 4 } as Blob) : get(file, piece))
    await expectContent(await open())
  })

  it('is kept from a server without ranges as well', async () => {
    server.behaviour = (_, response) => {
      response.writeHead(200, server.validators()).end(content)
      return true
    }
    await expectContent(await open())
    server.reset()
    await expectContent(await open())
    expect(server.bytesSent).toBe(0)
  })

  it.each(['disk', 3, { get: 1 }])('refuses %o as a cache', async (cache) => {
    expect(await rejectionOf(open({ cache: cache as never }))).toMatchObject({ argument: 'cache' })
  })

  it.each(['opfs', 'indexeddb'] as const)('says that a host has no %s', async (cache) => {
    expect(await rejectionOf(open({ cache }))).toMatchObject({ code: 'UNSUPPORTED', argument: 'cache' })
  })

  it('is fetched again after a search met a wrong byte in its copy', async () => {
    const index = QuantizedIndex.build(matrix(2000, 64, 1))
    server.content = encodeIndex(index)
    const query = unitRows(1, 64, 2)
    await openIndex(server.url, { cache })
    for (const [key, blob] of cache.blobs) {
      if (key.endsWith('manifest')) continue
      const bytes = new Uint8Array(await blob.arrayBuffer())
      const { position, byteLength } = parseIndexHeader(server.content, server.content.length, portableSha256)
        .columns[1]!.codes
      bytes.fill(1, position, position + byteLength)
      cache.blobs.set(key, new Blob([bytes]))
    }
    const damaged = await openIndex(server.url, { cache })
    expect(await rejectionOf(damaged.search(query))).toMatchObject({ code: 'INVALID_FILE' })
    const opened = await openIndex(server.url, { cache })
    expect(await opened.search(query)).toEqual(index.search(query))
  })
})
