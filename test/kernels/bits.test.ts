import { describe, expect, test } from 'vitest'
import { dotScratchBytes } from '../../src/kernels.js'
import { Arena, BUILDS, randomBytes, randomFloats, randomIntegers } from './open.js'

describe.each(BUILDS)('asymmetric scores of bits, %s build', (build) => {
  const arena = new Arena(build, 24 << 20)

  /** Tables for queries of small integers, whose sums are exact. */
  function putTables(rowBytes: number, queryCount: number, shift: number): number {
    const queriesPtr = arena.put(Float32Array.from(randomIntegers(queryCount * rowBytes * 8, 99, rowBytes)), shift)
    const tablesPtr = arena.space(queryCount * rowBytes * 1024, shift)
    arena.agree((kernels) => {
      for (let q = 0; q < queryCount; q++) {
        kernels.bitTable(queriesPtr + 32 * rowBytes * q, rowBytes, tablesPtr + 1024 * rowBytes * q)
      }
    })
    return tablesPtr
  }

  function search(rowBytes: number, queryCount: number, codes: Uint8Array, k: number, shift = 0) {
    arena.clear()
    const tablesPtr = putTables(rowBytes, queryCount, shift)
    const rowCount = codes.length / rowBytes
    const found = Math.min(k, rowCount)
    const codesPtr = arena.put(codes, shift)
    const scratchBytes = dotScratchBytes(queryCount, k)
    const scratchPtr = arena.space(scratchBytes, shift)
    const idsPtr = arena.space(4 * queryCount * found, shift)
    const scoresPtr = arena.space(4 * queryCount * found, shift)
    arena.agree(
      (kernels) =>
        kernels.dotBitsTopK(tablesPtr, queryCount, codesPtr, rowCount, rowBytes, k, scratchPtr, idsPtr, scoresPtr),
      { scratch: [scratchPtr, scratchBytes] },
    )
    return { ids: arena.words(idsPtr, queryCount * found), scores: arena.floats(scoresPtr, queryCount * found) }
  }

  test.each([8, 16, 48, 1024])('bitTable of %i bytes is the twin bit for bit', (rowBytes) => {
    for (const shift of [0, 1, 4]) {
      const queryPtr = arena.clear().put(randomFloats(8 * rowBytes, rowBytes), shift)
      const tablePtr = arena.space(1024 * rowBytes, shift)
      arena.agree((kernels) => kernels.bitTable(queryPtr, rowBytes, tablePtr))
    }
  })

  test('bitTable counts the first dimension of a byte as its top bit', () => {
    const queryPtr = arena.clear().put(Float32Array.from({ length: 64 }, (_, d) => 2 ** (d % 24)))
    const tablePtr = arena.space(8192)
    arena.agree((kernels) => kernels.bitTable(queryPtr, 8, tablePtr))
    const table = arena.floats(tablePtr, 2048)
    expect([table[0], table[0x80], table[0x01], table[0xff]]).toEqual([0, 1, 128, 255])
    expect([table[256], table[256 + 0x80], table[256 + 0x41]]).toEqual([0, 256, 2 ** 9 + 2 ** 15])
  })

  test.each([8, 16, 24, 48, 64, 96, 128, 192, 200, 512])('dotBitsTopK ranks rows of %i bytes', (rowBytes) => {
    for (const rowCount of [0, 1, 2, 3, 5, 7, 17, 129]) {
      search(rowBytes, 2, randomBytes(rowCount * rowBytes, rowCount), 10, [0, 1, 4][rowCount % 3])
    }
  })

  test.each([4095, 4096, 4097, 12_289])('dotBitsTopK ranks %i rows, across tiles', (rowCount) => {
    for (const k of [1, 10, 1000, 13_000]) search(24, 3, randomBytes(rowCount * 24, rowCount), k, 1)
  })

  test('dotBitsTopK breaks ties by lower row', () => {
    const { ids } = search(8, 1, new Uint8Array(9000 * 8).fill(0x5a), 1000)
    expect(ids).toEqual(Array.from({ length: 1000 }, (_, i) => i))
  })

  test('dotBitsTopK answers many queries', () => {
    for (const queryCount of [1, 2, 3, 17]) search(48, queryCount, randomBytes(4500 * 48, 4), 100)
  })
})
