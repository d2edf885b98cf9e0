import type { ServerResponse } from 'node:http'
import type { Browser } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { BROWSERS, openBrowser, openPage, resultIds, textOf } from './browsers.js'
import { buildSite, openSite } from './site.js'

/** Copies are kept in pieces of this many bytes: a download is taken up at the beginning of one. */
const PIECE = 1 << 20

let folder: string

beforeAll(async () => {
  folder = (await buildSite('offline')).folder
})

/** Lets a response send so many bytes of its body, and keeps it open then. */
function stallAfter(response: ServerResponse, bytes: number): void {
  const write = response.write.bind(response) as (chunk: Uint8Array) => boolean
  let left = bytes
  response.write = ((chunk: Uint8Array) => {
    const part = chunk.subarray(0, left)
    left -= part.length
    if (part.length > 0) write(part)
    // False asks the sender to wait for an event that comes while there is room only.
    return left > 0
  }) as typeof response.write
}

for (const { name, missing } of BROWSERS) {
  describe.skipIf(missing !== '')(`the demo offline, in ${name}${missing}`, () => {
    let browser: Browser

    beforeAll(async () => {
      browser = await openBrowser(name)
    })
    afterAll(async () => {
      await browser?.close()
    })

    it('works without its server after one visit', async () => {
      const site = await openSite(folder)
      const { page, faults } = await openPage(browser)
      onTestFinished(() => page.close())
      await page.goto(site.url)
      await textOf(page, '#load-text', /copy in this browser.*Works offline/)
      await page.click('#compare')
      await textOf(page, '#compare-note', /^For “/, 60_000)
      const ids = await resultIds(page)
      const first = await faults()
      await site.stop()
      await page.reload()
      await textOf(page, '#load-text', /copy in this browser.*Works offline/)
      expect(await resultIds(page)).toEqual(ids)
      await page.click('#picks li:nth-child(2) button')
      await textOf(page, '#results-note', /How do I update my PIN/)
      // What was loaded on demand is kept as well.
      await page.click('#compare')
      await textOf(page, '#compare-note', /^For “/, 60_000)
      expect(first).toEqual([])
    })

    it('says what to do where something was never loaded before the network went', async () => {
      const site = await openSite(folder)
      const { page } = await openPage(browser)
      onTestFinished(() => page.close())
      await page.goto(site.url)
      await textOf(page, '#load-text', /Works offline/)
      await site.stop()
      await page.reload()
      await page.waitForSelector('#results li')
      await page.click('#compare')
      await textOf(page, '#compare-note', /corpus\.f32: the connection failed\. Connect, or start the server/)
      expect(await page.$eval('#compare', (button) => (button as HTMLButtonElement).disabled)).toBe(false)
    })

    it('takes a copy up where the tab was closed in the middle of it', async () => {
      const site = await openSite(folder)
      onTestFinished(() => site.stop())
      // Sends the copy up to the middle of its second piece, and then nothing more.
      site.intercept = (request, response) => {
        const range = /^bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '')
        if (request.url !== '/corpus.safetensors' || !range) return false
        // Candidates are read by small ranges; the copy is one large one.
        const [first, last] = [Number(range[1]), Number(range[2])]
        if (last - first < PIECE) return false
        stallAfter(response, (PIECE + last) / 2 - first)
        return false
      }
      const { page } = await openPage(browser)
      await page.goto(site.url)
      await textOf(page, '#load-text', /offline use: 1\.\d+ MB of 1\.\d+ MB/)
      await page.waitForSelector('#results li')
      await page.close()

      site.intercept = () => false
      site.ranges.length = 0
      const again = (await openPage(browser)).page
      onTestFinished(() => again.close())
      await again.goto(site.url)
      await textOf(again, '#load-text', /copy in this browser.*Works offline/)
      const firsts = site.ranges.map(([first]) => first)
      expect(firsts).toContain(PIECE)
      // The first piece is not fetched again: only the bits, which the page searches while the rest comes, and candidates.
      expect(site.ranges.filter(([first, last]) => first < PIECE && last - first >= PIECE / 2)).toEqual([])
    })
  })
}
