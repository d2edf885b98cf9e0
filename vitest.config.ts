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

interface Project {
  readonly name: string
  readonly include: string[]
  readonly exclude?: string[]
  /** Files at a time. By default Vitest leaves a core free, which is half of a machine with two. */
  readonly maxWorkers?: number | string
}

/** Projects run one after the other, so that what starts processes has the machine to itself. */
const projects = (given: readonly Project[]) =>
  given.map((test, groupOrder) => ({ extends: true as const, test: { ...test, sequence: { groupOrder } } }))

export default defineConfig({
  plugins: [wasmBytes],
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    setupFiles: ['test/setup.ts'],
    projects: projects([
      { name: 'unit', include: ['test/**/*.test.ts'], exclude: [...DEMO, ...HOST], maxWorkers: '100%' },
      { name: 'host', include: HOST },
      { name: 'demo', include: DEMO },
    ]),
  },
})
