import { existsSync } from 'node:fs'
import { type Browser, type LaunchOptions, launch, type Page } from 'puppeteer-core'

export type BrowserName = 'chromium' | 'firefox'

const EXECUTABLES: Record<BrowserName, string> = {
  chromium: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  firefox: process.env['FIREFOX'] ?? '/usr/bin/firefox-esr',
}

/** Both browsers, with why one is skipped: '' where it is installed. */
export const BROWSERS = (Object.keys(EXECUTABLES) as BrowserName[]).map((name) => {
  const path = EXECUTABLES[name]
  const missing = existsSync(path) ? '' : ` (skipped: there is no ${path}; ${name.toUpperCase()} names another)`
  return { name, missing }
})

export interface BrowserSettings {
  readonly dark?: boolean
  /** Firefox's preferences. */
  readonly preferences?: Record<string, unknown>
}

/** A browser that reaches this machine only. */
export function openBrowser(name: BrowserName, { dark = false, preferences }: BrowserSettings = {}): Promise<Browser> {
  const options: LaunchOptions =
    name === 'firefox'
      ? {
          browser: 'firefox',
          extraPrefsFirefox: {
            'layout.css.prefers-color-scheme.content-override': dark ? 0 : 1,
            // Resolves to this machine, where nothing answers.
            'network.dns.localDomains': 'huggingface.co',
            ...preferences,
          },
        }
      : {
          // In containers, as root, Chromium's sandbox does not start; only these pages are opened.
          args: [
            '--no-sandbox',
            '--disable-gpu',
            '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
            ...(dark ? ['--force-dark-mode'] : []),
          ],
        }
  return launch({ ...options, executablePath: EXECUTABLES[name], headless: true })
}

/** A page with everything that went wrong in it: errors, console errors, what its policy refused. */
export async function openPage(
  browser: Browser,
  width = 1280,
): Promise<{ page: Page; faults: () => Promise<string[]> }> {
  const page = await browser.newPage()
  await page.setViewport({ width, height: 900 })
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(`error: ${(error as Error).message}`))
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warn') faults.push(`console: ${message.text()}`)
  })
  await page.evaluateOnNewDocument(() => {
    const refused: string[] = []
    Object.assign(globalThis, { refused })
    addEventListener('securitypolicyviolation', (event) => {
      refused.push(`policy: ${event.violatedDirective} refuses ${event.blockedURI}`)
    })
  })
  return {
    page,
    faults: async () => [...faults, ...((await page.evaluate('globalThis.refused')) as string[])],
  }
}

/** Waits until an element's text matches, and gives the text. */
export async function textOf(page: Page, selector: string, pattern: RegExp, timeout = 20_000): Promise<string> {
  try {
    await page.waitForFunction(
      (where, source) => new RegExp(source).test(document.querySelector(where)?.textContent ?? ''),
      { timeout, polling: 100 },
      selector,
      pattern.source,
    )
  } catch (cause) {
    const text = await page.evaluate((where) => document.querySelector(where)?.textContent, selector)
    throw new Error(`${selector} should say ${pattern}, it says: ${text}`, { cause })
  }
  return page.$eval(selector, (element) => element.textContent ?? '')
}

/** Ids of the results on show. */
export function resultIds(page: Page): Promise<number[]> {
  return page.$$eval('#results:not(.stale) li', (items) => items.map((item) => Number(item.getAttribute('data-id'))))
}
