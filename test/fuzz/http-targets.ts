import { PackvecError } from '../../src/index.js'
import type { PieceCache } from '../../src/sources/cache/piece-cache.js'
import { openIndex } from '../../src/storage-node.js'
import { type Target, Wrong } from './fuzz.js'
import { mutateJson } from './mutate-parts.js'
import { indexSeeds, manifestSeeds } from './seeds.js'
import { JSON_WORDS, MANIFEST_WORDS } from './words.js'

const utf8 = new TextDecoder()
const file = indexSeeds[0]!
const query = Float32Array.from({ length: 9 }, (_, i) => Math.sin(i + 1))

async function openAndSearch(options: Parameters<typeof openIndex>[1]): Promise<void> {
  const index = await openIndex('http://host.test/index', { retries: 0, requestTimeout: 1000, ...options })
  try {
    await index.search(query, { topK: 2 })
  } finally {
    await index.close()
  }
}

/** A server that sends the file in the ranges asked for. */
function rangeOf(request: RequestInit | undefined): Response {
  const asked = /^bytes=(\d+)-(\d+)$/.exec(new Headers(request?.headers).get('range') ?? '')
  if (asked === null) return new Response(file.slice())
  const end = Math.min(Number(asked[2]) + 1, file.length)
  const headers = { 'Content-Range': `bytes ${asked[1]}-${end - 1}/${file.length}`, ETag: '"a"' }
  return new Response(file.slice(Number(asked[1]), end), { status: 206, headers })
}

/** What a cache says of the copy it holds; the pieces are those of the file, whatever they are asked by. */
export const manifestTarget: Target = {
  name: 'manifest',
  seeds: manifestSeeds,
  mutate: mutateJson(MANIFEST_WORDS),
  async run(input) {
    const pieces = new Map<string, Blob>([['manifest', new Blob([input.slice()])]])
    const cache: PieceCache = {
      get: async (_, piece) => pieces.get(piece),
      put: async (_, piece, data) => void pieces.set(piece, data),
      delete: async () => pieces.clear(),
    }
    // A copy that is not one of ours is made anew, and used from then on.
    try {
      await openAndSearch({ cache, fetch: async (_, request) => rangeOf(request) })
      await openAndSearch({ cache, fetch: async () => Promise.reject(new TypeError('no network')) })
    } catch (cause) {
      throw new Wrong(`a copy is in the way: ${cause}`)
    }
  },
}

const ANSWER_WORDS = [
  ...JSON_WORDS,
  ...['"status"', '"length"', '"content-range"', '"content-length"', '"etag"', '"last-modified"', '"retry-after"'],
  ...['206', '200', '416', '304', '503', 'bytes 0-99/100', 'bytes */100', 'bytes 0-', '/', '"W/\\"a\\""'],
]

/** Answers of a server, described by JSON: status, headers, length of the body. */
export const httpTarget: Target = {
  name: 'http',
  seeds: [
    { status: 206, length: file.length, 'content-range': `bytes 0-${file.length - 1}/${file.length}`, etag: '"a"' },
    { status: 200, length: file.length, 'content-length': String(file.length) },
    { status: 416, length: 0, 'content-range': `bytes */${file.length}` },
    { status: 503, length: 3, 'retry-after': '1' },
  ].map((answer) => new TextEncoder().encode(JSON.stringify(answer))),
  mutate: mutateJson(ANSWER_WORDS),
  async run(input) {
    const answer = () => answerOf(input)
    answer()
    await openAndSearch({ fetch: async () => answer() })
  },
}

function answerOf(input: Uint8Array): Response {
  try {
    const { status, length, ...headers } = JSON.parse(utf8.decode(input))
    const hasBody = ![204, 205, 304].includes(status)
    return new Response(hasBody ? file.slice(0, length) : null, { status, headers })
  } catch {
    throw new PackvecError('INVALID_ARGUMENT', 'input', 'the description is no answer that fetch could give')
  }
}
