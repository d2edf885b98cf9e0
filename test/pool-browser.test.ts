import { existsSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type Browser, launch } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundlePool } from './pool-bundle.js'

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
/** What makes a page cross-origin isolated, so that it may share memory. */
const ISOLATED = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' }

/** Runs in the page: everything the pool does, beside one index; returns what differs and what was refused. */
const PAGE = `async (transport) => {
  const { QuantizedIndex } = await import('/index.js')
  const { createPool } = await import('/pool.js')
  const { encodeIndex } = await import('/storage.js')
  const [rows, dims] = [3000, 96]
  let state = 1
  const next = () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32) - 0.5
  const matrix = (count) => ({ data: Float32Array.from({ length: count * dims }, next), dims: [count, dims] })
  const [embeddings, more, queries] = [matrix(rows), matrix(500), matrix(70)]
  const plain = (results) => JSON.stringify(results.map(({ ids, scores }) => [[...ids], [...scores]]))
  const pool = await createPool({ workers: 2, ...(transport && { transport }) })
  const differs = []
  for (const options of [{}, { coarse: 'int8' }, { coarse: 'float32' }, { coarse: 'ternary', rescore: 'int4', scale: true }]) {
    const one = QuantizedIndex.build(embeddings, options)
    const index = await pool.build(embeddings, options)
    if (plain(await index.search(queries)) !== plain(one.search(queries))) differs.push(['search', options])
    await index.add(more)
    if (plain(await index.search(queries)) !== plain(one.add(more).search(queries))) differs.push(['add', options])
    const opened = await pool.open(encodeIndex(one))
    if (plain(await opened.search(queries)) !== plain(one.search(queries))) differs.push(['open', options])
  }
  const index = await pool.build(embeddings)
  const error = await index.search([1]).catch(({ code, message }) => ({ code, message }))
  const pending = index.search(queries).catch(({ argument }) => argument)
  await pool.close()
  const missing = await createPool({ workers: 1, workerUrl: '/none.js' }).catch(({ code, argument }) => ({ code, argument }))
  return { isolated: crossOriginIsolated, transport: pool.transport, differs, error, closed: await pending, missing }
}`

const missing = existsSync(CHROMIUM) ? '' : ` (skipped: there is no ${CHROMIUM}; CHROMIUM names another)`

describe.skipIf(missing !== '')(`the pool in Chromium${missing}`, () => {
  let browser: Browser
  let server: Server
  let origin: string

  beforeAll(async () => {
    const { folder } = await bundlePool()
    server = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
      const isolated = searchParams.has('isolated') || request.headers.referer?.includes('isolated')
      // Scripts always carry the headers: a worker's own must allow what its page requires.
      const headers = isolated || pathname.endsWith('.js') ? ISOLATED : {}
      const file = join(folder, pathname)
      if (pathname === '/') response.writeHead(200, { ...headers, 'Content-Type': 'text/html' }).end('<!doctype html>')
      else if (!existsSync(file)) response.writeHead(404).end()
      else response.writeHead(200, { ...headers, 'Content-Type': 'text/javascript' }).end(readFileSync(file))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    browser = await launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] })
  })

  afterAll(async () => {
    await browser?.close()
    server?.close()
  })

  it.each([
    ['that is cross-origin isolated', '/?isolated', undefined, 'shared'],
    ['that is not', '/', undefined, 'transfer'],
    ['that is, by messages', '/?isolated', 'transfer', 'transfer'],
  ])('gives the results of one index on a page %s', async (_title, path, asked, transport) => {
    const page = await browser.newPage()
    await page.goto(origin + path)
    const result = await page.evaluate(`(${PAGE})(${JSON.stringify(asked)})`)
    expect(result).toEqual({
      isolated: path === '/?isolated',
      transport,
      differs: [],
      error: { code: 'DIMS_MISMATCH', message: 'query has 1 dimensions, the index has 96' },
      closed: 'pool',
      missing: { code: 'IO', argument: 'workerUrl' },
    })
    await page.close()
  })

  it('refuses shared memory on a page that may not share it', async () => {
    const page = await browser.newPage()
    await page.goto(origin)
    const asked = `import('/pool.js').then(({ createPool }) => createPool({ transport: 'shared' })).catch(({ code }) => code)`
    expect(await page.evaluate(asked)).toBe('UNSUPPORTED')
    await page.close()
  })
})
