// Bundles the library into dist/ (published) and the bench and the demo into build/ (not published).
import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import { build } from 'esbuild'

/** es2022 keeps esbuild from calling Uint8Array.fromBase64, which Node 20 lacks. */
const shared = { bundle: true, format: 'esm', target: 'es2022', loader: { '.wasm': 'binary' }, logLevel: 'warning' }

await rm('dist', { recursive: true, force: true })
await build({
  ...shared,
  entryPoints: {
    index: 'src/index.ts',
    rotations: 'src/rotations.ts',
    node: 'src/node.ts',
    cli: 'src/cli/main.ts',
  },
  outdir: 'dist',
  splitting: true,
  platform: 'neutral',
  mainFields: ['module', 'main'],
  external: ['node:*'],
  minifySyntax: true,
})
await build({ ...shared, entryPoints: ['src/debug.ts'], outdir: 'dist', platform: 'neutral' })
await build({
  ...shared,
  entryPoints: { bench: 'bench/main.ts', demo: 'examples/demo/main.ts' },
  outdir: 'build',
  outExtension: { '.js': '.mjs' },
  platform: 'node',
})
await cp('build/kernels.wasm', 'dist/kernels.wasm')

// What is bundled keeps its licence: commander in the command line, the loader in packvec/debug.
const bundled = { commander: 'commander/LICENSE', '@assemblyscript/loader': 'assemblyscript/LICENSE' }
const texts = Object.entries(bundled).map(async ([name, path]) => {
  return `${name}\n\n${await readFile(`node_modules/${path}`, 'utf8')}`
})
await writeFile('dist/THIRD-PARTY-LICENSES.txt', (await Promise.all(texts)).join(`\n${'-'.repeat(80)}\n\n`))
