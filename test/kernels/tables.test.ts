import { describe, expect, test } from 'vitest'
import { dotScratchBytes } from '../../src/kernels.js'
import { Arena, BUILDS, randomBytes, randomFloats, randomIntegers } from './open.js'

describe.each(BUILDS)('scores by a float32 table a byte, %s build', (build) => {
  const arena = new Arena(build, 24 << 20)

  /** Tables of small integers, whose sums are exact. */
  function putTables(rowBytes: number, queryCount: number, shift: number): number {
    const nibbles = Float32Array.from(randomIntegers(queryCount * rowBytes * 32, 99, rowBytes))
    const nibblesPtr = arena.put(nibbles, shift)
    const tablesPtr = arena.space(queryCount * rowBytes * 1024, shift)
    arena.agree((kernels) => kernels.expandTable(nibblesPtr, queryCount * rowBytes, tablesPtr))
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
        kernels.dotTableTopK(tablesPtr, queryCount, codesPtr, rowCount, rowBytes, k, scratchPtr, idsPtr, scoresPtr),
      { scratch: [scratchPtr, scratchBytes] },
    )
    return { ids: arena.words(idsPtr, queryCount * found), scores: arena.floats(scoresPtr, queryCount * found) }
  }

  test.each([8, 16, 48, 1024])('expandTable of %i bytes is the twin bit for bit', (rowBytes) => {
    for (const shift of [0, 1, 4]) {
      const nibblesPtr = arena.clear().put(randomFloats(32 * rowBytes, rowBytes), shift)
      const tablePtr = arena.space(1024 * rowBytes, shift)
      arena.agree((kernels) => kernels.expandTable(nibblesPtr, rowBytes, tablePtr))
    }
  })

  test('expandTable adds the entries of both nibbles of every value of every byte', () => {
    // High nibble h of byte b: 10,000 b + 100 h; low nibble: h.
    const nibbles = Float32Array.from({ length: 8 * 32 }, (_, i) =>
      i % 32 < 16 ? 10_000 * (i >> 5) + 100 * (i % 16) : i % 16,
    )
    const nibblesPtr = arena.clear().put(nibbles)
    const tablePtr = arena.space(8192)
    arena.agree((kernels) => kernels.expandTable(nibblesPtr, 8, tablePtr))
    const expected = (_: unknown, i: number) => 10_000 * (i >> 8) + 100 * ((i >> 4) & 15) + (i & 15)
    expect(arena.floats(tablePtr, 2048)).toEqual(Array.from({ length: 2048 }, expected))
  })

  test.each([8, 16, 24, 48, 64, 96, 128, 192, 200, 512])('dotTableTopK ranks rows of %i bytes', (rowBytes) => {
    for (const rowCount of [0, 1, 2, 3, 5, 7, 17, 129]) {
      search(rowBytes, 2, randomBytes(rowCount * rowBytes, rowCount), 10, [0, 1, 4][rowCount % 3])
    }
  })

  test.each([4095, 4096, 4097, 12_289])('dotTableTopK ranks %i rows, across tiles', (rowCount) => {
    for (const k of [1, 10, 1000, 13_000]) search(24, 3, randomBytes(rowCount * 24, rowCount), k, 1)
  })

  test('dotTableTopK breaks ties by lower row', () => {
    const { ids } = search(8, 1, new Uint8Array(9000 * 8).fill(0x5a), 1000)
    expect(ids).toEqual(Array.from({ length: 1000 }, (_, i) => i))
  })

  test('dotTableTopK answers many queries', () => {
    for (const queryCount of [1, 2, 3, 17]) search(48, queryCount, randomBytes(4500 * 48, 4), 100)
  })
})
