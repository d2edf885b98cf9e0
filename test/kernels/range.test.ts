import { describe, expect, test } from 'vitest'
import { Arena, BUILDS, randomFloats } from './open.js'

describe.each(BUILDS)('minMax, %s build', (build) => {
  const arena = new Arena(build, 8 << 20)

  test.each([16, 32, 48, 400, 1024])('follows the extremes of %i dimensions for any number of rows', (dims) => {
    for (const rowCount of [0, 1, 2, 3, 4, 5, 7, 8, 9, 130]) {
      for (const shift of [0, 1, 4]) {
        arena.clear()
        const valuesPtr = arena.put(randomFloats(dims * rowCount, rowCount), shift)
        const minsPtr = arena.put(randomFloats(dims, 1), shift)
        const maxsPtr = arena.put(randomFloats(dims, 2), shift)
        arena.agree((kernels) => kernels.minMax(valuesPtr, 4 * dims, rowCount, minsPtr, maxsPtr))
      }
    }
  })

  test('starts from infinities and finds each extreme in whichever row it stands', () => {
    for (let row = 0; row < 11; row++) {
      const values = new Float32Array(11 * 16).fill(0.5)
      for (let d = 0; d < 16; d++) values[16 * row + d] = d % 2 ? 3 + d : -3 - d
      const valuesPtr = arena.clear().put(values)
      const minsPtr = arena.put(new Float32Array(16).fill(1 / 0))
      const maxsPtr = arena.put(new Float32Array(16).fill(-1 / 0))
      arena.agree((kernels) => kernels.minMax(valuesPtr, 64, 11, minsPtr, maxsPtr))
      expect(arena.floats(minsPtr, 16)).toEqual(Array.from({ length: 16 }, (_, d) => (d % 2 ? 0.5 : -3 - d)))
      expect(arena.floats(maxsPtr, 16)).toEqual(Array.from({ length: 16 }, (_, d) => (d % 2 ? 3 + d : 0.5)))
    }
  })
})

describe.each(BUILDS)('minMax beside NaN, %s build', (build) => {
  const arena = new Arena(build, 1 << 18)

  test('keeps the extremes of the other rows', () => {
    for (let row = 0; row < 11; row++) {
      const valuesPtr = arena.clear().put(randomFloats(11 * 16, row).fill(Number.NaN, 16 * row, 16 * row + 16))
      const minsPtr = arena.put(new Float32Array(16).fill(1 / 0))
      const maxsPtr = arena.put(new Float32Array(16).fill(-1 / 0))
      arena.agree((kernels) => kernels.minMax(valuesPtr, 64, 11, minsPtr, maxsPtr))
    }
  })
})

describe.each(BUILDS)('firstNonFinite, %s build', (build) => {
  const arena = new Arena(build, 1 << 20)

  test.each([0, 16, 32, 48, 64, 80, 1008, 16_384, 16_400, 49_232])('is -1 for %i finite values', (count) => {
    const values = randomFloats(count, 3)
    values.set([3.4028234663852886e38, -3.4028234663852886e38, 2 ** -149, -0].slice(0, count))
    for (const shift of [0, 1, 4]) {
      const valuesPtr = arena.clear().put(values, shift)
      expect(arena.agree((kernels) => kernels.firstNonFinite(valuesPtr, count))).toBe(-1)
    }
  })

  test.each([Number.NaN, 1 / 0, -1 / 0])('finds %d at every position, and the first of two', (bad) => {
    for (let position = 0; position < 176; position++) {
      const values = randomFloats(176, 4)
      values[position] = bad
      const valuesPtr = arena.clear().put(values, position % 5)
      expect(arena.agree((kernels) => kernels.firstNonFinite(valuesPtr, 176))).toBe(position)
      values[175] = bad
      const againPtr = arena.put(values)
      expect(arena.agree((kernels) => kernels.firstNonFinite(againPtr, 176))).toBe(position)
    }
  })

  test('finds one behind a whole block, in each stream of it and in the tail', () => {
    for (const position of [16_383, 16_384, 20_479, 20_480, 24_576, 28_672, 32_767, 32_768, 33_999]) {
      const values = randomFloats(34_000, 5)
      values[position] = Number.NaN
      const valuesPtr = arena.clear().put(values)
      expect(arena.agree((kernels) => kernels.firstNonFinite(valuesPtr, 34_000))).toBe(position)
    }
  })

  test('does not look beyond the last value', () => {
    const valuesPtr = arena.clear().put(new Float32Array(96).fill(Number.NaN).fill(1, 16, 80)) + 64
    expect(arena.agree((kernels) => kernels.firstNonFinite(valuesPtr, 64))).toBe(-1)
  })
})
