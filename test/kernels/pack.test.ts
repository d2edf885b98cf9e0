import { describe, expect, test } from 'vitest'
import { Arena, BUILDS, randomFloats } from './open.js'

describe.each(BUILDS)('packBits, %s build', (build) => {
  const arena = new Arena(build, 4 << 20)

  test.each([8, 16, 24, 40, 48, 56, 64, 96, 128, 192, 200, 512, 8192, 8 * 4097])(
    'packs %i bytes like the twin',
    (codeBytes) => {
      for (const shift of [0, 1, 4]) {
        arena.clear()
        const valuesPtr = arena.put(randomFloats(8 * codeBytes, codeBytes), shift)
        const codesPtr = arena.space(codeBytes, shift)
        arena.agree((kernels) => kernels.packBits(valuesPtr, codesPtr, codeBytes))
      }
    },
  )

  test('packs nothing when there is nothing', () => {
    const codesPtr = arena.clear().space(0)
    arena.agree((kernels) => kernels.packBits(codesPtr, codesPtr, 0))
  })

  test('puts the first value in the top bit of the first byte', () => {
    for (let dim = 0; dim < 128; dim++) {
      const values = new Float32Array(128).fill(-1)
      values[dim] = 1
      const valuesPtr = arena.clear().put(values)
      const codesPtr = arena.space(16)
      arena.agree((kernels) => kernels.packBits(valuesPtr, codesPtr, 16))
      const expected = new Uint8Array(16)
      expected[dim >> 3] = 0x80 >> (dim & 7)
      expect(arena.bytes(codesPtr, 16)).toEqual(expected)
    }
  })

  test('sets a bit for positive values only: not for 0, -0, negatives or NaN, but for the least denormal', () => {
    const tiny = 2 ** -149
    const edges = [0, -0, tiny, -tiny, 2 ** -126, -(2 ** -126), 3.4e38, -3.4e38, 1, -1, Number.NaN, 1 / 0, -1 / 0]
    // Each of 13 edges passes through every one of 16 positions of a step, because 13 and 16 share no factor.
    const values = Float32Array.from({ length: 13 * 64 }, (_, i) => edges[i % 13]!)
    const valuesPtr = arena.clear().put(values)
    const codesPtr = arena.space(13 * 8)
    arena.agree((kernels) => kernels.packBits(valuesPtr, codesPtr, 13 * 8))
    const codes = arena.bytes(codesPtr, 13 * 8)
    const bits = Array.from(values, (_, i) => (codes[i >> 3]! >> (7 - (i & 7))) & 1)
    expect(bits).toEqual(Array.from(values, (value) => (value > 0 ? 1 : 0)))
  })
})
