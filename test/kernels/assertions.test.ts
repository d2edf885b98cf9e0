import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { TILE_ROWS } from '../../src/kernels.js'
import { referenceKernels } from '../../src/reference.js'
import { openBuild } from './open.js'

/** An address in the second page of three. */
const P = 65_536

describe('the debug build', () => {
  const kernels = openBuild('debug', new WebAssembly.Memory({ initial: 3, maximum: 3 }))

  test('says which rule of the layout was broken, and where', () => {
    const call = () => kernels.hammingTopK(P, 1, P, 1, 12, 1, P, P, P)
    expect(call).toThrow(/^abort: rowBytes must be a multiple of 8 at assembly\/hamming\.ts:\d+/)
  })

  test('checks every kernel that takes whole steps', () => {
    expect(() => kernels.firstNonFinite(P, 17)).toThrow(/abort: floatCount must be a multiple of 16/)
    expect(() => kernels.minMax(P, 68, 1, P, P)).toThrow(/abort: valueRowBytes must be a multiple of 64/)
    expect(() => kernels.packBits(P, P, 12)).toThrow(/abort: codeBytes must be a multiple of 8/)
    expect(() => kernels.bucket(P, 64, 1, P, P, P, 17, 0)).toThrow(/abort: codeRowBytes must be a multiple of 16/)
    expect(() => kernels.bucket(P, 64, 1, P, P, P, 32, 0)).toThrow(/abort: valueRowBytes must be at least/)
    expect(() => kernels.bucketTruncate(P, 64, 1, P, P, P, 8)).toThrow(/abort: codeRowBytes must be a multiple of 16/)
    expect(() => kernels.hammingTopK(P, 1, P, 1, 8200, 1, P, P, P)).toThrow(/abort: rowBytes must be at most 8192/)
    for (const name of ['dotI8TopK', 'dotU8TopK', 'dotF32TopK', 'dotBitsTopK', 'hammingTopK'] as const) {
      expect(() => kernels[name](P, 1, P, 1, 20, 1, P, P, P)).toThrow(/abort: rowBytes must be a multiple of/)
      expect(() => kernels[name](P, 1, P, 1, 64, 0, P, P, P)).toThrow(/abort: k must be at least 1/)
    }
    for (const name of ['dotI8Rows', 'dotU8Rows', 'dotF32Rows', 'dotBitsRows'] as const) {
      expect(() => kernels[name](P, P, 20, P, 1, P)).toThrow(/abort: rowBytes must be a multiple of/)
    }
  })
})

describe('the release build', () => {
  const bytes = readFileSync(new URL('../../build/kernels.wasm', import.meta.url))
  const module = new WebAssembly.Module(bytes)

  test('imports its memory and nothing else', () => {
    expect(WebAssembly.Module.imports(module)).toEqual([{ module: 'env', name: 'memory', kind: 'memory' }])
  })

  test('exports the kernels, all of them and nothing else but the memory', () => {
    const names = WebAssembly.Module.exports(module).map(({ name }) => name)
    const twins = Object.keys(referenceKernels(new ArrayBuffer(8)))
    expect(names.sort()).toEqual([...twins, 'memory'].sort())
  })

  test('is a few kilobytes', () => {
    expect(bytes.length).toBeLessThan(24_000)
  })
})

test('the tile of the kernels is the tile the scratch is sized for', () => {
  const source = readFileSync(new URL('../../assembly/lanes.ts', import.meta.url), 'utf8')
  expect(Number(/TILE_ROWS: usize = (\d+)/.exec(source)?.[1])).toBe(TILE_ROWS)
})
