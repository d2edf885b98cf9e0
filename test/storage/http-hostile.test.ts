import { createHash } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { QuantizedIndex } from '../../src/index.js'
import { indexHeaderBytes } from '../../src/index-file/header.js'
import { fromReader } from '../../src/sources/reader-source.js'
import { encodeIndex, type OpenOptions, openIndex } from '../../src/storage-node.js'
import { matrix } from '../random.js'
import { FileServer, rejectionOf } from './server.js'

const index = QuantizedIndex.build(matrix(3000, 64, 1))
const file = encodeIndex(index)
const headerBytes = indexHeaderBytes(file)
let server: FileServer

beforeEach(async () => {
  server = await new FileServer(file).open()
})
afterEach(() => server.close())

const open = (options: OpenOptions = {}) => openIndex(server.url, { retryDelay: 1, retries: 1, ...options })

/** Answers 200 with `beginning`, then zeros until the client goes; gives the bytes that were sent then. */
function endless(beginning: Uint8Array, headers: Record<string, string> = {}): () => number {
  let sent = 0
  server.behaviour = (_, response) => {
    response.writeHead(200, headers)
    const zeros = new Uint8Array(1 << 20)
    const more = () => {
      while (!response.destroyed) {
        sent += zeros.length
        if (!response.write(zeros)) return void response.once('drain', more)
      }
    }
    response.write(beginning)
    more()
    return true
  }
  return () => sent
}

describe('a server that never ends', () => {
  it('is refused by the first bytes of what is no index', async () => {
    const sent = endless(new TextEncoder().encode('<!doctype html><p>Not here'))
    expect(await rejectionOf(open())).toMatchObject({ code: 'INVALID_FILE' })
    expect(sent()).toBeLessThan(64 << 20)
  })

  it('is refused by a header that promises to be long and never comes', async () => {
    const beginning = new Uint8Array(9)
    new DataView(beginning.buffer).setBigUint64(0, 4_000_000n, true)
    beginning[8] = 0x7b
    const sent = endless(beginning)
    expect(await rejectionOf(open())).toMatchObject({ code: 'INVALID_FILE' })
    expect(sent()).toBeLessThan(64 << 20)
  })

  it('is refused where it sends more than the header says', async () => {
    const sent = endless(file)
    const error = await rejectionOf(open())
    expect(error).toMatchObject({ code: 'IO', message: expect.stringContaining('more bytes') })
    expect(sent()).toBeLessThan(64 << 20)
  })

  it('is refused where what it sends unpacks to more than the header says', async () => {
    const bomb = gzipSync(Buffer.concat([file, new Uint8Array(256 << 20)]))
    expect(bomb.length).toBeLessThan(4 << 20)
    server.behaviour = (_, response) => {
      response.writeHead(200, { 'Content-Encoding': 'gzip', 'Content-Length': bomb.length }).end(bomb)
      return true
    }
    const before = process.memoryUsage().arrayBuffers
    expect(await rejectionOf(open())).toMatchObject({ code: 'IO' })
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(128 << 20)
  })
})

describe('a copy in a cache', () => {
  it('is not begun of a file whose header, however long, is none', async () => {
    const content = new Uint8Array(12_000_000)
    new DataView(content.buffer).setBigUint64(0, 3_000_000n, true)
    content[8] = 0x7b
    server.content = content
    const kept: string[] = []
    const cache = {
      get: async () => undefined,
      put: async (_file: string, piece: string) => {
        kept.push(piece)
      },
      delete: async () => {},
    }
    expect(await rejectionOf(open({ cache }))).toMatchObject({ code: 'INVALID_FILE' })
    expect(kept).toEqual([])
    expect(server.bytesSent).toBeLessThan(6_000_000)
  })
})

describe('maxBytes', () => {
  const whole = (_: unknown, response: ServerResponse) => {
    response.writeHead(200, { 'Content-Length': file.length }).end(file)
    return true
  }

  it('refuses a file of a server without ranges before it comes', async () => {
    server.behaviour = whole
    const error = await rejectionOf(open({ maxBytes: file.length - 1 }))
    expect(error).toMatchObject({ code: 'TOO_LARGE', argument: 'maxBytes' })
    expect(error.message).toContain(String(file.length))
    await (await open({ maxBytes: file.length })).close()
  })

  it('refuses a file whose length only its header says', async () => {
    server.behaviour = (_, response) => {
      response.writeHead(200)
      response.write(file.subarray(0, headerBytes + 10))
      return true
    }
    expect(await rejectionOf(open({ maxBytes: file.length - 1 }))).toMatchObject({ code: 'TOO_LARGE' })
  })

  it('refuses what would come to memory of a file that is read by ranges, and no more', async () => {
    const bits = 3000 * 8
    expect(await rejectionOf(open({ maxBytes: bits }))).toMatchObject({ code: 'TOO_LARGE', argument: 'maxBytes' })
    await (await open({ maxBytes: bits + 30_000 })).close()
    expect(await rejectionOf(open({ maxBytes: bits + 30_000, load: 'all' }))).toMatchObject({ code: 'TOO_LARGE' })
  })

  it('leaves files and bytes alone, which are here already', async () => {
    await (await openIndex(file, { maxBytes: 1 })).close()
  })
})

describe('a server that is slow', () => {
  it('is given up where it drips a byte now and then', async () => {
    server.behaviour = (asked, response) => {
      response.writeHead(206, server.partHeaders(asked))
      let at = 0
      const drip = setInterval(() => response.write(file.subarray(at, ++at)), 5)
      response.once('close', () => clearInterval(drip))
      return true
    }
    const error = await rejectionOf(open({ requestTimeout: 100 }))
    expect(error).toMatchObject({ code: 'TIMEOUT', argument: 'minBytesPerSecond' })
    expect(server.asked.length).toBe(2)
  })

  it('is waited for where its speed may be any', async () => {
    server.behaviour = (asked, response) => {
      if (asked.number > 0) return false
      response.writeHead(206, server.partHeaders(asked))
      const part = file.subarray(asked.first, asked.end)
      let at = 0
      const drip = setInterval(() => {
        response.write(part.subarray(at, at + 6000))
        at += 6000
        if (at < part.length) return
        clearInterval(drip)
        response.end()
      }, 10)
      return true
    }
    await (await open({ requestTimeout: 50, minBytesPerSecond: 0 })).close()
    expect(server.asked.filter(({ first }) => first === 0).length).toBe(1)
  })

  it('has as long as opening may take', async () => {
    server.behaviour = () => true
    const error = await rejectionOf(open({ timeout: 50 }))
    expect(error).toMatchObject({ code: 'TIMEOUT', argument: 'timeout', message: expect.stringContaining('50 ms') })
    expect(server.asked.length).toBe(1)
  })

  it('has as long also where it is a source that heeds no signal', async () => {
    let closed = false
    const reader = {
      name: 'deaf',
      byteLength: file.length,
      read: () => new Promise<never>(() => {}),
      close: async () => {
        closed = true
      },
    }
    expect(await rejectionOf(openIndex(fromReader(reader), { timeout: 30 }))).toMatchObject({ code: 'TIMEOUT' })
    const deaf = {
      ...fromReader(reader),
      name: 'deaf',
      byteLength: file.length,
      read: reader.read,
      readMany: reader.read,
    }
    const source = { ...deaf, stream: async function* () {}, close: reader.close }
    expect(await rejectionOf(openIndex(source, { timeout: 30 }))).toMatchObject({ code: 'TIMEOUT' })
    expect(closed).toBe(true)
  })
})

describe('a digest that is pinned', () => {
  const digest = createHash('sha256')
    .update(
      Buffer.from(
        Buffer.from(file.subarray(0, headerBytes))
          .toString('latin1')
          .replace(/"sha256":"[0-9a-f]{64}"/, `"sha256":"${'0'.repeat(64)}"`),
        'latin1',
      ),
    )
    .digest('hex')

  it('is that of the header, as the index says, and opens its file alone', async () => {
    const opened = await open({ sha256: digest.toUpperCase() })
    expect(opened.sha256).toEqual([digest])
    const other = encodeIndex(QuantizedIndex.build(matrix(3000, 64, 2)))
    server.content = other
    server.etag = '"two"'
    const error = await rejectionOf(open({ sha256: digest }))
    expect(error).toMatchObject({ code: 'INVALID_FILE', argument: 'sha256' })
    expect(error.message).toContain(digest)
  })

  it('is given for each of several files', async () => {
    const second = encodeIndex(index)
    expect((await openIndex([file, second], { sha256: [digest, digest] })).sha256).toEqual([digest, digest])
    const wrong = 'a'.repeat(64)
    expect(await rejectionOf(openIndex([file, second], { sha256: [digest, wrong] }))).toMatchObject({
      argument: 'sha256',
    })
  })

  it.each([
    ['too short', 'abc'],
    ['no hex', 'z'.repeat(64)],
    ['no text', 17 as never],
    ['of more files than there are', [digest, digest]],
  ])('is refused where it is %s', async (_title, sha256) => {
    expect(await rejectionOf(openIndex(file, { sha256 }))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      argument: 'sha256',
    })
  })
})
