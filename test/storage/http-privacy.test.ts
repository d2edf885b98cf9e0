import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { PackvecError } from '../../src/index.js'
import { checkHttpOptions, type HttpOptions } from '../../src/sources/http/options.js'
import { openHttp } from '../../src/sources/http/source.js'
import { openIndex } from '../../src/storage-node.js'
import { FileServer, patternBytes, rejectionOf } from './server.js'

const content = patternBytes(100_000)
let server: FileServer
let other: FileServer

beforeEach(async () => {
  server = await new FileServer(content).open()
  other = await new FileServer(content).open()
})
afterEach(() => Promise.all([server.close(), other.close()]))

const open = (url: string, options: HttpOptions = {}) =>
  openHttp(new URL(url), { http: checkHttpOptions({ retryDelay: 1, ...options }) })

function redirect(from: FileServer, to: string, status = 302): void {
  from.behaviour = (_, response) => {
    response.writeHead(status, { Location: to }).end()
    return true
  }
}

describe('an error', () => {
  const secrets = ['hunter2', 'alice', 'key=abc', 'part']
  /** A fetch that fails as some do: with the whole URL in its message, its cause and fields of its own. */
  const telling: typeof fetch = async (input) => {
    const cause = Object.assign(new TypeError(`Failed to parse URL from ${input}`), { input: String(input) })
    throw new TypeError(`request to ${input} failed, path ${new URL(String(input)).search}`, { cause })
  }

  it.each<[string, string, HttpOptions?]>([
    ['with user and password', 'https://alice:hunter2@localhost/x?key=abc#part'],
    ['with a password of odd letters', `https://alice:"hunter2'@@localhost/x?key=abc`],
    ['without slashes', 'https:alice:hunter2@localhost/x?key=abc'],
    ['that is none', 'https://alice:hunter2@local host/x?key=abc'],
    ['of another scheme', 'ftp://alice:hunter2@localhost/x?key=abc'],
    ['with a space before it', '  http://alice:hunter2@localhost/x?key=abc'],
    ['that a fetch names when it fails', 'https://localhost/x?key=abc#part', { fetch: telling, retries: 0 }],
    ['of a port that fetch blocks', 'http://127.0.0.1:1/x?key=abc#part'],
    ['of a name that does not exist', 'http://nowhere.invalid/x?key=abc#part'],
    ['of a file', 'file:///nowhere/alice?key=abc'],
  ])('about a URL %s shows none of its secrets, nor does what is behind it', async (_title, url, options) => {
    const error = await rejectionOf(openIndex(url, options))
    expect(error).toBeInstanceOf(PackvecError)
    const shown = inspect(error, { depth: 10, showHidden: true }) + JSON.stringify(error)
    for (const secret of secrets.filter((text) => url.includes(text) && !url.startsWith('file:'))) {
      expect(shown).not.toContain(secret)
    }
    expect(error.message).not.toMatch(/key=abc/)
  })

  it.each(['appendToIndex', 'readNpy', 'verifyIndex', 'loadIndex'] as const)(
    'of %s about a URL where it takes a path shows none of its secrets',
    async (name) => {
      const node = await import('../../src/node.js')
      const call = node[name] as (path: string, ...rest: unknown[]) => Promise<unknown>
      const rest = name === 'appendToIndex' ? [[new Float32Array(4)]] : []
      const error = await rejectionOf(call('https://alice:hunter2@localhost/x.npy?key=abc', ...rest))
      expect(error.message).toContain('localhost/x.npy')
      for (const secret of secrets) expect(error.message).not.toContain(secret)
    },
  )
})

describe('a request that cannot succeed', () => {
  it('for its user and password is not made, and the error says what is', async () => {
    const url = server.url.replace('http://', 'http://alice:hunter2@')
    expect(await rejectionOf(open(url))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      argument: 'source',
      message: expect.stringContaining('Authorization'),
    })
    expect(server.asked.length).toBe(0)
  })

  it.each<[string, HttpOptions & { url?: string }]>([
    ['a blocked port', { url: 'http://127.0.0.1:1/x' }],
    ['a name that does not exist', { url: 'http://nowhere.invalid/x' }],
    ['a mistake in the fetch', { fetch: async () => (undefined as unknown as Map<0, never>).get(0) as never }],
    ['a fetch that gives no Response', { fetch: async () => 'text' as never }],
  ])('for %s is made once', async (_title, given) => {
    let calls = 0
    const { url = server.url, fetch = globalThis.fetch, ...options } = given
    const counting: typeof fetch = (...args) => {
      calls++
      return fetch(...args)
    }
    const error = await rejectionOf(open(url, { ...options, fetch: counting }))
    expect(error).toBeInstanceOf(PackvecError)
    expect(calls).toBe(1)
  })

  it.each([501, 505])('for an answer %i is made once', async (status) => {
    server.behaviour = (_, response) => {
      response.writeHead(status).end()
      return true
    }
    expect(await rejectionOf(open(server.url))).toMatchObject({ code: 'IO' })
    expect(server.asked.length).toBe(1)
  })

  it.each([
    ['a value with a line break', { 'X-Key': 'secret\nvalue' }],
    ['a value that is no text', { 'X-Key': 17 as never }],
    ['a name with a blank', { 'X Key': 'secret' }],
  ])('for headers with %s is refused before, without the value', async (_title, headers) => {
    const error = await rejectionOf(openIndex(server.url, { headers }))
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'headers' })
    expect(error.message).not.toContain('secret')
    expect(server.asked.length).toBe(0)
  })
})

describe('headers of the caller', () => {
  const headers = { 'X-Api-Key': 'abc', Authorization: 'Bearer x', Cookie: 'a=b' }

  it.each([301, 302, 303, 307, 308])('stay with their origin where an answer %i leads to another', async (status) => {
    redirect(server, other.url, status)
    await open(server.url, { headers })
    expect(server.asked[0]!.headers).toMatchObject({ 'x-api-key': 'abc', authorization: 'Bearer x', cookie: 'a=b' })
    const got = other.asked[0]!.headers
    expect([got['x-api-key'], got.authorization, got.cookie]).toEqual([undefined, undefined, undefined])
    expect(other.asked[0]!.range).toBe('bytes=0-65535')
  })

  it('go along within their origin, and do not come back from another one', async () => {
    server.behaviour = ({ number }, response) => {
      if (number > 1) return false
      response.writeHead(307, { Location: number === 0 ? '/elsewhere' : other.url }).end()
      return true
    }
    redirect(other, server.url)
    await open(server.url, { headers })
    expect(server.asked.map(({ headers }) => headers['x-api-key'])).toEqual(['abc', 'abc', undefined])
  })

  it('go to ranges that are asked for later, and no further either', async () => {
    const opened = await open(server.url, { headers })
    if (opened === 'unchanged') throw new Error('nothing was known')
    redirect(server, other.url)
    await opened.source.read(90_000, new Uint8Array(10))
    expect([server, other].map(({ asked }) => asked.at(-1)!.headers['x-api-key'])).toEqual(['abc', undefined])
  })

  it.each([
    ['to itself', () => server.url, 'more than 20 times'],
    ['to no URL', () => 'http://[', 'no URL'],
    ['to a file', () => 'file:///etc/passwd', 'file:'],
    ['to a URL with a password', () => other.url.replace('http://', 'http://alice:hunter2@'), 'password'],
  ])('and a redirect %s end the request at once', async (_title, to, what) => {
    redirect(server, to())
    const error = await rejectionOf(open(server.url, { headers }))
    expect(error).toMatchObject({ code: 'IO', message: expect.stringContaining(what) })
    expect(error.message).not.toContain('hunter2')
    expect(server.asked.length).toBeLessThan(30)
  })

  it('are refused where a host hides whereto a redirect leads', async () => {
    const fetch = async () =>
      Object.defineProperty(new Response(null, { status: 200 }), 'type', { value: 'opaqueredirect' })
    const error = await rejectionOf(open(server.url, { headers, fetch }))
    expect(error).toMatchObject({ code: 'UNSUPPORTED', argument: 'headers' })
  })
})

describe('Retry-After', () => {
  it.each<[string, (now: number) => Record<string, string>, number]>([
    ['seconds', () => ({ 'Retry-After': '7' }), 7000],
    [
      'a date',
      (now) => ({ 'Retry-After': new Date(now + 9000).toUTCString(), Date: new Date(now).toUTCString() }),
      9000,
    ],
    ['a date in the past', (now) => ({ 'Retry-After': new Date(now - 9000).toUTCString() }), 0],
    ['a date a day away', (now) => ({ 'Retry-After': new Date(now + 86_400_000).toUTCString() }), 30_000],
    ['no date', () => ({ 'Retry-After': 'soon' }), 0],
    ['nothing', () => ({}), 0],
  ])('is honoured where it is %s', async (_title, make, expected) => {
    const { retryAfter } = await import('../../src/sources/http/retry.js')
    expect(retryAfter(new Headers(make(Date.now())))).toBe(expected)
  })

  it('as a date on the server puts the next attempt off', async () => {
    let first = 0
    let second = 0
    server.behaviour = ({ number }, response) => {
      if (number > 0) {
        second = Date.now()
        return false
      }
      first = Date.now()
      const headers = { Date: new Date(first).toUTCString(), 'Retry-After': new Date(first + 1000).toUTCString() }
      response.writeHead(503, headers).end()
      return true
    }
    await open(server.url)
    expect(second - first).toBeGreaterThanOrEqual(990)
  })
})
