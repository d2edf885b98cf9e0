import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser, Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { filesOf } from '../../examples/browser/tools/serve.js'
import { BROWSERS, openBrowser, openPage, resultIds, textOf } from './browsers.js'
import { buildSite, type Intercept, openSite } from './site.js'

let folder: string
/** What a whole browser finds for the question that the page opens with. */
let usual: number[]

beforeAll(async () => {
  folder = (await buildSite('bad-input')).folder
})

/** Such a browser knows WebAssembly, but none of its bytes for vectors. */
const WITHOUT_SIMD = `
  WebAssembly.validate = () => false
  WebAssembly.Module = class { constructor() { throw new WebAssembly.CompileError('invalid numeric opcode 0xfd') } }`

const status =
  (path: string, code: number, body = ''): Intercept =>
  ({ url }, response) => {
    if (url !== path) return false
    response.writeHead(code).end(body)
    return true
  }

for (const { name, missing } of BROWSERS) {
  describe.skipIf(missing !== '')(`the demo and what may go wrong, in ${name}${missing}`, () => {
    let browser: Browser

    beforeAll(async () => {
      browser = await openBrowser(name)
      const page = await visit(() => false)
      await page.waitForSelector('#results li')
      usual = await resultIds(page)
      await page.close()
    })
    afterAll(async () => {
      await browser?.close()
    })

    async function visit(intercept: Intercept, prepare = async (_page: Page) => {}, from = folder): Promise<Page> {
      const site = await openSite(from)
      closing.push(() => site.stop())
      site.intercept = intercept
      const { page } = await openPage(browser)
      await prepare(page)
      await page.goto(site.url)
      return page
    }
    const closing: (() => Promise<void>)[] = []
    afterAll(async () => {
      for (const close of closing) await close()
    })

    it.each([
      ['without WebAssembly SIMD', WITHOUT_SIMD, /no WebAssembly SIMD, so plain TypeScript/],
      ['without WebAssembly', 'delete globalThis.WebAssembly', /no WebAssembly, so plain TypeScript/],
    ])('finds the same in a browser %s, and says that it is slower', async (_title, script, sentence) => {
      const page = await visit(
        () => false,
        async (page) => {
          await page.evaluateOnNewDocument(script)
        },
      )
      await textOf(page, '#load-text', sentence)
      await page.waitForSelector('#results li')
      expect(await resultIds(page)).toEqual(usual)
      await page.close()
    })

    it('says where the index must lie when it is missing', async () => {
      const page = await visit(status('/corpus.safetensors', 404))
      expect(await textOf(page, '#trouble', /./)).toMatch(/corpus\.safetensors.*404.*The index must lie where/)
      await page.close()
    })

    it('says that the index is empty', async () => {
      const page = await visit(status('/corpus.safetensors', 200))
      expect(await textOf(page, '#trouble', /./)).toMatch(/The index is no whole file\. Run npm run demo:build again/)
      await page.close()
    })

    it.each(['questions.f32', 'texts.json', 'demo.json'])('says that %s is empty', async (file) => {
      const page = await visit(status(`/${file}`, 200))
      expect(await textOf(page, '#trouble', /./)).toBe(
        `${file}: the file is empty. Run npm run demo:build again and serve the whole folder that it writes.`,
      )
      await page.close()
    })

    it('opens an index of another origin, or says what that origin must send', async () => {
      const files = filesOf(folder)
      let allow = false
      const host = createServer((request, response) => {
        if (allow) response.setHeader('Access-Control-Allow-Origin', '*')
        if (allow) response.setHeader('Access-Control-Expose-Headers', 'Content-Range, ETag')
        files(request, response)
      })
      await new Promise<void>((done) => host.listen(0, '127.0.0.1', done))
      onTestFinished(() => void host.close())
      const indexUrl = `http://localhost:${(host.address() as AddressInfo).port}/corpus.safetensors`
      const other = await buildSite(`other-origin-${name}`, { indexUrl })
      const refused = await visit(() => false, undefined, other.folder)
      expect(await textOf(refused, '#trouble', /./)).toMatch(
        /localhost:\d+\/corpus\.safetensors.*Access-Control-Allow-Origin/,
      )
      await refused.close()
      allow = true
      const page = await visit(() => false, undefined, other.folder)
      await page.waitForSelector('#results li')
      expect(await resultIds(page)).toEqual(usual)
      await page.close()
    })

    it('says what to do when the model is refused, and goes on with the real questions', async () => {
      const page = await visit(() => false)
      await textOf(page, '#model-text', /huggingface\.co/)
      await page.click('#load-model')
      const said = await textOf(page, '#model-text', /could not be loaded/, 60_000)
      expect(said).toMatch(
        /whether something blocks huggingface\.co, then press again; or build the page with PACKVEC_MODELS/,
      )
      expect(await page.$eval('#load-model', (button) => (button as HTMLButtonElement).disabled)).toBe(false)
      await page.click('#picks li:nth-child(2) button')
      await textOf(page, '#results-note', /How do I update my PIN/)
      await page.close()
    })

    it('searches without a copy where the storage is full, and says so', async () => {
      const page = await visit(
        () => false,
        async (page) => {
          await page.evaluateOnNewDocument(() => {
            FileSystemWritableFileStream.prototype.write = () => {
              return Promise.reject(new DOMException('no room', 'QuotaExceededError'))
            }
          })
        },
      )
      await textOf(page, '#load-text', /No copy for offline use: .*no room.*free some space/)
      expect(await resultIds(page)).toEqual(usual)
      await page.click('#picks li:nth-child(2) button')
      await textOf(page, '#results-note', /How do I update my PIN/)
      await page.close()
    })
  })
}
