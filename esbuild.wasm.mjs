// How a .wasm file gets into a bundle. What a source imports from one is a function that gives its bytes, or its module.
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('.', import.meta.url))

/** The bytes inside the bundle, as text. Nothing is decoded before the first use. */
export const embedWasm = wasmPlugin('embed-wasm', async (path) => {
  const text = encodeBytes(await readFile(path))
  return `import { decodeBytes } from './src/kernels/embedded.js'\nexport default () => decodeBytes('${text}')`
})

/** The module as an import of the host's, beside the folder of the bundle, where bytes may not be compiled at run time. */
export const importWasm = wasmPlugin('import-wasm', async (path) => {
  const name = basename(path)
  // Vercel wants the suffix, Cloudflare's tools know it. Both parts of the core are one file there.
  return `import module from '../${PARTS.includes(name) ? 'kernels.wasm' : name}?module'\nexport default () => module`
})

const PARTS = ['encode.wasm', 'search.wasm']

/** Bytes as text that needs no escapes in a string literal: `decodeBytes` in `src/kernels/embedded.ts` says how. */
export function encodeBytes(bytes) {
  const charOf = (value) => ({ 52: '!', 56: '%' })[value] ?? String.fromCharCode(0x28 + value)
  return Array.from(bytes, (byte) => {
    const value = (byte + 3) & 0xff
    return value < 85 ? charOf(value) : charOf(85 + Math.floor((value - 85) / 87)) + charOf((value - 85) % 87)
  }).join('')
}

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
