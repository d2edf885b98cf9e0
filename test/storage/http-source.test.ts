import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkHttpOptions, type HttpOptions } from '../../src/sources/http/options.js'
import { openHttp } from '../../src/sources/http/source.js'
import type { ByteSource } from '../../src/sources/source.js'
import { collect, FileServer, patternBytes, rejectionOf } from './server.js'

const content = patternBytes(400_000)
let server: FileServer

beforeEach(async () => {
  server = await new FileServer(content).open()
})
afterEach(() => server.close())

/** Opens with attempts that follow one another at once. */
async function open(options: HttpOptions = {}, signal?: AbortSignal): Promise<ByteSource> {
  const http = checkHttpOptions({ retryDelay: 1, requestTimeout: 2000, ...options })
  const opened = await openHttp(new URL(server.url), { http, signal })
  if (opened === 'unchanged') throw new Error('nothing was known')
  return opened.source
}

function wanted(...positions: [position: number, length: number][]) {
  return positions.map(([position, length]) => ({ position, target: new Uint8Array(length) }))
}

function expectRead(ranges: readonly { position: number; target: Uint8Array }[]): void {
  for (const { position, target } of ranges) {
    expect(target).toEqual(content.subarray(position, position + target.length))
  }
}

describe('a file behind HTTP', () => {
  it('is opened by one range and read by ranges, what came first being kept', async () => {
    const source = await open()
    expect(source.byteLength).toBe(content.length)
    const head = wanted([0, 100], [60_000, 5000])
    await source.readMany(head)
    expectRead(head)
    expect(server.asked.map(({ range }) => range)).toEqual(['bytes=0-65535'])
    const across = wanted([65_000, 2000])
    await source.readMany(across)
    expectRead(across)
    expect(server.asked.at(-1)?.headers['accept-encoding']).toBe('identity')
  })

  it('joins ranges that lie near one another, and leaves those apart that do not', async () => {
    const source = await open({ gapBytes: 1000 })
    const ranges = wanted([100_000, 50], [100_500, 50], [101_550, 50], [102_601, 50], [399_999, 1])
    await source.readMany(ranges)
    expectRead(ranges)
    const asked = server.asked.slice(1).map(({ range }) => range)
    expect(asked.sort()).toEqual(['bytes=100000-101599', 'bytes=102601-102650', 'bytes=399999-399999'])
  })

  it('has no more requests under way than it may', async () => {
    const source = await open({ maxRequests: 3, gapBytes: 0 })
    let [running, most] = [0, 0]
    server.behaviour = async () => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setTimeout(resolve, 5))
      running--
      return false
    }
    const ranges = wanted(...Array.from({ length: 12 }, (_, i): [number, number] => [70_000 + 5000 * i, 10]))
    await source.readMany(ranges)
    expectRead(ranges)
    expect(most).toBe(3)
  })

  it('does not wait for the requests of another call, which may never end', async () => {
    const source = await open({ maxRequests: 1, gapBytes: 0 })
    let first = true
    server.behaviour = () => {
      const hangs = first
      first = false
      return hangs
    }
    const stop = new AbortController()
    const hanging = rejectionOf(source.readMany(wanted([70_000, 10]), stop.signal))
    const ranges = wanted([80_000, 10], [90_000, 10])
    while (first) await new Promise((resolve) => setTimeout(resolve, 1))
    await source.readMany(ranges)
    expectRead(ranges)
    stop.abort()
    expect((await hanging).code).toBe('ABORTED')
  })

  it('takes a stream up behind the last byte where the connection breaks', async () => {
    const source = await open()
    server.behaviour = (asked, response) => {
      if (asked.number > 3) return false
      response.writeHead(206, server.partHeaders(asked))
      response.write(content.subarray(asked.first, asked.first + 50_000), () => response.destroy())
      return true
    }
    expect(await collect(source.stream(10, 399_990))).toEqual(content.subarray(10))
    const firsts = server.asked.slice(1).map(({ first }) => first)
    expect(firsts.length).toBe(4)
    for (let i = 1; i < firsts.length; i++) expect(firsts[i]).toBeGreaterThan(firsts[i - 1]!)
  })

  it('goes on where the body ends before the range does, and where the server gives a part of it', async () => {
    const source = await open()
    server.behaviour = (asked, response) => {
      if (asked.number > 2) return false
      const end = asked.first + 1000
      const { 'Content-Length': _, ...headers } = server.partHeaders(asked.number === 1 ? asked : { ...asked, end })
      response.writeHead(206, headers).end(content.subarray(asked.first, end))
      return true
    }
    const ranges = wanted([100_000, 10_000])
    await source.readMany(ranges)
    expectRead(ranges)
    expect(server.asked.map(({ first }) => first)).toEqual([0, 100_000, 101_000, 102_000])
  })

  it('tries again after 503 and 500, not after 404, and gives up at last', async () => {
    const answer = (status: number) => {
      server.behaviour = (asked, response) => {
        if (status < 500 || asked.number < 2) response.writeHead(status).end()
        return status < 500 || asked.number < 2
      }
    }
    answer(503)
    const source = await open()
    expect(source.byteLength).toBe(content.length)
    for (const status of [404, 403]) {
      server.reset()
      answer(status)
      expect(await rejectionOf(open())).toMatchObject({ code: 'IO', message: expect.stringContaining(`${status}`) })
      expect(server.asked.length).toBe(1)
    }
    server.reset()
    server.behaviour = (_, response) => {
      response.writeHead(500).end()
      return true
    }
    const error = await rejectionOf(source.read(100_000, new Uint8Array(1)))
    expect(error).toMatchObject({ code: 'IO', argument: 'source', message: expect.stringContaining('answered 500') })
    expect(server.asked.length).toBe(5)
  })

  it('gives up where the connection breaks again and again', async () => {
    const source = await open({ retries: 2 })
    server.behaviour = (_, response) => {
      response.destroy()
      return true
    }
    expect(await rejectionOf(source.read(100_000, new Uint8Array(1)))).toMatchObject({ code: 'IO' })
    expect(server.asked.length).toBe(4)
  })

  it('gives up an attempt in which nothing comes', async () => {
    const source = await open({ requestTimeout: 40, retries: 1 })
    server.behaviour = (asked, response) => {
      response.writeHead(206, server.partHeaders(asked))
      response.write('x')
      return true
    }
    const error = await rejectionOf(source.read(100_000, new Uint8Array(100)))
    expect(error).toMatchObject({ code: 'TIMEOUT', argument: 'requestTimeout' })
  })

  it.each([
    [
      'another version by its ETag',
      () => {
        server.etag = '"two"'
      },
    ],
    [
      'another length',
      () => {
        server.content = content.subarray(0, 399_000)
      },
    ],
    [
      'another date',
      () => {
        server.etag = undefined
        server.lastModified = 'Tue, 03 Mar 2026 00:00:00 GMT'
      },
    ],
    [
      'an end before the range',
      () => {
        server.content = content.subarray(0, 80_000)
      },
    ],
    [
      'another version and no ranges',
      () => {
        server.etag = '"two"'
        server.behaviour = (_, response) => {
          response.writeHead(200, server.validators()).end(content)
          return true
        }
      },
    ],
  ])('says that it has changed where a range shows %s', async (_title, change) => {
    server.lastModified = 'Mon, 02 Mar 2026 00:00:00 GMT'
    const source = await open()
    change()
    expect(await rejectionOf(source.read(100_000, new Uint8Array(10)))).toMatchObject({ code: 'CHANGED' })
  })

  it('sees by its first bytes that it has changed, without validators', async () => {
    server.etag = undefined
    const source = await open()
    await source.checkUnchanged!()
    server.content = content.slice()
    server.content[20]! ^= 1
    expect(await rejectionOf(source.checkUnchanged!())).toMatchObject({ code: 'CHANGED' })
  })

  it('takes a weakened tag for the same one', async () => {
    const source = await open()
    server.etag = 'W/"one"'
    await source.read(100_000, new Uint8Array(10))
  })

  it.each([
    ['another beginning', 'bytes 0-9/400000'],
    ['an end behind the range', 'bytes 100000-100500/400000'],
    ['no total', 'bytes 100000-100009/*'],
    ['another unit', 'rows 100000-100009/400000'],
    ['nothing', undefined],
  ])('refuses an answer whose Content-Range says %s', async (_title, range) => {
    const source = await open()
    server.behaviour = (asked, response) => {
      response.writeHead(206, { ETag: '"one"', ...(range && { 'Content-Range': range }) })
      response.end(content.subarray(asked.first, asked.end))
      return true
    }
    const error = await rejectionOf(source.read(100_000, new Uint8Array(10)))
    expect(error).toMatchObject({ code: 'IO', message: expect.stringContaining('Content-Range') })
  })

  it('refuses a range that the server compressed, and one that is longer than it says', async () => {
    const source = await open()
    server.behaviour = (asked, response) => {
      const body = gzipSync(content.subarray(asked.first, asked.end))
      const headers = { ...server.partHeaders(asked), 'Content-Length': body.length, 'Content-Encoding': 'gzip' }
      response.writeHead(206, headers).end(body)
      return true
    }
    expect(await rejectionOf(source.read(100_000, new Uint8Array(500)))).toMatchObject({
      code: 'IO',
      message: expect.stringContaining('compression'),
    })
    server.behaviour = (asked, response) => {
      const { 'Content-Length': _, ...headers } = server.partHeaders(asked)
      response.writeHead(206, headers).end(content.subarray(asked.first, asked.end + 5))
      return true
    }
    expect(await rejectionOf(source.read(100_000, new Uint8Array(500)))).toMatchObject({ code: 'IO' })
  })

  it('is taken as a whole from a server without ranges, or refused, as the user chose', async () => {
    const whole = (body: Uint8Array, headers: Record<string, string> = {}) => {
      server.behaviour = (_, response) => {
        response.writeHead(200, headers).end(body)
        return true
      }
    }
    whole(content)
    const progress: number[] = []
    const http = checkHttpOptions({})
    const opened = await openHttp(new URL(server.url), { http, onProgress: (bytes) => progress.push(bytes) })
    if (opened === 'unchanged') throw new Error('nothing was known')
    const ranges = wanted([0, 10], [399_000, 1000])
    await opened.source.readMany(ranges)
    expectRead(ranges)
    expect(progress.at(-1)).toBe(content.length)
    expect(server.asked.length).toBe(1)
    const error = await rejectionOf(open({ onNoRange: 'refuse' }))
    expect(error).toMatchObject({ code: 'UNSUPPORTED', argument: 'onNoRange' })
    whole(gzipSync(content), { 'Content-Encoding': 'gzip' })
    const unpacked = await open()
    expect(unpacked.byteLength).toBe(content.length)
  })

  it('is downloaded anew where a download without ranges breaks', async () => {
    server.behaviour = (asked, response) => {
      response.writeHead(200, { 'Content-Length': content.length })
      if (asked.number > 0) response.end(content)
      else response.write(content.subarray(0, 100_000), () => response.destroy())
      return true
    }
    expect((await open()).byteLength).toBe(content.length)
    expect(server.asked.length).toBe(2)
  })

  it('follows redirects', async () => {
    server.behaviour = (asked, response) => {
      if (asked.number > 0) return false
      response.writeHead(302, { Location: '/elsewhere' }).end()
      return true
    }
    expect((await open()).byteLength).toBe(content.length)
  })

  it('stops at once when aborted, before, within and between requests', async () => {
    expect(await rejectionOf(open({}, AbortSignal.abort('enough')))).toMatchObject({ code: 'ABORTED', cause: 'enough' })
    const source = await open({ retryDelay: 60_000 })
    server.behaviour = (asked, response) => {
      if (asked.number % 2) return true
      response.writeHead(503).end()
      return true
    }
    for (let i = 0; i < 2; i++) {
      const controller = new AbortController()
      const reading = source.read(100_000, new Uint8Array(10), controller.signal)
      setTimeout(() => controller.abort(), 20)
      expect(await rejectionOf(reading)).toMatchObject({ code: 'ABORTED', argument: 'signal' })
    }
  })

  it('reads no more once it is closed', async () => {
    const source = await open()
    server.behaviour = () => true
    const reading = source.read(100_000, new Uint8Array(10))
    await source.close()
    expect(await rejectionOf(reading)).toMatchObject({ code: 'IO', message: expect.stringContaining('closed') })
    expect(await rejectionOf(source.read(100_000, new Uint8Array(10)))).toMatchObject({ code: 'IO' })
  })

  it('keeps keys in the query out of messages', async () => {
    server.behaviour = (_, response) => {
      response.writeHead(404).end()
      return true
    }
    const url = new URL(`${server.url}?signature=secret`)
    const error = await rejectionOf(openHttp(url, { http: checkHttpOptions({}) }))
    expect(error.message).toContain('/corpus.safetensors')
    expect(error.message).not.toContain('secret')
  })

  it('sends the headers and uses the fetch it was given', async () => {
    const seen: unknown[] = []
    const fetch: typeof globalThis.fetch = (input, init) => {
      seen.push(input)
      return globalThis.fetch(input, init)
    }
    await open({ fetch, headers: { Authorization: 'Bearer x' } })
    expect(seen.length).toBe(1)
    expect(server.asked[0]?.headers.authorization).toBe('Bearer x')
  })

  it.each([
    ['maxRequests', { maxRequests: 0 }],
    ['retries', { retries: -1 }],
    ['onNoRange', { onNoRange: 'maybe' as never }],
    ['fetch', { fetch: 'curl' as never }],
    ['headers', { headers: [] as never }],
  ])('refuses a wrong %s by name', async (argument, options) => {
    expect(await rejectionOf(open(options))).toMatchObject({ code: 'INVALID_ARGUMENT', argument })
  })
})
