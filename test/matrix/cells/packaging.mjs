// The package itself: what it holds, how it resolves, and what its core never does.
import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'
import { reachableFiles } from '../../../package-files.mjs'
import { run } from '../run-command.mjs'
import { toolBin } from '../tools.mjs'

export const cells = [
  { title: 'publint finds nothing', check: publint },
  { title: 'are-the-types-wrong finds nothing for packages of ES modules', check: areTheTypesWrong },
  { title: 'the package holds what its entries reach and nothing else', check: noStrayFiles },
  { title: 'the core names no eval, no network, no file and no host', check: coreText },
]

async function publint({ tarball, project }) {
  const output = await run(await toolBin('package-checks', 'publint'), [tarball, '--strict', '--pack=false'], {
    cwd: project,
  })
  assert.match(output, /All good/)
}

async function areTheTypesWrong({ tarball, project }) {
  // Files that are no scripts have no types.
  const files = ['./kernels.wasm', './pool-worker.js', './package.json']
  const attw = await toolBin('package-checks', 'attw')
  await run(attw, [tarball, '--profile', 'esm-only', '--format', 'ascii', '--exclude-entrypoints', ...files], {
    cwd: project,
  })
}

async function noStrayFiles({ installed }) {
  const reached = await reachableFiles(installed)
  const files = (await readdir(installed, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
  const names = files.map(({ parentPath, path, name }) => join(parentPath ?? path, name).slice(installed.length + 1))
  const texts = ['CHANGELOG.md', 'LICENSE', 'README.md', 'dist/THIRD-PARTY-LICENSES.txt']
  assert.deepEqual(names.filter((name) => !reached.has(name) && !texts.includes(name)).sort(), [])
  return `${names.length} files`
}

const FORBIDDEN = [
  /\beval\b/,
  /\bFunction\s*\(/,
  /\bimport\s*\(/,
  /\brequire\b/,
  /\bfetch\b/,
  /\b(XMLHttpRequest|WebSocket|EventSource|sendBeacon|importScripts|WebTransport)\b/,
  /\bnode:/,
  /\b(process|Deno|Bun|window|document|navigator|localStorage|indexedDB|caches)\./,
]

async function coreText({ project }) {
  const bundle = await build({
    stdin: { contents: "export * from 'packvec'", resolveDir: project },
    bundle: true,
    format: 'esm',
    minify: true,
    write: false,
  })
  const text = bundle.outputFiles[0].text
  for (const pattern of FORBIDDEN) {
    const at = text.search(pattern)
    assert.equal(at, -1, `${pattern}: ${text.slice(Math.max(0, at - 60), at + 60)}`)
  }
}
