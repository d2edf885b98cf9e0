import { readFileSync } from 'node:fs'
import { runInNewContext } from 'node:vm'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { backend, init, QuantizedIndex } from '../src/index.js'

const bytes = readFileSync(new URL('../build/kernels.wasm', import.meta.url))
const rows = [
  [1, 2],
  [3, 4],
  [-1, 0.5],
]

describe('init({ module })', () => {
  afterAll(() => init({ backend: 'wasm' }))

  it.each([
    ['compiled here', new WebAssembly.Module(bytes)],
    ['compiled in another realm, as edge hosts do', runInNewContext('new WebAssembly.Module(bytes)', { bytes })],
  ])('runs the kernels of a module %s', (_title, module) => {
    init({ backend: 'typescript' })
    init({ module })
    expect(backend()).toBe('wasm')
    const index = QuantizedIndex.build(rows, { coarse: 'float32' })
    expect(index.backend).toBe('wasm')
    expect([...index.search([1, 1]).ids]).toEqual([1, 0, 2])
  })

  it.each([
    ['bytes', bytes],
    ['an instance', new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory: memory() } })],
    ['an object', {}],
    ['null', null],
  ])('refuses %s and changes nothing', (_title, module) => {
    init({ backend: 'typescript' })
    const error = expect.objectContaining({ name: 'PackvecError', code: 'INVALID_ARGUMENT', argument: 'module' })
    expect(() => init({ module: module as WebAssembly.Module, backend: 'wasm' })).toThrow(error)
    expect(backend()).toBe('typescript')
  })
})

describe('a host that compiles small modules only', () => {
  const { Module } = WebAssembly

  afterAll(() => {
    WebAssembly.Module = Module
  })

  it('encodes on wasm and searches in plain TypeScript, which backend() says from then on', async () => {
    WebAssembly.Module = class extends Module {
      constructor(source: BufferSource) {
        if (source.byteLength > 8192) throw new RangeError('WebAssembly.Module is disallowed on the main thread')
        super(source)
      }
    }
    vi.resetModules()
    const library = await import('../src/index.js')
    expect(library.backend()).toBe('wasm')
    expect([...library.quantizeEmbeddings(rows, 'ubinary').data]).toEqual([0xc0, 0xc0, 0x40])
    const index = library.QuantizedIndex.build(rows, { coarse: 'float32' })
    expect([...index.search([1, 1]).ids]).toEqual([1, 0, 2])
    expect([index.backend, library.backend()]).toEqual(['typescript', 'typescript'])
    library.init({ backend: 'wasm' })
    const refused = expect.objectContaining({ name: 'PackvecError', code: 'TOO_LARGE' })
    expect(() => library.QuantizedIndex.build(rows, { coarse: 'float32' })).toThrow(refused)
  })
})

function memory(): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: 2, maximum: 2 })
}
