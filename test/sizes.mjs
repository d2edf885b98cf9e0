// How large a bundle gets with packvec in it: minified by esbuild, compressed by gzip. Run after a build: npm run sizes.
// Fails where a bundle is over its limit (sizes.json) or the table in the README is out of date; --write renews that table.
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const readme = new URL('../README.md', import.meta.url)
const { goal, limits } = JSON.parse(await readFile(new URL('sizes.json', import.meta.url), 'utf8'))

/** Sources of bundles, by what the table calls them. `packvec` means the built package: it imports itself by its name. */
const BUNDLES = {
  '`packvec`, all of it': "export * from 'packvec'",
  '`packvec`, `quantizeEmbeddings` alone': "export { quantizeEmbeddings } from 'packvec'",
  '`packvec`, `QuantizedIndex` alone': "export { QuantizedIndex } from 'packvec'",
  '`packvec` and `packvec/storage`': "export * from 'packvec'; export * from 'packvec/storage'",
  '`packvec` and `packvec/rotations`': "export * from 'packvec'; export * from 'packvec/rotations'",
  '`packvec` and `packvec/pool`, without the worker': "export * from 'packvec'; export * from 'packvec/pool'",
  '`packvec/pool-worker.js`': "import 'packvec/pool-worker.js'",
}
const WHOLE = '`packvec`, all of it'
const SMALLEST = '`packvec`, `quantizeEmbeddings` alone'
/** Versions of zlib differ by some bytes, and not every change is worth a line of the README. */
const DRIFT = 0.02

async function gzipBytes(contents) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root },
    bundle: true,
    format: 'esm',
    minify: true,
    write: false,
    platform: 'neutral',
    external: ['node:*'],
    // Not that of the repository, where the name of the package leads to its sources.
    tsconfigRaw: {},
    // The chunks that tree-shaking leaves out whole are told of outside node_modules.
    logLevel: 'error',
  })
  return gzipSync(outputFiles[0].contents, { level: 9 }).length
}

const kb = (bytes) => (bytes / 1000).toFixed(1)

const sizes = new Map()
for (const [name, source] of Object.entries(BUNDLES)) sizes.set(name, await gzipBytes(source))
const rows = [...sizes].map(([name, bytes]) => `| ${name} | ${kb(bytes)} |`)
const table = ['| bundle, with the wasm | KB, gzip |', '|---|---|', ...rows].join('\n')
console.log(`${table}\n\ngoal for ${WHOLE}: ${kb(goal)} KB`)

const problems = []
for (const [name, bytes] of sizes) {
  if (!(bytes <= limits[name])) problems.push(`${name}: ${bytes} bytes, the limit is ${limits[name]}`)
}
// An unused export must cost nothing: without tree-shaking the two would be the same.
if (sizes.get(SMALLEST) > 0.8 * sizes.get(WHOLE)) problems.push(`${SMALLEST} is hardly smaller than ${WHOLE}`)

const text = await readFile(readme, 'utf8')
const marked = /(<!-- sizes -->\n)([\s\S]*?)(\n<!-- \/sizes -->)/
const written = marked.exec(text)?.[2] ?? ''
if (process.argv.includes('--write')) {
  await writeFile(readme, text.replace(marked, `$1${table}$3`))
} else {
  for (const [name, bytes] of sizes) {
    const figure =
      1000 *
      Number(
        written
          .split('\n')
          .find((line) => line.startsWith(`| ${name} |`))
          ?.split('|')[2],
      )
    if (!(Math.abs(figure - bytes) <= DRIFT * bytes + 100)) problems.push(`README: ${name} is ${kb(bytes)} KB now`)
  }
}
for (const problem of problems) console.log(`FAIL  ${problem}`)
process.exitCode = problems.length === 0 ? 0 : 1
