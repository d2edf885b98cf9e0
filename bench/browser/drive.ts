import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { launch } from 'puppeteer-core'
import { FIGURE_HEAD, figureRows, type Ratios } from '../figures.js'
import { machine } from '../report.js'
import { markdownTable } from '../results.js'
import { serve } from './server.js'

const USAGE = `npm run bench:browser -- chromium|firefox [--executable PATH] [--size browser|quick|tiny] [--out FILE]`

/** Where Debian's packages put the browsers. */
const EXECUTABLES = { chromium: '/usr/bin/chromium', firefox: '/usr/bin/firefox-esr' } as const
type Name = keyof typeof EXECUTABLES

const near = (path: string) => new URL(path, import.meta.url)

async function drive(name: Name, executable: string, size: string, out: string): Promise<void> {
  const server = await serve({
    '/page.js': near('bench-page.js'),
    '/banking77_train.npy': near('../examples/data/banking77_train.npy'),
    '/banking77_test.npy': near('../examples/data/banking77_test.npy'),
  })
  const browser = await launch({
    browser: name === 'firefox' ? 'firefox' : 'chrome',
    executablePath: executable,
    headless: true,
    // In containers, as root, Chromium's sandbox does not start; only this page is opened.
    args: name === 'firefox' ? [] : ['--no-sandbox', '--disable-gpu'],
    protocolTimeout: 900_000,
  })
  try {
    const version = await browser.version()
    console.log(`${Object.values(machine()).slice(0, -1).join(', ')}; ${version}; one thread; milliseconds`)
    const page = await browser.newPage()
    page.on('console', (message) => console.log(message.text()))
    page.on('pageerror', (error) => console.error(error))
    await page.goto(server.url)
    const report = (await page.evaluate(`packvecBench(${JSON.stringify(size)})`)) as Ratios & { backend: string }
    console.log(`\nkernels: ${report.backend}. Figures at the browser's sizes, not those that the goals are set for:`)
    const rows = figureRows(report).filter((row) => row[3] !== '')
    console.log(markdownTable(FIGURE_HEAD, rows))
    writeFileSync(out, `${JSON.stringify({ machine: machine(), browser: version, ...report }, null, 2)}\n`)
    console.log(`\nwrote ${out}`)
  } finally {
    await browser.close()
    server.close()
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    executable: { type: 'string' },
    size: { type: 'string', default: 'browser' },
    out: { type: 'string' },
  },
})
const [name] = positionals
if (name !== 'chromium' && name !== 'firefox') {
  console.error(USAGE)
  process.exitCode = 2
} else {
  const out = values.out ?? fileURLToPath(near(`bench-${name}.json`))
  await drive(name, values.executable ?? EXECUTABLES[name], values.size, out)
}
