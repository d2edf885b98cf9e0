import { rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type BuildOptions, build } from 'esbuild'
import { embedWasm } from '../esbuild.wasm.mjs'

/**
 * Bundles the pool as `esbuild.config.mjs` does, from the sources as they are, so that no test meets an old `dist/`.
 * @param worker what runs in workers, where a test has its own: modules that it imports for their effects are kept
 */
export async function bundlePool(worker?: string): Promise<{ folder: string; url(name: string): URL }> {
  // One for each of the runner's processes, made anew: nothing is left outside build/.
  const folder = resolve('build', `pool-test-${process.env['VITEST_POOL_ID'] ?? '0'}`)
  rmSync(folder, { recursive: true, force: true })
  const shared: BuildOptions = {
    bundle: true,
    format: 'esm',
    target: 'es2022',
    plugins: [embedWasm],
    platform: 'neutral',
    external: ['node:*'],
    outdir: folder,
    logLevel: 'warning',
  }
  const entryPoints = { index: 'src/index.ts', pool: 'src/pool.ts', storage: 'src/storage.ts' }
  await build({ ...shared, entryPoints, splitting: true })
  const script = { 'pool-worker': worker ?? 'src/pool/worker.ts' }
  await build({ ...shared, entryPoints: script, ignoreAnnotations: worker !== undefined })
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n')
  return { folder, url: (name) => pathToFileURL(join(folder, name)) }
}
