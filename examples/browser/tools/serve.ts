import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import serveStatic from 'serve-static'

/** Answers with the files of a folder, and with ranges of them. */
export function filesOf(folder: string): (request: IncomingMessage, response: ServerResponse) => void {
  const files = serveStatic(folder, { cacheControl: false })
  return (request, response) => {
    // Asked again each time, answered with 304: a build is seen at once.
    response.setHeader('Cache-Control', 'no-cache')
    files(request, response, () => {
      response.writeHead(404, { 'Content-Type': 'text/plain' }).end('not found\n')
    })
  }
}

/** A folder on this machine only; `port` 0 takes any that is free. */
export async function serveFolder(folder: string, port: number): Promise<{ url: string; server: Server }> {
  const server = createServer(filesOf(folder))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return { url: `http://localhost:${(server.address() as AddressInfo).port}/`, server }
}
