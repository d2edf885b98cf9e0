import { existsSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'
import { type Browser, launch, type Page } from 'puppeteer-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { embedWasm } from '../../esbuild.wasm.mjs'
import { QuantizedIndex } from '../../src/index.js'
import { openIndex } from '../../src/storage-node.js'
import { matrix } from '../random.js'
import { indexFile } from './index-files.js'
import { FileServer } from './server.js'

const BROWSERS = [
  ['Chromium', process.env['CHROMIUM'] ?? '/usr/bin/chromium', 'chrome'],
  ['Firefox', process.env['FIREFOX'] ?? '/usr/bin/firefox', 'firefox'],
] as const

const [rows, dims] = [30_000, 64]
const all = matrix(rows, dims, 1)
const keys = Array.from({ length: rows }, (_, row) => `key ${row}`)
const file = indexFile(QuantizedIndex.build(all), { keys })
const queries = matrix(4, dims, 2)

/** Runs in the page: opens and searches, and says what came of it. */
const RUN = `async (options, data, dims, abortAt) => {
  const { openIndex } = await import('/storage.js')
  const controller = new AbortController()
  const progress = []
  try {
    const { source = '/corpus.safetensors', ...others } = options
    const index = await openIndex(source, {
      retries: 1, retryDelay: 1, ...others,
      signal: controller.signal,
      onProgress: ({ phase, bytes }) => {
        progress.push(phase)
        if (abortAt !== undefined && bytes > abortAt) controller.abort()
      },
    })
    const results = await index.search({ data: Float32Array.from(data), dims: [data.length / dims, dims] }, { topK: 5 })
    await index.close()
    return { downloads: progress.filter((phase) => phase === 'download').length,
      results: results.map(({ ids, scores, keys }) => ({ ids: [...ids], scores: [...scores], keys })) }
  } catch (error) {
    return { code: error.code, argument: error.argument, message: error.message }
  }
}`

describe.each(BROWSERS)('an index in %s', (_name, executablePath, product) => {
  describe.skipIf(!existsSync(executablePath))(`at ${executablePath} (skipped where it is not there)`, () => {
    let browser: Browser
    let page: Page
    let pages: Server
    let files: FileServer
    let expected: unknown

    beforeAll(async () => {
      const folder = resolve('build', `storage-test-${process.env['VITEST_POOL_ID'] ?? '0'}-${product}`)
      await build({
        bundle: true,
        format: 'esm',
        target: 'es2022',
        plugins: [embedWasm],
        platform: 'neutral',
        mainFields: ['module', 'main'],
        entryPoints: { storage: 'src/storage.ts' },
        outdir: folder,
        logLevel: 'warning',
      })
      files = await new FileServer(file).open()
      pages = createServer((request, response) => {
        if (request.url === '/storage.js') {
          response.writeHead(200, { 'Content-Type': 'text/javascript' }).end(readFileSync(join(folder, 'storage.js')))
        } else if (request.url === '/corpus.safetensors') void files.answer(request, response)
        else response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html>')
      })
      await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve))
      const args = product === 'chrome' ? ['--no-sandbox', '--disable-gpu'] : []
      browser = await launch({ executablePath, browser: product, args })
      page = await browser.newPage()
      await page.goto(`http://127.0.0.1:${(pages.address() as AddressInfo).port}/`)
      const stored = await openIndex(file)
      const results = await stored.search(queries, { topK: 5 })
      expected = results.map(({ ids, scores, keys }) => ({ ids: [...ids], scores: [...scores], keys }))
    })

    afterAll(async () => {
      await browser?.close()
      pages?.close()
      await files?.close()
    })

    beforeEach(() => files.reset())

    const run = (options: object, abortAt?: number) =>
      page.evaluate(
        `(${RUN})(${JSON.stringify(options)}, ${JSON.stringify([...queries.data])}, ${dims}, ${abortAt})`,
      ) as Promise<Record<string, unknown>>

    it('is searched over the network with the results of Node', async () => {
      expect(await run({})).toEqual({ downloads: 0, results: expected })
      const bytes = files.bytesSent
      expect(bytes).toBeLessThan(file.length)
    })

    it.each(['opfs', 'indexeddb'])(
      'is kept in %s: downloaded, revalidated, opened offline, replaced',
      async (cache) => {
        const first = await run({ cache })
        expect(first).toMatchObject({ results: expected })
        expect(first['downloads']).toBeGreaterThan(0)
        files.reset()
        expect(await run({ cache })).toEqual({ downloads: 0, results: expected })
        expect(files.asked.map(({ headers }) => headers['if-none-match'])).toEqual([files.etag])
        expect(files.bytesSent).toBe(0)
        files.behaviour = (_, response) => {
          response.destroy()
          return true
        }
        expect(await run({ cache })).toEqual({ downloads: 0, results: expected })
        files.reset()
        files.etag = `"${cache}"`
        expect((await run({ cache }))['downloads']).toBeGreaterThan(0)
        expect(files.bytesSent).toBe(file.length)
      },
    )

    it('goes on with a download that was aborted', async () => {
      files.etag = '"again"'
      expect(await run({ cache: 'opfs' }, 1_100_000)).toMatchObject({ code: 'ABORTED' })
      files.reset()
      expect(await run({ cache: 'opfs' })).toMatchObject({ results: expected })
      expect(files.bytesSent).toBeLessThan(file.length - 900_000)
      expect(files.bytesSent).toBeGreaterThan(100_000)
    })

    it('is read from another origin that shows Content-Range, and refused by name from one that does not', async () => {
      const source = files.url
      files.headers = { 'Access-Control-Allow-Origin': '*', 'Access-Control-Expose-Headers': 'Content-Range, ETag' }
      expect(await run({ source })).toMatchObject({ results: expected })
      expect(files.asked.some(({ headers }) => headers['access-control-request-method'] !== undefined)).toBe(false)
      files.headers = { 'Access-Control-Allow-Origin': '*' }
      const refused = await run({ source })
      expect(refused).toMatchObject({ code: 'IO', argument: 'source' })
      expect(refused['message']).toContain('Access-Control-Expose-Headers')
      files.headers = {}
    })

    it('is opened from a Blob', async () => {
      const blob = `async () => {
        const { openIndex } = await import('/storage.js')
        const blob = await (await fetch('/corpus.safetensors')).blob()
        const index = await openIndex(blob)
        const file = await openIndex(new File([blob], 'chosen.safetensors'))
        return [index.size, file.size]
      }`
      expect(await page.evaluate(`(${blob})()`)).toEqual([rows, rows])
    })

    it('refuses a path by name', async () => {
      expect(await run({ source: 'file:///corpus.safetensors' })).toMatchObject({
        code: 'INVALID_ARGUMENT',
        argument: 'source',
      })
    })
  })
})
