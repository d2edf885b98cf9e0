import { QuantizedIndex } from '../../src/index.js'
import { encodeIndex, type OpenOptions, openIndex } from '../../src/storage-node.js'
import { matrix } from '../random.js'
import type { Provocation } from './recorder.js'

const URL_OF_IT = 'https://host.invalid/index.safetensors?key=secret'
const index = QuantizedIndex.build(matrix(4000, 64, 1), { onWarning: () => {} })
const bytes = encodeIndex(index)
const query = new Float32Array(64).fill(1)

// biome-ignore lint/suspicious/noExplicitAny: what fetch is given, and what it may give by mistake
type Fetch = (range: [first: number, last: number], number: number) => any

/** Opens a URL with a server that answers as given, and no second attempt. */
function opening(answer: Fetch, options: object = {}): Promise<unknown> {
  return openIndex(URL_OF_IT, { retries: 0, fetch: server(answer), ...options } as OpenOptions)
}

function server(answer: Fetch): typeof fetch {
  let number = 0
  return async (_, init) => {
    const { signal } = init!
    let abort = () => {}
    const aborted = new Promise<never>((_, reject) => {
      abort = () => reject(signal!.reason)
      signal!.addEventListener('abort', abort)
    })
    try {
      return await Promise.race([answer(rangeOf(init!), number++), aborted])
    } finally {
      signal!.removeEventListener('abort', abort)
    }
  }
}

function rangeOf({ headers }: RequestInit): [number, number] {
  const range = (headers as Record<string, string>)['Range']!
  const [, first, last] = /(\d+)-(\d+)/.exec(range)!
  return [Number(first), Number(last)]
}

/** An honest answer to a range. */
function part([first, last]: [number, number], headers: Record<string, string> = {}, body?: Uint8Array): Response {
  const end = Math.min(bytes.length, last + 1)
  return new Response(body?.slice() ?? bytes.slice(first, end), {
    status: 206,
    headers: { 'content-range': `bytes ${first}-${end - 1}/${bytes.length}`, etag: '"one"', ...headers },
  })
}

/** Opens a well-behaved server that does something else from the second request on, and searches. */
async function searching(later: Fetch): Promise<void> {
  const opened = await openIndex(URL_OF_IT, {
    retries: 0,
    gapBytes: 0,
    fetch: server((range, number) => (number === 0 ? part(range) : later(range, number))),
  })
  await opened.search(query)
}

const status = (code: number, headers: Record<string, string> = {}) => new Response(null, { status: code, headers })
const whole = (content: Uint8Array, headers: Record<string, string> = {}) => new Response(content.slice(), { headers })
const page = new TextEncoder().encode('<!doctype html><title>Sign in</title>')
const redirect = (location: string) => () => status(302, { location })
const withHeaders = (headers: unknown) => () => opening(() => status(404), { headers })
const silent = () => new Promise(() => {})

export const httpCalls: Provocation[] = [
  () => opening(() => status(404)),
  () => opening(() => status(503)),
  () => opening(() => status(204)),
  () => opening(() => status(416)),
  () => opening(() => whole(page)),
  () => opening(() => whole(bytes), { onNoRange: 'refuse' }),
  () => opening(() => whole(bytes, { 'content-length': '3000' }), { maxBytes: 2000 }),
  () => opening(() => whole(bytes), { maxBytes: 2000 }),
  () => opening(() => whole(bytes.subarray(0, bytes.length - 5))),
  () => opening(() => whole(Buffer.concat([bytes, page]))),
  () => opening((range) => part(range, { 'content-encoding': 'gzip' })),
  () => opening(() => status(206)),
  () => opening((range) => part(range, { 'content-range': 'bytes 5-9/20' })),
  () => opening((range) => part(range, {}, bytes.slice(0, 100))),
  () => opening((range) => part(range, {}, bytes)),
  () => opening(silent, { requestTimeout: 5 }),
  () => opening(silent, { timeout: 5 }),
  () =>
    opening(() =>
      Promise.reject(new TypeError('fetch failed', { cause: new Error('getaddrinfo ENOTFOUND host.invalid') })),
    ),
  () => opening(() => 'text'),
  () => opening(() => status(404), { fetch: 5 }),
  withHeaders('Authorization: secret'),
  withHeaders({ Authorization: 5 }),
  withHeaders({ 'Not a name': 'secret' }),
  withHeaders({ Authorization: 'secret\n' }),
  () => opening(redirect('http://['), { headers: { A: 'b' } }),
  () => opening(redirect('ftp://host.invalid/file'), { headers: { A: 'b' } }),
  () => opening(redirect('https://user:secret@host.invalid/file'), { headers: { A: 'b' } }),
  () => opening(redirect('https://host.invalid/again'), { headers: { A: 'b' } }),
  () => opening(() => Object.defineProperty(status(200), 'type', { value: 'opaqueredirect' }), { headers: { A: 'b' } }),
  () => opening(() => status(404), { cache: 'opfs' }),
  () => opening(() => status(404), { cache: 'disk' }),
  () => opening((range) => part(range), { maxBytes: 2000, load: 'all' }),
  () => searching(() => status(416)),
  () => searching(() => status(200)),
  () => searching(() => status(200, { etag: '"two"' })),
  () => searching((range) => part(range, { etag: '"two"' })),
  () => searching((range) => part(range, {}, new Uint8Array(range[1] - range[0] + 1))),
]
