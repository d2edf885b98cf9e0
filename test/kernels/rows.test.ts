import { describe, expect, test } from 'vitest'
import type { Kernels } from '../../src/kernels/kernels.js'
import { Arena, BUILDS, randomBytes, randomFloats } from './open.js'

describe.each(BUILDS)('scores of named rows, %s build', (build) => {
  const arena = new Arena(build, 16 << 20)
  const ID_COUNTS = [0, 1, 2, 3, 7, 100]
  const ROW_COUNT = 50

  type RowsKernel = 'dotI8Rows' | 'dotU8Rows' | 'dotF32Rows'

  function scores(
    kernel: RowsKernel,
    query: Float32Array,
    rows: ArrayBufferView,
    rowBytes: number,
    ids: number[],
    shift = 0,
  ) {
    const queryPtr = arena.clear().put(query, shift)
    const rowsPtr = arena.put(rows, shift)
    const idsPtr = arena.put(Uint32Array.from(ids), shift)
    const scoresPtr = arena.space(4 * ids.length, shift)
    // Each product is at most 255 and each sum of n of them rounds a few times: well inside n · 2^-14.
    const rounded = [scoresPtr, ids.length, query.length / 2 ** 14] as const
    const call = (kernels: Kernels) => kernels[kernel](queryPtr, rowsPtr, rowBytes, idsPtr, ids.length, scoresPtr)
    arena.agree(call, { rounded })
    return arena.floats(scoresPtr, ids.length)
  }

  const idsOf = (count: number) => Array.from({ length: count }, (_, i) => (i * 37 + 11) % ROW_COUNT)

  test.each([16, 32, 48, 64, 208, 512, 8192])('8-bit rows of %i bytes', (rowBytes) => {
    const codes = randomBytes(ROW_COUNT * rowBytes, rowBytes)
    for (const idCount of ID_COUNTS) {
      const shift = [0, 1, 4][idCount % 3]
      scores('dotI8Rows', randomFloats(rowBytes, 1), codes, rowBytes, idsOf(idCount), shift)
      scores('dotU8Rows', randomFloats(rowBytes, 2), codes, rowBytes, idsOf(idCount), shift)
    }
  })

  test.each([16, 32, 48, 64, 208, 512])('float32 rows of %i dimensions', (dims) => {
    const rows = randomFloats(ROW_COUNT * dims, dims)
    for (const idCount of ID_COUNTS) {
      scores('dotF32Rows', randomFloats(dims, 3), rows, 4 * dims, idsOf(idCount), [0, 1, 4][idCount % 3])
    }
  })

  test('every dimension meets its own query value, signed and unsigned', () => {
    const query = Float32Array.from({ length: 48 }, (_, d) => d + 1)
    const codes = new Uint8Array(48 * 48)
    for (let row = 0; row < 48; row++) codes[49 * row] = 200
    const ids = Array.from({ length: 48 }, (_, row) => 47 - row)
    expect(scores('dotU8Rows', query, codes, 48, ids)).toEqual(ids.map((row) => 200 * (row + 1)))
    expect(scores('dotI8Rows', query, codes, 48, ids)).toEqual(ids.map((row) => -56 * (row + 1)))
    expect(scores('dotF32Rows', query, Float32Array.from(codes), 192, ids)).toEqual(ids.map((row) => 200 * (row + 1)))
  })

  test.each([8, 16, 48, 200])('rows of %i bytes through a table', (rowBytes) => {
    for (const idCount of ID_COUNTS) {
      const shift = [0, 1, 4][idCount % 3]
      const tablePtr = arena.clear().put(randomFloats(256 * rowBytes, 4), shift)
      const codesPtr = arena.put(randomBytes(ROW_COUNT * rowBytes, 5), shift)
      const idsPtr = arena.put(Uint32Array.from(idsOf(idCount)), shift)
      const scoresPtr = arena.space(4 * idCount, shift)
      arena.agree((kernels) => kernels.dotTableRows(tablePtr, codesPtr, rowBytes, idsPtr, idCount, scoresPtr), {
        rounded: [scoresPtr, idCount, 1e-5],
      })
    }
  })
})
