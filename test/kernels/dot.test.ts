import { describe, expect, test } from 'vitest'
import { dotScratchBytes } from '../../src/kernels/scratch-sizes.js'
import { Arena, BUILDS, randomBytes, randomFloats, randomIntegers } from './open.js'

type Kernel = 'dotI8TopK' | 'dotU8TopK' | 'dotF32TopK'
const KERNELS: readonly Kernel[] = ['dotI8TopK', 'dotU8TopK', 'dotF32TopK']

type Numbers = number[] | Uint8Array | Int8Array | Float32Array

/** Searches rows of `dims` numbers with the build and the twin, compares every byte, and returns what was found. */
function search(arena: Arena, kernel: Kernel, queries: number[], rows: Numbers, dims: number, k: number, shift = 0) {
  const [queryCount, rowCount] = [queries.length / dims, rows.length / dims]
  const found = Math.min(k, rowCount)
  const isFloat = kernel === 'dotF32TopK'
  const Row = isFloat ? Float32Array : kernel === 'dotI8TopK' ? Int8Array : Uint8Array
  const queriesPtr = arena.clear().put(isFloat ? Float32Array.from(queries) : Int16Array.from(queries), shift)
  const rowsPtr = arena.put(rows instanceof Row ? rows : Row.from(rows), shift)
  const scratchBytes = dotScratchBytes(queryCount, k)
  const scratchPtr = arena.space(scratchBytes, shift)
  const idsPtr = arena.space(4 * queryCount * found, shift)
  const scoresPtr = arena.space(4 * queryCount * found, shift)
  const rowBytes = dims * Row.BYTES_PER_ELEMENT
  arena.agree(
    (kernels) => kernels[kernel](queriesPtr, queryCount, rowsPtr, rowCount, rowBytes, k, scratchPtr, idsPtr, scoresPtr),
    { scratch: [scratchPtr, scratchBytes] },
  )
  const scores = isFloat
    ? arena.floats(scoresPtr, queryCount * found)
    : arena.words(scoresPtr, queryCount * found).map((score) => score | 0)
  return { ids: arena.words(idsPtr, queryCount * found), scores }
}

/** Integers, so that float sums are exact whatever their order. */
function rowsFor(kernel: Kernel, count: number, seed: number): Numbers {
  const bytes = randomBytes(count, seed)
  if (kernel === 'dotU8TopK') return bytes
  return kernel === 'dotI8TopK' ? Int8Array.from(bytes) : Float32Array.from(bytes, (byte) => (byte % 19) - 9)
}

describe.each(BUILDS)('%s build', (build) => {
  const arena = new Arena(build, 16 << 20)

  describe.each(KERNELS)('%s', (kernel) => {
    test.each([16, 32, 48, 64, 96, 128, 192, 208, 512, 8192])('ranks any number of rows of %i dimensions', (dims) => {
      const limit = kernel === 'dotF32TopK' ? 9 : Math.min(32_767, Math.floor(2 ** 31 / (256 * dims)))
      for (const rowCount of [0, 1, 2, 3, 4, 5, 7, 8, 17, 63, 65, 129].filter((rows) => rows * dims < 1e6)) {
        const rows = rowsFor(kernel, rowCount * dims, rowCount)
        const queries = randomIntegers(dims, limit, dims)
        search(arena, kernel, queries, rows, dims, 10, [0, 1, 4][rowCount % 3])
      }
    })

    test.each([4095, 4096, 4097, 12_289])('ranks %i rows, across tiles', (rowCount) => {
      const rows = rowsFor(kernel, rowCount * 48, rowCount)
      for (const k of [1, 10, 1000]) search(arena, kernel, randomIntegers(96, 100, k), rows, 48, k, 1)
    })

    test.each([1, 2, 3, 17])('answers %i queries as it answers each alone', (queryCount) => {
      const rows = rowsFor(kernel, 4500 * 64, 1)
      const queries = randomIntegers(queryCount * 64, 100, 2)
      const together = search(arena, kernel, queries, rows, 64, 100)
      for (let q = 0; q < queryCount; q++) {
        const alone = search(arena, kernel, queries.slice(64 * q, 64 * q + 64), rows, 64, 100)
        expect(together.ids.slice(100 * q, 100 * q + 100)).toEqual(alone.ids)
      }
    })

    test('rows of the same score come by lower row', () => {
      const rows = new Array(9000 * 16).fill(3)
      for (const k of [1, 10, 1000, 8999, 9000]) {
        const { ids, scores } = search(arena, kernel, new Array(16).fill(-2), rows, 16, k)
        expect(ids).toEqual(Array.from({ length: k }, (_, i) => i))
        expect(new Set(scores)).toEqual(new Set([-96]))
      }
    })

    test('heavy ties at the last place are broken by row', () => {
      const rows = Array.from(rowsFor(kernel, 13_000 * 16, 3), (value, i) => (i % 16 ? 0 : value % 3))
      for (const k of [1, 7, 4000, 5000, 12_999]) search(arena, kernel, new Array(16).fill(-1), rows, 16, k)
    })

    test('gives every row when k is greater than the number of rows', () => {
      for (const rowCount of [1, 9, 300, 4100]) {
        const { ids } = search(arena, kernel, randomIntegers(32, 100, 4), rowsFor(kernel, rowCount * 32, 5), 32, 5000)
        expect(ids.sort((a, b) => a - b)).toEqual(Array.from({ length: rowCount }, (_, i) => i))
      }
    })

    test.each([1, 10, 1000])('accepts every row of an order that gets better and better, k = %i', (k) => {
      // The score of a row is its number: two digits base 100.
      const rows = Array.from({ length: 9000 * 16 }, (_, i) => {
        const row = Math.floor(i / 16)
        return i % 16 === 0 ? Math.floor(row / 100) : i % 16 === 13 ? row % 100 : 0
      })
      const query = Array.from({ length: 16 }, (_, d) => (d === 0 ? 100 : d === 13 ? 1 : 0))
      const { ids, scores } = search(arena, kernel, query, rows, 16, k)
      expect(ids).toEqual(Array.from({ length: k }, (_, i) => 8999 - i))
      expect(scores).toEqual(ids)
    })

    test('weighs every dimension with its own query value', () => {
      const rows = Array.from({ length: 96 * 96 }, (_, i) => (i % 97 === 0 ? 1 : 0))
      const query = randomIntegers(96, 1000, 6)
      const { ids, scores } = search(arena, kernel, query, rows, 96, 96)
      expect(scores).toEqual(ids.map((id) => query[id]))
    })
  })

  test.each(['dotI8TopK', 'dotU8TopK'] as const)('%s ranks more rows than caches hold', (kernel) => {
    const dims = 8192
    const all = rowsFor(kernel, 1039 * dims, 1)
    for (const rowCount of [1025, 1039]) {
      const rows = all.slice(0, rowCount * dims)
      search(arena, kernel, randomIntegers(dims, 1000, 3), rows, dims, 20, 1)
    }
  })

  test('dotI8TopK reaches both ends of int32', () => {
    const query = new Array(512).fill(-32_767)
    const rows = [...new Array(512).fill(-128), ...new Array(512).fill(127), ...new Array(512).fill(0)]
    const { ids, scores } = search(arena, 'dotI8TopK', query, rows, 512, 3)
    expect(ids).toEqual([0, 2, 1])
    expect(scores).toEqual([32_767 * 128 * 512, 0, -32_767 * 127 * 512])
  })

  test('dotI8TopK takes a least score of -2^31', () => {
    const rows = [...new Array(512).fill(-128), ...new Array(512).fill(-127)]
    const { scores } = search(arena, 'dotI8TopK', new Array(512).fill(32_767), rows, 512, 2)
    expect(scores[1]).toBe(-128 * 512 * 32_767)
    expect(
      search(arena, 'dotI8TopK', new Array(1024).fill(16_384), new Array(1024).fill(-128), 1024, 1).scores,
    ).toEqual([-(2 ** 31)])
  })

  test('dotU8TopK reads codes above 127 as positive', () => {
    const rows = Array.from({ length: 256 * 16 }, (_, i) => i >> 4)
    const { ids } = search(arena, 'dotU8TopK', new Array(16).fill(1), rows, 16, 256)
    expect(ids).toEqual(Array.from({ length: 256 }, (_, i) => 255 - i))
  })

  test('dotF32TopK ranks negative, tiny and huge scores by size, and 0 with -0', () => {
    const scores = [0, -0, 2 ** -149, -(2 ** -149), 3e38, -3e38, 1, -1, -0, 0, -1.0000001, 1.0000001]
    const rows = scores.flatMap((score) => [score, ...new Array(15).fill(-0)])
    const found = search(arena, 'dotF32TopK', [1, ...new Array(15).fill(0)], rows, 16, 12)
    expect(found.ids).toEqual([4, 11, 6, 2, 0, 1, 8, 9, 3, 7, 10, 5])
    expect(found.scores.map((score) => score + 0)).toEqual(found.ids.map((id) => Math.fround(scores[id]!) + 0))
  })

  test('dotF32TopK scores agree with sums in double to rounding', () => {
    const [dims, rowCount] = [384, 501]
    const queriesPtr = arena.clear().put(randomFloats(dims, 7))
    const rowsPtr = arena.put(randomFloats(dims * rowCount, 8))
    const scratchBytes = dotScratchBytes(1, 20)
    const scratchPtr = arena.space(scratchBytes)
    const idsPtr = arena.space(80)
    const scoresPtr = arena.space(80)
    arena.agree(
      (kernels) => kernels.dotF32TopK(queriesPtr, 1, rowsPtr, rowCount, 4 * dims, 20, scratchPtr, idsPtr, scoresPtr),
      { scratch: [scratchPtr, scratchBytes], rounded: [scoresPtr, 20, 2e-5] },
    )
  })
})
