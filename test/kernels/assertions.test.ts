import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { referenceEncodeKernels } from '../../src/kernels/reference/encode.js'
import { referenceKernels } from '../../src/kernels/reference/reference.js'
import {
  bestScratchBytes,
  dotScratchBytes,
  hammingScratchBytes,
  TILE_ROWS,
  tableScratchBytes,
} from '../../src/kernels/scratch-sizes.js'
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
    expect(() => kernels.levels2(P, 128, 1, P, P, 4)).toThrow(/abort: codeRowBytes must be a multiple of 8/)
    expect(() => kernels.levels2(P, 64, 1, P, P, 8)).toThrow(/abort: valueRowBytes must be at least 16 codeRowBytes/)
    expect(() => kernels.levels4(P, 128, 1, P, P, P, 12)).toThrow(/abort: codeRowBytes must be a multiple of 8/)
    expect(() => kernels.levels4(P, 32, 1, P, P, P, 8)).toThrow(/abort: valueRowBytes must be at least 8 codeRowBytes/)
    expect(() => kernels.dotPairsTopK(P, 1, P, 1, 20, 1, 2, 4, P, P, P)).toThrow(/abort: rowBytes must be a multiple/)
    expect(() => kernels.dotPairsTopK(P, 1, P, 1, 8, 0, 2, 4, P, P, P)).toThrow(/abort: k must be at least 1/)
    expect(() => kernels.dotPairsTopK(P, 1, P, 1, 8, 1, 4, 4, P, P, P)).toThrow(/abort: centre2 must be 2 or 3/)
    expect(() => kernels.hammingTopK(P, 1, P, 1, 8200, 1, P, P, P)).toThrow(/abort: rowBytes must be at most 8192/)
    for (const name of [
      'dotI8TopK',
      'dotU8TopK',
      'dotF32TopK',
      'scanTableTopK',
      'hammingTopK',
      'hammingTopKLanes',
    ] as const) {
      expect(() => kernels[name](P, 1, P, 1, 20, 1, P, P, P)).toThrow(/abort: rowBytes must be a multiple of/)
      expect(() => kernels[name](P, 1, P, 1, 64, 0, P, P, P)).toThrow(/abort: k must be at least 1/)
    }
    expect(() => kernels.hammingTopKLanes(P, 1, P, 1, 8200, 1, P, P, P)).toThrow(/abort: rowBytes must be at most 8192/)
    expect(() => kernels.selectBest(P, P, 1, 0, P, P, P)).toThrow(/abort: k must be at least 1/)
    for (const name of ['dotI8Rows', 'dotU8Rows', 'dotF32Rows', 'dotTableRows', 'dotNibblesRows'] as const) {
      expect(() => kernels[name](P, P, 20, P, 1, P)).toThrow(/abort: rowBytes must be a multiple of/)
    }
  })
})

test('the debug build refuses tables whose entries or sums are too large', () => {
  const memory = new WebAssembly.Memory({ initial: 8, maximum: 8 })
  const kernels = openBuild('debug', memory)
  const search = (rowBytes: number, entry: number) => {
    new Uint8Array(memory.buffer, P, 32 * rowBytes).fill(entry)
    kernels.scanTableTopK(P, 1, P, 0, rowBytes, 1, 4 * P, P, P)
  }
  expect(() => search(8, 64)).toThrow(/abort: the greatest entries of the four tables .* at most 255/)
  expect(() => search(1024, 32)).toThrow(/abort: sums must be at most 65,535/)
  expect(() => search(8, 63)).not.toThrow()
})

test('the debug build refuses queries whose sums could leave an int32', () => {
  const memory = new WebAssembly.Memory({ initial: 12, maximum: 12 })
  const kernels = openBuild('debug', memory)
  const [dims, least] = [66_000, -(2 ** 31)]
  const search = (kernel: 'dotI8TopK' | 'dotU8TopK', values: number, count: number, start: number) => {
    new Int16Array(memory.buffer, P, dims).fill(0).fill(values, 0, count)
    kernels[kernel](P, 1, 8 * P, 0, dims, 1, 9 * P, 10 * P, 11 * P, 0, 0, 0, start)
  }
  // 65,535 products of 255 and 255 leave an int32, and stay in one that is counted from its least value.
  expect(() => search('dotU8TopK', 255, 33_025, 0)).not.toThrow()
  expect(() => search('dotU8TopK', 255, 33_026, 0)).toThrow(/abort: sums must fit an int32/)
  expect(() => search('dotU8TopK', 255, 65_535, least)).not.toThrow()
  expect(() => search('dotU8TopK', -1, 1, least)).toThrow(/abort: sums must fit an int32/)
  expect(() => search('dotI8TopK', 128, 65_535, 0)).not.toThrow()
  expect(() => search('dotI8TopK', 257, 65_535, 0)).toThrow(/abort: sums must fit an int32/)
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

  test('lies in the bundles as two parts, which have no kernel in common', () => {
    const [encode, search] = ['encode', 'search'].map((name) => {
      const part = new WebAssembly.Module(readFileSync(`build/${name}.wasm`))
      expect(WebAssembly.Module.imports(part)).toEqual(WebAssembly.Module.imports(module))
      return WebAssembly.Module.exports(part).map(({ name }) => name)
    })
    expect(encode!.sort()).toEqual([...Object.keys(referenceEncodeKernels(new ArrayBuffer(8))), 'memory'].sort())
    const kernels = Object.keys(referenceKernels(new ArrayBuffer(8)))
    expect(search!.sort()).toEqual([...kernels.filter((name) => !encode!.includes(name)), 'memory'].sort())
  })

  test('is a few kilobytes', () => {
    expect(bytes.length).toBeLessThan(34_500)
  })
})

describe('the scratch', () => {
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 2 })
  const sizes = openBuild('debug', memory) as unknown as {
    readonly TILE_ROWS: WebAssembly.Global
    readonly COLUMN_BYTES: WebAssembly.Global
    heapBytes(k: number): number
    nearestBytes(k: number, counterCount: number): number
    preparedBytes(rowBytes: number): number
  }
  const tileRows = Number(sizes.TILE_ROWS.value)
  const columnBytes = Number(sizes.COLUMN_BYTES.value)

  test('has the tiles of the kernels', () => {
    expect(tileRows).toBe(TILE_ROWS)
  })

  test.each([
    [1, 1, 8],
    [3, 10, 48],
    [2, 100, 128],
    [7, 5000, 1536],
    [1, 20_000, 8192],
  ])('is as large as the kernels lay it out for %i queries, k of %i, rows of %i bytes', (queries, k, rowBytes) => {
    const heap = sizes.heapBytes(k)
    expect(bestScratchBytes(k)).toBe(heap)
    expect(dotScratchBytes(queries, k)).toBe(4 * tileRows + queries * heap)
    const nearest = (greatest: number) => sizes.nearestBytes(k, greatest + 2)
    expect(hammingScratchBytes(queries, k, rowBytes)).toBe(2 * tileRows + queries * nearest(8 * rowBytes))
    const state = 4 + sizes.preparedBytes(rowBytes) + nearest(Math.min(128 * rowBytes, 65_535))
    const shared = 2 * tileRows + Math.max(columnBytes, 16 * rowBytes)
    expect(tableScratchBytes(queries, k, rowBytes)).toBe(shared + queries * state)
  })
})
