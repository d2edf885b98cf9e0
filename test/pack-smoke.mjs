// Packs the package, installs the tarball in an empty project and uses it from there, as a user would.
// Run: npm run smoke. The last line says how many checks passed and failed.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = await mkdtemp(join(tmpdir(), 'packvec-smoke-'))
const project = join(folder, 'project')
const installed = join(project, 'node_modules', 'packvec')
const packvec = join(project, 'node_modules/.bin/packvec')
const npmFlags = ['--offline', '--no-audit', '--no-fund', '--loglevel=error']

function run(command, args, cwd = project) {
  try {
    return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
  } catch (error) {
    // Compilers say what is wrong on standard output.
    throw new Error(`${error.message}\n${error.stdout}`)
  }
}

/** Runs a module in the project, where `packvec` means the installed package. */
async function runModule(name, source) {
  await writeFile(join(project, name), source)
  return run(process.execPath, [name])
}

/** Type checks a module of the project with the strictest settings, the published types included. */
async function typecheck(module, moduleResolution, source) {
  const options = { module, moduleResolution, target: 'es2022', lib: ['es2022', 'dom'], types: [] }
  const compilerOptions = {
    ...options,
    strict: true,
    skipLibCheck: false,
    noEmit: true,
    noUncheckedIndexedAccess: true,
  }
  await writeFile(join(project, 'consumer.ts'), source)
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['consumer.ts'] }))
  run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.json'])
}

const bits = `
const { data, rowBytes } = quantizeEmbeddings([[0.5, -0.5, 0, 2, 1e-9, -1, 3, -0, 1]], 'ubinary')
if (rowBytes !== 2 || data[0] !== 0b10011010 || data[1] !== 0b10000000) throw new Error('wrong bits: ' + data)
`
const typed = `
import { QuantizedIndex, type QuantizedEmbeddings, type SearchResult, quantizeEmbeddings } from 'packvec'
import * as debug from 'packvec/debug'
import { type EvaluationReport, spectrum } from 'packvec/eval'
import { svdRotation } from 'packvec/rotations'
import { encodeIndex } from 'packvec/storage'
const codes: QuantizedEmbeddings = quantizeEmbeddings([[1, 2], [3, 4]], 'int8')
const result: SearchResult = QuantizedIndex.build([new Float32Array([1, 2])]).search([1, 2], { topK: 1 })
export const used: [number, Uint32Array, unknown] = [codes.rowBytes, result.ids, debug.quantizeEmbeddings]
import { Rotation } from 'packvec'
// @ts-expect-error: the core has the type of a rotation, the class is in packvec/rotations
export const none = Rotation.hadamard(2)
export const made: [number, unknown] = [svdRotation([[1, 2], [3, 4]]).dims, spectrum]
export const bytes: Uint8Array = encodeIndex(QuantizedIndex.build([[1, 2]]))
export type Report = EvaluationReport
// @ts-expect-error a precision that does not exist
quantizeEmbeddings([[1, 2]], 'int3')
`

const checks = {
  'npm pack makes one tarball': async () => {
    run('npm', ['pack', '--pack-destination', folder, '--loglevel=error'], root)
    assert.equal((await readdir(folder)).filter((name) => name.endsWith('.tgz')).length, 1)
  },
  'the tarball installs offline, without dependencies': async () => {
    const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz'))
    await mkdir(project)
    await writeFile(join(project, 'package.json'), '{ "name": "empty", "private": true, "type": "module" }\n')
    run('npm', ['install', ...npmFlags, join(folder, tarball)])
    const packages = (await readdir(join(project, 'node_modules'))).filter((name) => !name.startsWith('.'))
    assert.deepEqual(packages, ['packvec'])
    const manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'))
    for (const kind of ['dependencies', 'peerDependencies', 'optionalDependencies']) {
      assert.deepEqual(manifest[kind] ?? {}, {}, kind)
    }
  },
  'the package holds dist, README, LICENSE, CHANGELOG and package.json, nothing else': async () => {
    const names = (await readdir(installed)).sort()
    assert.deepEqual(names, ['CHANGELOG.md', 'LICENSE', 'README.md', 'dist', 'package.json'])
  },
  'the licences and notices of what is bundled are in the package': async () => {
    const text = await readFile(join(installed, 'dist/THIRD-PARTY-LICENSES.txt'), 'utf8')
    assert.ok(text.includes(await readFile(join(root, 'node_modules/assemblyscript/NOTICE'), 'utf8')))
    assert.ok(text.includes(await readFile(join(root, 'node_modules/commander/LICENSE'), 'utf8')))
  },
  'packvec quantizes on wasm kernels': async () => {
    const source = `
      const start = performance.now()
      const { backend, quantizeEmbeddings } = await import('packvec')
      const imported = performance.now()
      ${bits}
      const first = performance.now() - imported
      if (backend() !== 'wasm') throw new Error('backend is ' + backend())
      console.log('import ' + (imported - start).toFixed(1) + ' ms, first row quantized ' + first.toFixed(1) + ' ms')
    `
    return (await runModule('main.js', source)).trim()
  },
  'packvec/debug is the same API over kernels with assertions': async () => {
    await runModule('debug.js', `import { quantizeEmbeddings } from 'packvec/debug'\n${bits}`)
  },
  'packvec/rotations makes a rotation that the index takes': async () => {
    const source = `
      import { QuantizedIndex } from 'packvec'
      import { svdRotation } from 'packvec/rotations'
      const rows = [[1, 2], [3, 4], [-1, 0.5]]
      const index = QuantizedIndex.build(rows, { coarse: 'float32', rotation: svdRotation(rows) })
      if (index.search([1, 1], { topK: 1 }).ids[0] !== 1) throw new Error('the wrong row is nearest')
    `
    await runModule('rotations.js', source)
  },
  'packvec/storage writes an index, reads it and opens its file': async () => {
    const source = `
      import { QuantizedIndex } from 'packvec'
      import { decodeIndex, encodeIndex, openIndex } from 'packvec/storage'
      import { writeFileSync } from 'node:fs'
      const index = QuantizedIndex.build([[1, 2], [3, 4]], { onWarning() {} })
      const read = decodeIndex(encodeIndex(index))
      if (read.search([1, 1], { topK: 1 }).ids[0] !== 1) throw new Error('the wrong row is nearest')
      writeFileSync('stored.safetensors', encodeIndex(index))
      const stored = await openIndex('stored.safetensors')
      if ((await stored.search([1, 1], { topK: 1 })).ids[0] !== 1) throw new Error('the wrong row is nearest in the file')
      await stored.close()
    `
    await runModule('storage.js', source)
  },
  'packvec/eval computes a spectrum': async () => {
    const source = `
      import { spectrum } from 'packvec/eval'
      const { singularValues } = await spectrum([[3, 0], [0, 4]])
      if (Math.abs(singularValues[0] - 4) > 1e-6) throw new Error('wrong singular values: ' + singularValues)
    `
    await runModule('eval.js', source)
  },
  'packvec/node writes a .npy file, the command packvec quantizes it': async () => {
    const write = `await writeNpy('in.npy', { data: Float32Array.of(0.5, -0.5, -2, 2), dims: [2, 2] })`
    await runModule('write.js', `import { writeNpy } from 'packvec/node'\n${write}`)
    run(packvec, ['quantize', 'in.npy', '--precision', 'ubinary', '--output', 'out.npy'])
    const codes = (await readFile(join(project, 'out.npy'))).subarray(-2)
    assert.deepEqual([...codes], [0b10000000, 0b01000000])
  },
  'packvec/kernels.wasm is a WebAssembly module that imports one memory': async () => {
    const source = `
      import { readFileSync } from 'node:fs'
      const module = new WebAssembly.Module(readFileSync(new URL(import.meta.resolve('packvec/kernels.wasm'))))
      console.log(WebAssembly.Module.imports(module).map(({ kind }) => kind).join())
    `
    assert.equal((await runModule('wasm.js', source)).trim(), 'memory')
  },
  'the command packvec prints its help': async () => {
    assert.match(run(packvec, ['--help']), /usage/i)
  },
  'the types are one file per entry': async () => {
    const { exports } = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'))
    const entries = Object.values(exports).flatMap(({ types }) =>
      types === undefined ? [] : [types.split('/').at(-1)],
    )
    assert.deepEqual((await readdir(join(installed, 'dist/types'))).sort(), entries.sort())
  },
  'types resolve with node16': () => typecheck('node16', 'node16', typed),
  'types resolve with nodenext': () => typecheck('nodenext', 'nodenext', typed),
  'types resolve with a bundler': () => typecheck('esnext', 'bundler', typed),
}

let failed = 0
for (const [title, check] of Object.entries(checks)) {
  try {
    const note = await check()
    console.log(`ok    ${title}${note ? ` (${note})` : ''}`)
  } catch (error) {
    failed++
    console.log(`FAIL  ${title}: ${error.message}`)
  }
}
await rm(folder, { recursive: true, force: true })
console.log(`smoke: ${Object.keys(checks).length - failed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
