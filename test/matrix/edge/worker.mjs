// The example Worker, bundled by Cloudflare's own tool and run in Cloudflare's own runtime.
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { run } from '../run-command.mjs'
import { tool, toolFile } from '../tools.mjs'

/** As in the configuration of the example. */
const KEY = 'corpus.safetensors'

/** What `wrangler deploy` would upload, and what wrangler says of it; `withModel` takes the model in, as its comment says. */
export async function bundleWorker({ folder }, { withModel = false } = {}) {
  const text = await readFile(join(folder, 'worker/wrangler.jsonc'), 'utf8')
  const config = join(folder, 'worker', withModel ? 'with-model.jsonc' : 'without-model.jsonc')
  await writeFile(config, withModel ? text.replace('// "ai":', '"ai":') : text)
  const output = `${config}-out`
  const wrangler = join(await tool('wrangler'), 'node_modules/wrangler/bin/wrangler.js')
  const args = [wrangler, 'deploy', '--dry-run', '--outdir', output, '--config', config]
  const env = { WRANGLER_SEND_METRICS: 'false', CI: 'true', NO_COLOR: '1' }
  const said = await run(process.execPath, args, { cwd: folder, env })
  const files = (await readdir(output)).filter((file) => /\.js$|\.wasm/.test(file))
  const modules = await Promise.all(
    files.map(async (path) => {
      const script = path.endsWith('.js')
      const contents = await readFile(join(output, path), script ? 'utf8' : undefined)
      return { type: script ? 'ESModule' : 'CompiledWasm', path, contents }
    }),
  )
  const compatibilityDate = /"compatibility_date": "([\d-]+)"/.exec(text)[1]
  return {
    modules,
    said,
    compatibilityDate,
    bytes: modules.reduce((sum, { contents }) => sum + Buffer.byteLength(contents), 0),
  }
}

/**
 * Runs a bundle in workerd, behind `observed.js`, which counts what it does. `index` is the file in the bucket,
 * or `indexUrl` where it is; `embedding` what a bound model gives.
 */
export async function startWorker({ modules, compatibilityDate }, { index, indexUrl, embedding } = {}) {
  // Beside wrangler, which depends on it.
  const { Miniflare } = await import(pathToFileURL(await toolFile('wrangler', 'miniflare')).href)
  const module = async (path) => {
    return { type: 'ESModule', path, contents: await readFile(new URL(path, import.meta.url), 'utf8') }
  }
  const example = {
    name: 'example',
    modules: [await module('observed.js'), ...modules],
    compatibilityDate,
    r2Buckets: ['BUCKET'],
    bindings: { INDEX_KEY: KEY, ...(indexUrl && { FILE_URL: indexUrl }) },
  }
  const workers = [example]
  if (embedding !== undefined) {
    example.serviceBindings = { AI: 'model' }
    const bindings = { EMBEDDING: [...embedding] }
    workers.push({ name: 'model', modules: [await module('model.js')], compatibilityDate, bindings })
  }
  const host = new Miniflare({ workers, inspectorPort: 0 })
  try {
    const url = await host.ready
    const bucket = await host.getR2Bucket('BUCKET', 'example')
    const worker = {
      url,
      fetch: (path, init) => fetch(new URL(path, url), { signal: AbortSignal.timeout(20_000), ...init }),
      /** Puts a file, or bytes, where the Worker looks for its index. */
      upload: async (content) =>
        bucket.put(KEY, new Uint8Array(typeof content === 'string' ? await readFile(content) : content)),
      counts: async () => (await worker.fetch('/observed')).json(),
      /** A request that ends before its answer is there. */
      abandon: async (path, init) =>
        (await worker.fetch(path, { ...init, headers: { ...init.headers, 'X-Abandon': '1' } })).text(),
      /** Makes each read of the bucket take so many milliseconds longer. */
      slowDown: async (milliseconds) => worker.fetch(`/slow?ms=${milliseconds}`),
      /** For `openHeap`. */
      inspector: () => host.getInspectorURL(),
      stop: () => host.dispose(),
    }
    if (index !== undefined) await worker.upload(index)
    return worker
  } catch (error) {
    await host.dispose()
    throw error
  }
}
