// workerd, which compiles no bytes at run time: bundled as Cloudflare's own tool does it.
import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { encodeBytes } from '../../../esbuild.wasm.mjs'
import { checkCore } from '../outcome.mjs'
import { cellFolder } from '../project.mjs'
import { run } from '../run-command.mjs'
import { tool, toolFile } from '../tools.mjs'

export const cells = [
  { title: 'workerd gives the known results on wasm without init, with no bytes to compile', check: onWorkerd },
]

async function onWorkerd(made) {
  const bundle = await bundleWorker(made, 'edge')
  assert.deepEqual(
    bundle.filter(({ type }) => type === 'CompiledWasm').length,
    2,
    'kernels.wasm and linear.wasm come as modules',
  )
  const magic = encodeBytes(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0))
  const text = bundle.map(({ contents }) => contents).filter((contents) => typeof contents === 'string')
  assert.ok(!text.some((contents) => contents.includes(magic)), 'no bytes of wasm in the scripts')
  const answer = JSON.parse(await answerOf(bundle))
  checkCore(answer.core)
  assert.equal(answer.backend, 'wasm')
  assert.equal(answer.compiled, 0)
  assert.match(await answerOf(await bundleWorker(made, 'refused')), /disallowed by embedder/)
}

/** What `wrangler deploy` would upload, as miniflare takes it. */
async function bundleWorker(made, name) {
  const output = await cellFolder(made, `out-${name}`)
  const config = { name: 'matrix', main: `${name}.js`, compatibility_date: '2026-01-01', send_metrics: false }
  await writeFile(join(made.project, `wrangler.${name}.json`), JSON.stringify(config))
  const wrangler = join(await tool('wrangler'), 'node_modules/wrangler/bin/wrangler.js')
  const args = [wrangler, 'deploy', '--dry-run', '--outdir', output, '--config', `wrangler.${name}.json`]
  await run(process.execPath, args, { cwd: made.project, env: { WRANGLER_SEND_METRICS: 'false', CI: 'true' } })
  const files = (await readdir(output)).filter((file) => /\.js$|\.wasm/.test(file))
  const main = files.find((file) => file.endsWith('.js'))
  return Promise.all(
    [main, ...files.filter((file) => file !== main)].map(async (file) => {
      const script = file.endsWith('.js')
      const contents = await readFile(join(output, file), script ? 'utf8' : undefined)
      return { type: script ? 'ESModule' : 'CompiledWasm', path: file, contents }
    }),
  )
}

async function answerOf(modules) {
  // Beside wrangler, which depends on it.
  const { Miniflare } = await import(pathToFileURL(await toolFile('wrangler', 'miniflare')).href)
  const host = new Miniflare({ modules, compatibilityDate: '2026-01-01' })
  try {
    return await (await host.dispatchFetch('http://localhost/')).text()
  } finally {
    await host.dispose()
  }
}
