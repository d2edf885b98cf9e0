import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { figure } from '../docs/figure.mjs'
import { DOORS, folderOf, importsOfFolders } from '../docs/folders.mjs'

/** Files of a folder with what they import, both relative to the repository. */
function importsOf(folder: string): Map<string, string[]> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /(?<!\.d)\.ts$/.test(name))
  return new Map(
    names.map((name) => {
      const text = readFileSync(`${folder}/${name}`, 'utf8')
      return [name, [...text.matchAll(/(?:\bfrom |\bimport\(|^import )'([^']+)'/gm)].map((match) => match[1]!)]
    }),
  )
}

/** What a file imports, itself and through others, by file name. */
function reachable(imports: Map<string, string[]>, name: string, seen = new Set<string>()): Set<string> {
  for (const specifier of imports.get(name) ?? []) {
    if (!specifier.startsWith('.')) continue
    const file = new URL(specifier.replace(/\.js$/, '.ts'), `file:///${name}`).pathname.slice(1)
    if (seen.has(file)) continue
    seen.add(file)
    reachable(imports, file, seen)
  }
  return seen
}

/** The table of docs/architecture.md: each folder with those that it may import. */
function foldersOfTable(): Map<string, string[]> {
  const page = readFileSync('docs/architecture.md', 'utf8')
  const rows = [...page.matchAll(/^\| `([\w-]+)\/` \| .* \| (.*) \|$/gm)]
  const names = (cell: string) => (cell === '-' ? [] : cell.replaceAll(/`|\//g, '').split(', '))
  return new Map(rows.map((row) => [row[1]!, names(row[2]!)]))
}

/** Where Node's modules may be imported, as docs/architecture.md says. */
const NODE_FOLDERS = ['files', 'cli', 'evaluation']
const NODE_FILES = ['sources/node-source.ts', 'pool/host.ts', 'pool/node-module.ts']

describe('the folders of src/', () => {
  const table = foldersOfTable()
  const real = importsOfFolders('src')

  it('are those of the table in docs/architecture.md', () => {
    expect([...real.keys()].filter((name) => name !== DOORS).sort()).toEqual([...table.keys()].sort())
    expect(table.size).toBe(15)
  })

  it.each([...table])('import what the table says: %s/', (folder, imported) => {
    expect(real.get(folder)).toEqual(imported)
  })

  it('import none that stands below them in the table, so that no way leads back', () => {
    const order = [...table.keys()]
    for (const [folder, imported] of table) {
      for (const name of imported) {
        if (name === DOORS) expect(folder).toBe('cli')
        else expect(order.indexOf(name), `${folder}/ imports ${name}/`).toBeLessThan(order.indexOf(folder))
      }
    }
  })

  it('are drawn as they are', () => {
    expect(readFileSync('docs/architecture.svg', 'utf8')).toBe(figure('src'))
  })

  it('hold all code: a door only exports', () => {
    for (const [name] of importsOf('src')) {
      if (folderOf(name) !== DOORS || name === 'debug.ts') continue
      const text = readFileSync(`src/${name}`, 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
      expect(text.replaceAll(/export (type )?(\{[^}]*\}|\*) from '[^']+'/g, '').trim(), name).toBe('')
    }
  })

  it('import Node where docs/architecture.md says so, and all that it names does', () => {
    const page = readFileSync('docs/architecture.md', 'utf8')
    const sentence = page.match(/Node's modules are imported by ([^.]|\.ts)*\./)![0]
    const named = [...sentence.matchAll(/`([^`]+)`/g)].map((match) => match[1]!)
    expect(named).toEqual([...NODE_FOLDERS.map((folder) => `${folder}/`), ...NODE_FILES])
    const found = [...importsOf('src').keys()].filter((name) => /['`]node:/.test(code(name)))
    const allowed = (name: string) => NODE_FOLDERS.includes(folderOf(name)) || NODE_FILES.includes(name)
    expect(found.filter((name) => !allowed(name))).toEqual([])
    for (const folder of NODE_FOLDERS) expect(found.some((name) => folderOf(name) === folder)).toBe(true)
    for (const file of NODE_FILES) expect(found, file).toContain(file)
  })
})

function code(name: string): string {
  return readFileSync(`src/${name}`, 'utf8')
}

describe('the pages', () => {
  it.each(['SECURITY.md', 'CONTRIBUTING.md'])('name tests that there are: %s', (page) => {
    const text = readFileSync(page, 'utf8')
    const named = new Set([...text.matchAll(/`(test\/[\w./-]+)`/g)].map((match) => match[1]!))
    expect(named.size).toBeGreaterThan(0)
    expect([...named].filter((name) => !existsSync(name))).toEqual([])
  })

  it('of SECURITY.md say of each promise which test holds it', () => {
    const text = readFileSync('SECURITY.md', 'utf8')
    const promises = text.slice(text.indexOf('## What is promised')).match(/^\| (?!promise|-).*$/gm)!
    expect(promises.length).toBeGreaterThan(10)
    for (const promise of promises) expect(promise).toMatch(/`test\/.*\.test\.ts` \|$/)
  })
})

describe('the arrows between files', () => {
  const src = importsOf('src')

  it('point one way: no file imports itself through others', () => {
    for (const name of src.keys()) expect(reachable(src, name).has(name), name).toBe(false)
  })

  it('lead from the core to no Node module and to no package', () => {
    for (const file of ['index.ts', ...reachable(src, 'index.ts')]) {
      for (const specifier of src.get(file) ?? []) expect(specifier, file).toMatch(/^\./)
    }
  })

  it('lead from the core to no file, no format and no checksum', () => {
    const core = [...reachable(src, 'index.ts')]
    expect(core.filter((file) => /^(index-file|in-place|files|sources|formats)\/|checksum/.test(file))).toEqual([])
  })

  it('lead from the storage of browsers to no Node module', () => {
    for (const file of ['storage.ts', ...reachable(src, 'storage.ts')]) {
      for (const specifier of src.get(file) ?? []) expect(specifier, file).not.toMatch(/^node:/)
    }
  })

  it('stay inside assembly/', () => {
    for (const [name, specifiers] of importsOf('assembly')) {
      for (const specifier of specifiers) expect(specifier, name).toMatch(/^\.\/[\w-]+$/)
    }
  })

  it('let only kernels/modules.ts, kernels/workspace.ts and debug.ts open WebAssembly', () => {
    for (const name of src.keys()) {
      if (['kernels/modules.ts', 'kernels/workspace.ts', 'debug.ts'].includes(name)) continue
      expect(readFileSync(`src/${name}`, 'utf8'), name).not.toMatch(/WebAssembly\.(Module|Instance|Memory)/)
    }
  })
})

describe('the names of precisions', () => {
  /** Where one may stand: what a family is, the registry, public types; and what has the same name but is no precision. */
  const ALLOWED: Readonly<Record<string, string>> = {
    'codes/(floats|bytes|nibbles|pairs|bits|levels)\\.ts': 'the families, and the codebook of two of them',
    'codes/registry\\.ts': 'the registry',
    'codes/dequantize\\.ts': 'what decoding gives',
    'evaluation/technique-names\\.ts': 'the techniques that `all` stands for',
    'formats/.*': 'dtypes of .npy, kinds of FAISS',
    '(files/array-files|cli/convert|cli/inspect)\\.ts': 'kinds of FAISS, and which codes they hold',
    'files/node-sha256\\.ts': 'an encoding of Node',
  }
  const name = /'(float32|int8|uint8|int4|quaternary|ternary|binary|ubinary)'/
  /** float32 is a type of factors too. */
  const isFactor = (line: string) => line.includes("'float32'") && /scale|float16/i.test(line)
  const sources = [...importsOf('src').keys()]
  const found = sources.flatMap((file) => {
    const lines = code(file).split('\n')
    const own = lines.filter((line) => name.test(line) && !/^\s*(\*|\/\*|\/\/)/.test(line) && !isFactor(line))
    return own.map((line) => `${file}: ${line.trim()}`)
  })

  it('stand in their family, in the registry and in public types, and nowhere else', () => {
    const patterns = Object.keys(ALLOWED).map((pattern) => new RegExp(`^${pattern}:`))
    expect(found.filter((line) => !patterns.some((pattern) => pattern.test(line)))).toEqual([])
  })

  it.each(Object.keys(ALLOWED))('stand where it is said that they may: %s', (pattern) => {
    expect(found.some((line) => new RegExp(`^${pattern}:`).test(line))).toBe(true)
  })
})

describe('what git tracks for tests and examples', () => {
  it('takes at most 8 MB', () => {
    const listed = execFileSync('git', ['ls-files', '-z', 'test', 'examples'], { encoding: 'utf8' })
    const files = listed.split('\0').filter((name) => name !== '' && existsSync(name))
    expect(files.length).toBeGreaterThan(200)
    expect(files.reduce((sum, name) => sum + statSync(name).size, 0)).toBeLessThan(8e6)
  })
})
