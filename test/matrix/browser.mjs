// Opens a page of a folder in Chromium or Firefox and returns what its scenario computed.
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join } from 'node:path'
import { launch } from 'puppeteer-core'
import { Skip } from './tools.mjs'

const BROWSERS = {
  chromium: { paths: [process.env.CHROMIUM, '/usr/bin/chromium'], args: ['--no-sandbox', '--disable-gpu'] },
  firefox: { paths: [process.env.FIREFOX, '/usr/bin/firefox-esr', '/usr/bin/firefox'], args: [] },
}
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm' }
/** What makes a page cross-origin isolated, so that the pool may share memory. */
const ISOLATED = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' }

/**
 * `globalThis.outcome`, awaited, of `http://127.0.0.1/<page>`. Files come from `folder`; `rewrite` may change a script on its way.
 * @throws Skip where the browser is missing
 */
export async function openPage(name, folder, page = 'index.html', rewrite = (text) => text) {
  const server = await serve(folder, rewrite)
  try {
    return await inBrowser(name, `http://127.0.0.1:${server.address().port}/${page}`)
  } finally {
    server.close()
  }
}

export async function inBrowser(name, url) {
  const { paths, args } = BROWSERS[name]
  const executablePath = paths.find((path) => path && existsSync(path))
  if (executablePath === undefined) throw new Skip(`there is no ${name}: none of ${paths.filter(Boolean).join(', ')}`)
  const browser = await launch({ browser: name === 'firefox' ? 'firefox' : 'chrome', executablePath, args })
  try {
    const page = await browser.newPage()
    const errors = []
    page.on('pageerror', (error) => errors.push(error.message))
    page.on('console', (message) => errors.push(message.text()))
    await page.goto(url)
    // A module that does not load leaves nothing to wait for.
    await page.waitForFunction('globalThis.outcome !== undefined', { timeout: 30_000 }).catch(() => {
      throw new Error(`the page did not start: ${errors.join('; ')}`)
    })
    const outcome = JSON.parse(await page.evaluate('globalThis.outcome.then((outcome) => JSON.stringify(outcome))'))
    if (outcome.error) throw new Error(outcome.error)
    return outcome
  } finally {
    await browser.close()
  }
}

function serve(folder, rewrite) {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost')
    try {
      const bytes = await readFile(join(folder, pathname))
      const type = TYPES[extname(pathname)] ?? 'application/octet-stream'
      response.writeHead(200, { ...ISOLATED, 'Content-Type': type })
      response.end(type === 'text/javascript' ? rewrite(bytes.toString()) : bytes)
    } catch {
      response.writeHead(404).end()
    }
  })
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)))
}
