import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

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

/** The files that the table of docs/architecture.md names, as patterns: `src/a.ts`, then `b.ts` beside it; `src/c/`; `d*.ts`. */
function filesOfTable(): { readonly name: string; readonly pattern: RegExp }[] {
  const page = readFileSync('docs/architecture.md', 'utf8')
  const section = page.slice(page.indexOf('## The tree'), page.indexOf('## Memory of an index'))
  const cells = [...section.matchAll(/^\| (`.*?) \|/gm)].map((match) => match[1]!)
  const names = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1]!))
  return names.map((name) => {
    const path = /^(src|assembly|bench|examples|test)\//.test(name) ? name : `src/${name}`
    const escaped = path.replaceAll('.', '\\.').replaceAll('*', '[^/]*')
    return { name, pattern: new RegExp(`^${escaped}${path.endsWith('/') ? '' : '$'}`) }
  })
}

describe('the table of docs/architecture.md', () => {
  const names = (folder: string) => readdirSync(folder, { recursive: true, encoding: 'utf8' })
  const files = (...folders: string[]) => folders.flatMap((folder) => names(folder).map((name) => `${folder}/${name}`))
  const sources = files('src', 'assembly').filter((file) => file.endsWith('.ts'))
  const table = filesOfTable()

  it('tells of every source file', () => {
    expect(sources.filter((file) => !table.some(({ pattern }) => pattern.test(file)))).toEqual([])
  })

  it('names no file that there is not', () => {
    const all = files('src', 'assembly', 'bench', 'examples', 'test')
    expect(table.filter(({ pattern }) => !all.some((file) => pattern.test(file))).map(({ name }) => name)).toEqual([])
  })
})

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

  it.each([
    ['kernels.ts', ['rotate-kernels.ts']],
    ['precision.ts', ['errors.ts']],
    ['format/npy.ts', ['errors.ts', 'format/']],
    ['format/safetensors.ts', ['errors.ts', 'format/']],
    ['format/faiss.ts', ['errors.ts', 'format/']],
    ['matrix.ts', ['errors.ts', 'check.ts', 'precision.ts']],
  ])('%s reaches only what it may', (name, allowed) => {
    for (const file of reachable(src, name)) {
      expect(
        allowed.some((prefix) => file.startsWith(prefix)),
        `${name} reaches ${file}`,
      ).toBe(true)
    }
  })

  it('lead from the core to no Node module and to no package', () => {
    for (const file of ['index.ts', ...reachable(src, 'index.ts')]) {
      for (const specifier of src.get(file) ?? []) expect(specifier, file).toMatch(/^\./)
    }
  })

  it('lead from the core to no file format and to no checksum', () => {
    const core = [...reachable(src, 'index.ts')]
    expect(core.filter((file) => /^(index-|checksum|storage|format\/(?!half))/.test(file))).toEqual([])
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

  it('let only workspace.ts and debug.ts open WebAssembly', () => {
    for (const name of src.keys()) {
      if (['workspace.ts', 'debug.ts', 'wasm.d.ts'].includes(name)) continue
      expect(readFileSync(`src/${name}`, 'utf8'), name).not.toMatch(/WebAssembly\.(Module|Instance|Memory)/)
    }
  })
})
