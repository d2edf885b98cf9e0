// Next.js: a route in Node, a route on the edge runtime, a client page; built and started as in production.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inBrowser } from '../browser.mjs'
import { checkCore, checkPool } from '../outcome.mjs'
import { run } from '../run-command.mjs'
import { tool } from '../tools.mjs'

export const cells = ['turbopack', 'webpack'].map((bundler) => ({
  title: `Next.js with ${bundler} gives the known results on the server, on the edge runtime and on a page`,
  check: (made) => inNext(bundler, made),
  heavy: true,
}))

const SOURCES = fileURLToPath(new URL('../project-next', import.meta.url))
const ENV = { NEXT_TELEMETRY_DISABLED: '1' }

async function inNext(bundler, made) {
  const folder = await makeApp(bundler, made)
  const next = join(folder, 'node_modules/next/dist/bin/next')
  await run(process.execPath, [next, 'build', `--${bundler}`], { cwd: folder, env: ENV })
  const server = spawn(process.execPath, [next, 'start', '--port', '0', '--hostname', '127.0.0.1'], {
    cwd: folder,
    env: { ...process.env, ...ENV },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const origin = await originOf(server)
    checkCore(await answerOf(`${origin}/server`))
    checkCore(await answerOf(`${origin}/edge`))
    const { core, pool } = await inBrowser('chromium', origin)
    checkCore(core)
    checkPool(pool)
  } finally {
    server.kill()
  }
}

/** An app beside the other cells' project, with the packages of Next. */
async function makeApp(bundler, { folder, project }) {
  const app = join(folder, `next-${bundler}`)
  await cp(SOURCES, app, { recursive: true })
  for (const name of ['core.js', 'pool.js', 'scenario.js', 'data.js']) {
    await cp(join(project, name), join(app, name))
  }
  // No "type": with "module", Next 16.4 under webpack fails to build any route of the edge runtime.
  await writeFile(join(app, 'package.json'), '{ "private": true }\n')
  await cp(join(await tool('next'), 'node_modules'), join(app, 'node_modules'), {
    recursive: true,
    verbatimSymlinks: true,
  })
  await cp(join(project, 'node_modules/packvec'), join(app, 'node_modules/packvec'), { recursive: true })
  return app
}

/** Where the server listens, once it says so. */
function originOf(server) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('next start said nothing for 60 s')), 60_000)
    server.on('exit', (code) => reject(new Error(`next start ended with ${code}`)))
    let text = ''
    server.stdout.on('data', (chunk) => {
      text += chunk
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(text)
      if (found === null || !text.includes('Ready')) return
      clearTimeout(timer)
      resolve(found[0])
    })
  })
}

async function answerOf(url) {
  const response = await fetch(url)
  assert.equal(response.status, 200, await response.clone().text())
  return response.json()
}
