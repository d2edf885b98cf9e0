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

/** Pages in real browsers. */
const DEMO = ['test/demo/**/*.test.ts']
/** Whatever starts processes, workers, servers or browsers, fills disks, or reads the built package. */
const HOST = [
  'test/{builder,fuzz,matrix,storage,toy}/**/*.test.ts',
  'test/{bench,cli,cli-convert,cli-index,exact-shards,figures,loaded-index,memory,node,oracle,snippets}.test.ts',
  'test/{cli-terminal,junk,licences,shown}.test.ts',
  'test/{life-cycle,pool,pool-browser,pool-errors,pool-life,pool-memory}.test.ts',
  'test/evaluation/cli.test.ts',
]

const project = (name: string, include: string[], exclude: string[] = []) => ({
  extends: true as const,
  test: { name, include, exclude },
})

export default defineConfig({
  plugins: [wasmBytes],
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    setupFiles: ['test/setup.ts'],
    projects: [
      project('unit', ['test/**/*.test.ts'], [...DEMO, ...HOST]),
      project('host', HOST),
      project('demo', DEMO),
    ],
  },
})
