import { readFile } from 'node:fs/promises'
import { defineConfig } from 'vitest/config'

/** The sources import the kernels as a function that gives their bytes, as `esbuild.wasm.mjs` does in the bundles. */
const wasmBytes = {
  name: 'wasm-bytes',
  enforce: 'pre' as const,
  async load(id: string) {
    if (!id.endsWith('.wasm')) return null
    const base64 = (await readFile(id)).toString('base64')
    return `export default () => Uint8Array.from(atob('${base64}'), (c) => c.charCodeAt(0))`
  },
}

export default defineConfig({
  plugins: [wasmBytes],
  test: { include: ['test/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000 },
})
