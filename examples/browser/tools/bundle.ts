import { writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { type BuildOptions, build } from 'esbuild'
import { licencesOf } from '../../../licences.mjs'

/**
 * Bundles the page, the worker of the model and the service worker, with the licences of what is in them. Returns the path of
 * the WebAssembly that the model runs on.
 */
export async function bundlePage(source: string, out: string): Promise<string> {
  const shared: BuildOptions = {
    bundle: true,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    minify: true,
    metafile: true,
    legalComments: 'none',
    logLevel: 'warning',
    // The package's bundles name shared parts that a page may not need.
    logOverride: { 'ignored-bare-import': 'silent' },
    outdir: out,
    // The types' paths lead to the sources; the page takes the package as its users get it.
    tsconfigRaw: {},
  }
  const page = await build({ ...shared, entryPoints: { main: join(source, 'page/main.ts') } })
  const model = await build({
    ...shared,
    entryPoints: { 'model-worker': join(source, 'page/model-worker.ts') },
    // The build without WebGPU: half as large, and what a q8 model of this size runs on anyway.
    alias: { 'onnxruntime-web/webgpu': 'onnxruntime-web/wasm' },
  })
  await build({ ...shared, format: 'iife', entryPoints: { 'service-worker': join(source, 'page/service-worker.ts') } })
  const inputs = [page, model].flatMap(({ metafile }) => Object.keys(metafile!.inputs))
  await writeFile(join(out, 'licenses.txt'), await licencesOf(inputs))
  return createRequire(import.meta.url).resolve('onnxruntime-web/ort-wasm-simd-threaded.wasm')
}
