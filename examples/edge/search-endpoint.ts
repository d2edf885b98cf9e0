// POST /search and GET /search?q=TEXT over an index, for any host that answers a Request with a Response.
import { PackvecError } from 'packvec'
import type { StoredIndex } from 'packvec/storage'

/** Each result costs a few reads of 4 KiB from where the index lies. */
const MAX_TOP_K = 100
const MAX_BODY_BYTES = 1 << 20
const TIMEOUT_MS = 10_000

export interface EndpointOptions {
  /** Opens the index: called once, and again where that failed or the file was replaced. */
  open(): Promise<StoredIndex>
  /** The embedding of a text by the model of the corpus, for GET /search?q=TEXT. */
  embed?: ((text: string) => Promise<ArrayLike<number>>) | undefined
}

/** What the client did wrong, with the status that says so. */
class RequestError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message)
  }
}

export function searchEndpoint({ open, embed }: EndpointOptions): (request: Request) => Promise<Response> {
  let opening: Promise<StoredIndex> | undefined

  async function openOnce(): Promise<StoredIndex> {
    opening ??= open()
    const mine = opening
    try {
      return await mine
    } catch (error) {
      // The next request tries again.
      if (opening === mine) opening = undefined
      throw error
    }
  }

  async function search(query: number[] | Float32Array, topK: number) {
    for (let attempt = 1; ; attempt++) {
      const index = await openOnce()
      try {
        return await index.search(query, { topK, timeout: TIMEOUT_MS })
      } catch (error) {
        // A new index was uploaded under the old name.
        if (!(error instanceof PackvecError) || error.code !== 'CHANGED' || attempt === 2) throw error
        opening = undefined
      }
    }
  }

  async function answer(request: Request): Promise<Response> {
    const url = new URL(request.url)
    if (!url.pathname.endsWith('/search')) throw new RequestError(404, 'there is /search only')
    const { query, topK } = request.method === 'GET' ? await fromText(url, embed) : await fromBody(request, url)
    if (topK > MAX_TOP_K) throw new RequestError(400, `topK must be at most ${MAX_TOP_K}, got ${topK}`)
    const { ids, scores, keys } = await search(query, topK)
    const results = Array.from(ids, (id, i) => ({ id, score: scores[i], key: keys?.[i] }))
    return Response.json({ results })
  }

  return (request) => answer(request).catch(errorResponse)
}

async function fromText(url: URL, embed: EndpointOptions['embed']) {
  const text = url.searchParams.get('q')
  if (!text) throw new RequestError(400, 'GET /search needs ?q=TEXT; POST takes a vector')
  if (embed === undefined) {
    const how = 'embed it with the model of the corpus and POST { "query": [...], "topK": 10 }'
    throw new RequestError(501, `there is no model here to embed a text: ${how}`)
  }
  return { query: Array.from(await embed(text)), topK: topKOf(url) }
}

/** A vector as JSON, `{ query, topK }`, or as the bytes of a Float32Array with topK in the URL. */
async function fromBody(request: Request, url: URL): Promise<{ query: number[] | Float32Array; topK: number }> {
  if (request.method !== 'POST') throw new RequestError(405, `/search takes GET and POST, got ${request.method}`)
  const bytes = await readBody(request)
  const type = request.headers.get('content-type') ?? ''
  if (type.startsWith('application/octet-stream')) {
    if (bytes.byteLength % 4 !== 0) throw new RequestError(400, `float32 takes 4 bytes, got ${bytes.byteLength}`)
    return { query: new Float32Array(bytes), topK: topKOf(url) }
  }
  if (!type.startsWith('application/json')) {
    throw new RequestError(
      415,
      `the body must be application/json or application/octet-stream, got ${type || 'no type'}`,
    )
  }
  const body = parse(new TextDecoder().decode(bytes))
  if (!Array.isArray(body?.query) || typeof body.query[0] !== 'number') {
    throw new RequestError(400, 'the body must be { "query": [numbers], "topK": 10 }')
  }
  return { query: body.query, topK: body.topK ?? topKOf(url) }
}

async function readBody(request: Request): Promise<ArrayBuffer> {
  const announced = Number(request.headers.get('content-length'))
  const bytes = announced > MAX_BODY_BYTES ? undefined : await request.arrayBuffer()
  if (bytes !== undefined && bytes.byteLength <= MAX_BODY_BYTES) return bytes
  throw new RequestError(413, `the body must have at most ${MAX_BODY_BYTES} bytes`)
}

function parse(text: string) {
  try {
    return JSON.parse(text)
  } catch {
    throw new RequestError(400, 'the body is no JSON')
  }
}

function topKOf(url: URL): number {
  return Number(url.searchParams.get('topK') ?? 10)
}

/** Faults of the request are 4xx, what is wrong with the index or the way to it 5xx. */
function errorResponse(error: unknown): Response {
  if (error instanceof RequestError) return errorJson(error.status, 'REQUEST', error.message)
  if (!(error instanceof PackvecError)) {
    console.error(error)
    return errorJson(500, 'INTERNAL', 'something went wrong')
  }
  const { code, argument, message } = error
  if (/^(query|topK)\b/.test(argument)) return errorJson(400, code, message)
  console.error(error)
  return errorJson({ IO: 503, CHANGED: 503, TIMEOUT: 504 }[code as string] ?? 500, code, message)
}

function errorJson(status: number, code: string, message: string): Response {
  return Response.json({ error: { code, message } }, { status })
}
