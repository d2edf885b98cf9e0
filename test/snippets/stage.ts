import { spawn } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { transformSync } from 'esbuild'
import serveStatic from 'serve-static'
import { decodeNpy, encodeNpy } from '../../src/formats/npy.js'
import type { Block } from './blocks.js'
import { checkTypes } from './check-types.js'

const ROOT = join(import.meta.dirname, '..', '..')

export interface Outcome {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/**
 * A folder as a reader of a page has it: the package installed, `packvec` on the path, some embeddings; and a server of that
 * folder for what the page calls https://example.com. Blocks leave their files to those behind them.
 */
export class Stage {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'packvec-snippets-')))
  readonly #server = createServer((request, response) => {
    const files = serveStatic(this.folder, { immutable: false, cacheControl: false })
    files(request, response, () => response.writeHead(404).end())
  })
  readonly #prelude: string

  constructor(page: string) {
    const own = join(import.meta.dirname, 'prelude', `${nameOf(page)}.ts`)
    this.#prelude = existsSync(own) ? nameOf(page) : 'common'
    mkdirSync(join(this.folder, 'node_modules'))
    this.#standIn('@huggingface/transformers', 'transformers.js', 'types/transformers.d.ts')
    symlinkSync(ROOT, join(this.folder, 'node_modules/packvec'))
    writeFileSync(join(this.folder, 'package.json'), '{ "private": true, "type": "module" }\n')
    mkdirSync(join(this.folder, 'bin'))
    const command = `#!/bin/sh\nexec '${process.execPath}' '${join(ROOT, 'dist/cli.js')}' "$@"\n`
    writeFileSync(join(this.folder, 'bin/packvec'), command, { mode: 0o755 })
    this.#saveEmbeddings()
    for (const name of new Set(['common', this.#prelude])) this.#copyPrelude(name)
  }

  async open(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return this
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
    rmSync(this.folder, { recursive: true })
  }

  /** Writes the modules of a page, for both the compiler and Node, and gives what the compiler says of each. */
  prepare(blocks: readonly Block[]): Map<Block, string[]> {
    const files = blocks.map((block) => this.#fileOf(block, 'ts'))
    for (const [i, block] of blocks.entries()) {
      writeFileSync(files[i]!, block.code)
      const { code } = transformSync(block.code, { loader: 'ts', format: 'esm', target: 'node20' })
      writeFileSync(this.#fileOf(block, 'js'), code)
    }
    const found = checkTypes([join(this.folder, `${this.#prelude}.ts`), ...files])
    return new Map(blocks.map((block, i) => [block, found.get(files[i]!)!]))
  }

  runModule(block: Block): Promise<Outcome> {
    const prelude = join(this.folder, `${this.#prelude}.js`)
    const runner = join(import.meta.dirname, 'run-module.mjs')
    return this.#run(process.execPath, ['--import', `file://${prelude}`, runner, this.#fileOf(block, 'js')])
  }

  runShell(code: string): Promise<Outcome> {
    return this.#run('bash', ['-euo', 'pipefail', '-c', code])
  }

  /** With the Python that `missingPython` has found. */
  runPython(code: string): Promise<Outcome> {
    return this.#run(process.env['PACKVEC_PYTHON']!, ['-c', code])
  }

  #run(command: string, args: readonly string[]): Promise<Outcome> {
    const { port } = this.#server.address() as AddressInfo
    const env = {
      ...process.env,
      PATH: `${join(this.folder, 'bin')}:${process.env['PATH']}`,
      PACKVEC_SNIPPETS_URL: `http://127.0.0.1:${port}/`,
    }
    // Not spawnSync: the server must answer meanwhile.
    const child = spawn(command, args, { cwd: this.folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text))
    return new Promise((resolve, reject) => {
      child.on('error', reject).on('close', (status) => resolve({ status, stdout, stderr }))
    })
  }

  #fileOf({ page, line }: Block, extension: string): string {
    return join(this.folder, `${nameOf(page)}-${line}.${extension}`)
  }

  /** Some rows of the example data under the names that the pages use. */
  #saveEmbeddings(): void {
    const read = (name: string) => decodeNpy(readFileSync(join(ROOT, 'examples/data', name)))
    const train = read('banking77_train.npy')
    const test = read('banking77_test.npy')
    const dims = train.dims[1]!
    const save = (name: string, { data }: typeof train, first: number, rows: number, step = 1) => {
      const part = Float32Array.from({ length: rows * dims }, (_, i) => {
        return data[(first + step * Math.floor(i / dims)) * dims + (i % dims)]!
      })
      writeFileSync(join(this.folder, name), encodeNpy(part, [rows, dims]))
    }
    save('corpus.npy', train, 0, 1200)
    save('more.npy', train, 1200, 100)
    save('sample.npy', train, 1, 950, 3)
    save('queries.npy', test, 0, 20)
  }

  /** A package of the reader's by its true types, but run by a stand-in. */
  #standIn(name: string, script: string, types: string): void {
    const folder = join(this.folder, 'node_modules', name)
    mkdirSync(folder, { recursive: true })
    cpSync(join(import.meta.dirname, 'stand-in', script), join(folder, 'index.js'))
    writeFileSync(join(folder, 'index.d.ts'), `export * from '${join(ROOT, 'node_modules', name, types)}'\n`)
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, type: 'module', main: 'index.js' }))
  }

  #copyPrelude(name: string): void {
    const source = readFileSync(join(import.meta.dirname, 'prelude', `${name}.ts`), 'utf8')
    writeFileSync(join(this.folder, `${name}.ts`), source)
    const { code } = transformSync(source, { loader: 'ts', format: 'esm', target: 'node20' })
    writeFileSync(join(this.folder, `${name}.js`), code)
  }
}

function nameOf(page: string): string {
  return page
    .replace(/^docs\//, '')
    .replace(/\.md$/, '')
    .toLowerCase()
}
