import { readdirSync, readFileSync } from 'node:fs'
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
