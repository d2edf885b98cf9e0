// Browsers without a bundler: the installed files as a static server gives them.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openPage } from '../browser.mjs'
import { checkCore, checkPool } from '../outcome.mjs'

export const cells = ['chromium', 'firefox'].map((name) => ({
  title: `${name} gives the known results on a page, in a module worker and in a pool`,
  check: (made) => inBrowser(name, made),
}))

async function inBrowser(name, { project, installed }) {
  const { exports } = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'))
  // Import maps do not reach into workers: the server writes in what the package's exports say.
  const rewrite = (text) =>
    text.replace(/(from |import )'packvec(\/[\w.-]+)?'/g, (_, keyword, entry = '') => {
      return `${keyword}'${join('/node_modules/packvec', exports[`.${entry}`].default)}'`
    })
  const { core, worker, pool } = await openPage(name, project, 'index.html', rewrite)
  checkCore(core)
  checkCore(worker)
  checkPool(pool)
  const { module, isolated } = await openPage(name, project, 'module.html', rewrite)
  checkCore(module)
  assert.equal(isolated, true)
}
