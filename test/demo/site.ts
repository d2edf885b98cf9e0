import { existsSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { buildDemo } from '../../examples/browser/tools/build.js'
import { filesOf } from '../../examples/browser/tools/serve.js'

/** Answers a request instead of the folder, or returns false. */
export type Intercept = (request: IncomingMessage, response: ServerResponse) => boolean

/** Where the model is, if it is on this machine. */
export const MODELS = [process.env['PACKVEC_MODELS'], '../shared/models'].find((folder) => {
  return folder !== undefined && existsSync(join(folder, 'all-MiniLM-L6-v2'))
})

/** Builds the demo into a folder of this test file's own. */
export async function buildSite(name: string, options: { models?: string | undefined; indexUrl?: string } = {}) {
  const out = resolve('build', `demo-test-${name}`)
  const manifest = await buildDemo({ out, ...options })
  return { folder: out, manifest }
}

export interface Site {
  readonly url: string
  /** Ranges of the index that were asked for, first byte and last, in order. */
  readonly ranges: [first: number, last: number][]
  intercept: Intercept
  stop(): Promise<void>
}

/** The folder below a sub-path, as a static host may serve it; each site is an origin of its own, with nothing stored. */
export async function openSite(folder: string): Promise<Site> {
  const files = filesOf(folder)
  const ranges: Site['ranges'] = []
  const server: Server = createServer((request, response) => {
    request.url = request.url?.replace(/^\/sub\/path\//, '/')
    const range = /^bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '')
    if (request.url === '/corpus.safetensors' && range) ranges.push([Number(range[1]), Number(range[2])])
    if (!site.intercept(request, response)) files(request, response)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const site: Site = {
    url: `http://localhost:${(server.address() as AddressInfo).port}/sub/path/`,
    ranges,
    intercept: () => false,
    stop() {
      server.closeAllConnections()
      return new Promise((done) => server.close(() => done()))
    },
  }
  return site
}
