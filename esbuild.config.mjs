// Bundles the library into dist/ (published) and the bench and the demo into build/ (not published).
import { cp, rm, writeFile } from 'node:fs/promises'
import asc from 'assemblyscript/asc'
import { build } from 'esbuild'
import { embedWasm, importWasm } from './esbuild.wasm.mjs'
import { licencesOf } from './licences.mjs'

const shared = { bundle: true, format: 'esm', target: 'es2022', plugins: [embedWasm], logLevel: 'warning' }

await rm('dist', { recursive: true, force: true })
/** Entries that hosts which compile no bytes have too: one graph, so that they share the core. */
const entries = {
  index: 'src/index.ts',
  rotations: 'src/rotations.ts',
  eval: 'src/eval.ts',
  node: 'src/node.ts',
  storage: 'src/storage.ts',
}
const neutral = {
  ...shared,
  splitting: true,
  platform: 'neutral',
  mainFields: ['module', 'main'],
  external: ['node:*'],
  minifySyntax: true,
}
const library = await build({
  ...neutral,
  metafile: true,
  entryPoints: { ...entries, 'storage-node': 'src/storage-node.ts', pool: 'src/pool.ts', cli: 'src/cli/main.ts' },
  outdir: 'dist',
})
await build({ ...neutral, entryPoints: entries, outdir: 'dist/edge', plugins: [importWasm] })
// One file that imports nothing, so that it can be put wherever a host wants its workers.
await build({
  ...shared,
  entryPoints: { 'pool-worker': 'src/pool/worker.ts' },
  outdir: 'dist',
  platform: 'neutral',
  external: ['node:*'],
  minifySyntax: true,
})
const debug = await build({
  ...shared,
  metafile: true,
  entryPoints: ['src/debug.ts'],
  outdir: 'dist',
  platform: 'neutral',
})
const read = ['bench/assembly/read.ts', '--target', 'release', '--outFile', 'build/read.wasm']
const compiled = await asc.main(read, { stderr: process.stderr })
if (compiled.error) throw compiled.error
await build({
  ...shared,
  entryPoints: {
    bench: 'bench/main.ts',
    'bench-browser': 'bench/browser/drive.ts',
    'bench-compare': 'bench/compare.ts',
    'bench-storage': 'bench/storage/main.ts',
    demo: 'examples/browser/tools/main.ts',
    'demo-terminal': 'examples/terminal/main.ts',
  },
  outdir: 'build',
  outExtension: { '.js': '.mjs' },
  platform: 'node',
  external: ['puppeteer-core', 'esbuild', 'serve-static'],
})
await build({ ...shared, entryPoints: { 'bench-page': 'bench/browser/page.ts' }, outdir: 'build', platform: 'browser' })
for (const name of ['kernels.wasm', 'linear.wasm']) await cp(`build/${name}`, `dist/${name}`)

// What is bundled keeps its licence.
const inputs = [library, debug].flatMap(({ metafile }) => Object.keys(metafile.inputs))
await writeFile('dist/THIRD-PARTY-LICENSES.txt', await licencesOf(inputs))
