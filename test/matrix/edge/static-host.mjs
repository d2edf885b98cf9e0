// A static host with byte ranges, as R2, S3 and most file servers have them.
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createServer } from 'node:http'

/** Serves one file at any path; `sent` tells what went out. */
export async function serveFile(path) {
  const { size } = await stat(path)
  const sent = { requests: 0, bytes: 0 }
  const server = createServer((request, response) => {
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
    const start = Number(first ?? 0)
    const end = Math.min(Number(last ?? size - 1), size - 1)
    const headers = { 'Content-Length': end - start + 1, ETag: '"1"' }
    if (first !== undefined) headers['Content-Range'] = `bytes ${start}-${end}/${size}`
    response.writeHead(first === undefined ? 200 : 206, headers)
    if (request.method === 'HEAD') return response.end()
    sent.requests++
    sent.bytes += end - start + 1
    createReadStream(path, { start, end }).pipe(response)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = () => {
    server.close()
    server.closeAllConnections()
  }
  return { url: `http://127.0.0.1:${server.address().port}/corpus.safetensors`, length: size, sent, close }
}
