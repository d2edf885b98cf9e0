// How a .wasm file gets into a bundle. What a source imports from one is a function that gives its bytes, or its module.
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('.', import.meta.url))

/**
 * The bytes inside the bundle, as hexadecimal text: gzip still sees bytes in it, which base64 hides, so that the core is 3.4 KB
 * smaller where it is compressed. Nothing is decoded before the first use.
 */
export const embedWasm = wasmPlugin('embed-wasm', async (path) => {
  const hex = (await readFile(path)).toString('hex')
  return `import { decodeHex } from './src/kernels/hex.js'\nexport default () => decodeHex('${hex}')`
})

/** The module as an import of the host's, beside the folder of the bundle, where bytes may not be compiled at run time. */
export const importWasm = wasmPlugin('import-wasm', async (path) => {
  // Vercel wants the suffix, Cloudflare's tools know it.
  return `import module from '../${basename(path)}?module'\nexport default () => module`
})

function wasmPlugin(name, textOf) {
  return {
    name,
    setup(build) {
      build.onResolve({ filter: /\.wasm\?module$/ }, ({ path }) => ({ path, external: true }))
      build.onLoad({ filter: /\.wasm$/ }, async ({ path }) => ({
        contents: await textOf(path),
        resolveDir: root,
      }))
    },
  }
}
