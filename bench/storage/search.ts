import { createReadStream, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { loadIndex } from '../../src/node.js'
import { openIndex } from '../../src/storage-node.js'
import { interleave, type Timing, verify } from '../measure.js'

/** What opening and searching an index file takes, in a process that did nothing before. */
export interface SearchFigures {
  /** Growth of the resident set by opening and one search, and by 200 searches more. */
  readonly openBytes: number
  readonly searchedBytes: number
  readonly openMs: number
  readonly firstMs: number
  /** The whole index in memory, and the file. */
  readonly memory: Timing
  readonly file: Timing
  readonly http: HttpFigures
}

interface HttpFigures {
  readonly openRequests: number
  readonly openBytes: number
  readonly searchRequests: number
  readonly searchBytes: number
  readonly searchMs: number
}

const OPTIONS = { topK: 10, rescoreMultiplier: 10 }
const TURNS = 60
const HTTP_SEARCHES = 20

/** @param queries queries x dims */
export async function measureSearch(path: string, queries: Float32Array, dims: number): Promise<SearchFigures> {
  let next = 0
  const query = () => {
    const at = (next++ * dims) % queries.length
    return queries.subarray(at, at + dims)
  }
  const before = process.memoryUsage.rss()
  const start = performance.now()
  const stored = await openIndex(path)
  const openMs = performance.now() - start
  await stored.search(query(), OPTIONS)
  const firstMs = performance.now() - start - openMs
  const openBytes = process.memoryUsage.rss() - before
  for (let i = 0; i < 200; i++) await stored.search(query(), OPTIONS)
  const searchedBytes = process.memoryUsage.rss() - before
  const whole = await loadIndex(path)
  for (let i = 0; i < 20; i++) {
    const asked = query()
    const [found, expected] = [await stored.search(asked, OPTIONS), whole.search(asked, OPTIONS)]
    verify(String(found.ids) === String(expected.ids), 'the file and the memory give other ids')
    verify(String(found.scores) === String(expected.scores), 'the file and the memory give other scores')
  }
  // Both by this thread's clock from the call to the result; each takes its own next query.
  const timed = (search: (query: Float32Array) => unknown) => async () => {
    const asked = query()
    const began = performance.now()
    await search(asked)
    return performance.now() - began
  }
  const [memory, file] = await interleave(
    [
      { name: 'memory', remote: true, run: timed((asked) => whole.search(asked, OPTIONS)) },
      { name: 'file', remote: true, run: timed((asked) => stored.search(asked, OPTIONS)) },
    ],
    TURNS,
  )
  await stored.close()
  return { openBytes, searchedBytes, openMs, firstMs, memory: memory!, file: file!, http: await overHttp(path, query) }
}

/** The same file behind a server of this machine: what goes over the wire. */
async function overHttp(path: string, query: () => Float32Array): Promise<HttpFigures> {
  const { size } = statSync(path)
  let [requests, bytes] = [0, 0]
  const server = createServer((request, response) => {
    const [, from = '0', to = ''] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
    const [start, end] = [Number(from), Math.min(Number(to), size - 1)]
    requests++
    bytes += end - start + 1
    response.writeHead(206, {
      ETag: '"bench"',
      'Content-Range': `bytes ${start}-${end}/${size}`,
      'Content-Length': end - start + 1,
    })
    createReadStream(path, { start, end }).pipe(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const index = await openIndex(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  const [openRequests, openBytes] = [requests, bytes]
  ;[requests, bytes] = [0, 0]
  const start = performance.now()
  for (let i = 0; i < HTTP_SEARCHES; i++) await index.search(query())
  const searchMs = (performance.now() - start) / HTTP_SEARCHES
  await index.close()
  server.closeAllConnections()
  server.close()
  const [searchRequests, searchBytes] = [requests / HTTP_SEARCHES, bytes / HTTP_SEARCHES]
  return { openRequests, openBytes, searchRequests, searchBytes, searchMs }
}
