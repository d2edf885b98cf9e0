import { existsSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Files by the path they are asked for under. */
export type Files = Readonly<Record<string, URL>>

const TYPES: Readonly<Record<string, string>> = { js: 'text/javascript', npy: 'application/octet-stream' }
const PAGE =
  '<!doctype html><meta charset="utf-8"><title>packvec bench</title><link rel="icon" href="data:,">' +
  '<script src="/page.js"></script>'

/** Serves the page and its files to this machine only. */
export async function serve(files: Files): Promise<{ url: string; close: () => void }> {
  const server: Server = createServer(({ url = '/' }, response) => {
    // Isolated pages get a clock of microseconds; others get coarse ones.
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin')
    response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp')
    const file = files[url]
    if (url === '/') response.setHeader('Content-Type', 'text/html').end(PAGE)
    else if (file === undefined || !existsSync(file)) response.writeHead(404).end()
    else response.setHeader('Content-Type', TYPES[url.split('.').at(-1)!] ?? '').end(readFileSync(file))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/`, close: () => server.close() }
}
