import { describe, expect, test } from 'vitest'
import { Arena, BUILDS, type Build, randomFloats, randomIntegers } from './open.js'

const ROW_COUNTS = [0, 1, 2, 3, 4, 5, 7, 8, 9, 33]
const STRIDES = [
  [0, 0],
  [16, 1],
  [48, 4],
] as const

/** Codes of rows of `codeRowBytes`, compared with the twin's. `thresholds`: three rows as long as a row of values. */
function levels2(arena: Arena, values: Float32Array, thresholds: Float32Array, codeRowBytes: number, shift = 0) {
  const valueRowBytes = (4 * thresholds.length) / 3
  const rowCount = (4 * values.length) / valueRowBytes
  const valuesPtr = arena.clear().put(values, shift)
  const thresholdsPtr = arena.put(thresholds, shift)
  const codesPtr = arena.space(rowCount * codeRowBytes, shift)
  arena.agree((kernels) => kernels.levels2(valuesPtr, valueRowBytes, rowCount, thresholdsPtr, codesPtr, codeRowBytes))
  return arena.bytes(codesPtr, rowCount * codeRowBytes)
}

function levels4(
  arena: Arena,
  values: Float32Array,
  valueRowBytes: number,
  starts: Float32Array,
  steps: Float32Array,
  shift = 0,
) {
  const rowCount = (4 * values.length) / valueRowBytes
  const codeRowBytes = starts.length / 2
  const valuesPtr = arena.clear().put(values, shift)
  const startsPtr = arena.put(starts, shift)
  const stepsPtr = arena.put(steps, shift)
  const codesPtr = arena.space(rowCount * codeRowBytes, shift)
  arena.agree((kernels) =>
    kernels.levels4(valuesPtr, valueRowBytes, rowCount, startsPtr, stepsPtr, codesPtr, codeRowBytes),
  )
  return arena.bytes(codesPtr, rowCount * codeRowBytes)
}

/** The codes of one list of values, with the same start and step everywhere. */
function nibblesOf(build: Build, values: number[], start = 0, step = 1): number[] {
  const count = 16 * Math.ceil(values.length / 16)
  const padded = Float32Array.from({ length: count }, (_, i) => values[i] ?? start)
  const arena = new Arena(build, 1 << 17)
  const codes = levels4(arena, padded, 64, new Float32Array(16).fill(start), new Float32Array(16).fill(step))
  return [...codes].flatMap((byte) => [byte >> 4, byte & 15]).slice(0, values.length)
}

describe.each(BUILDS)('levels2, %s build', (build) => {
  const arena = new Arena(build, 4 << 20)

  test.each([8, 16, 24, 56, 96, 256])('makes rows of %i bytes like the twin', (codeRowBytes) => {
    for (const rowCount of ROW_COUNTS) {
      for (const [extra, shift] of STRIDES) {
        const rowFloats = 4 * codeRowBytes + extra
        const thresholds = randomFloats(3 * rowFloats, 3)
        levels2(arena, randomFloats(rowCount * rowFloats, rowCount), thresholds, codeRowBytes, shift)
      }
    }
  })

  test('packs the first dimension into the top bits: 0, 1, 2, 0 is 24', () => {
    const values = new Float32Array(32).fill(-1)
    values.set([-1, 0.5, 1.5, -1, 3, 3, 3, 3, 3])
    const thresholds = Float32Array.from({ length: 96 }, (_, i) => i >> 5)
    expect([...levels2(arena, values, thresholds, 8)]).toEqual([24, 255, 192, 0, 0, 0, 0, 0])
  })

  test('puts every code of every dimension into its own bits', () => {
    const thresholds = Float32Array.from({ length: 192 }, (_, i) => (i >> 6) - 0.5)
    for (let d = 0; d < 64; d++) {
      const values = new Float32Array(4 * 64).fill(-1)
      for (let code = 0; code < 4; code++) values[64 * code + d] = code - 0.75
      const codes = levels2(arena, values, thresholds, 16)
      const expected = new Uint8Array(64)
      for (let code = 0; code < 4; code++) expected[16 * code + (d >> 2)] = code << (6 - 2 * (d & 3))
      expect(codes).toEqual(expected)
    }
  })

  test('a value on a threshold lies below it, also 0 and -0, and the next one above', () => {
    const above = Math.fround(1 + 2 ** -23)
    const values = Float32Array.from([0, -0, 2 ** -149, -(2 ** -149), 1, above, 2, 3.4e38])
    const padded = new Float32Array(32).fill(-1)
    padded.set(values)
    const thresholds = Float32Array.from({ length: 96 }, (_, i) => [0, 1, 2][i >> 5]!)
    const codes = [...levels2(arena, padded, thresholds, 8)].flatMap((byte) =>
      [6, 4, 2, 0].map((at) => (byte >> at) & 3),
    )
    expect(codes.slice(0, 8)).toEqual([0, 0, 1, 0, 1, 2, 2, 3])
  })

  test('nothing lies above a threshold of infinity', () => {
    const values = new Float32Array(9 * 32).fill(3.4028234663852886e38)
    for (const infinite of [1, 2, 3]) {
      const thresholds = new Float32Array(96).fill(0).fill(Number.POSITIVE_INFINITY, 32 * (3 - infinite))
      expect(new Set(levels2(arena, values, thresholds, 8))).toEqual(new Set([0x55 * (3 - infinite)]))
    }
  })

  test('equal thresholds leave out the codes between them', () => {
    const values = Float32Array.from(randomIntegers(17 * 32, 2, 1))
    const thresholds = new Float32Array(96)
    const codes = [...levels2(arena, values, thresholds, 8)].flatMap((byte) =>
      [6, 4, 2, 0].map((at) => (byte >> at) & 3),
    )
    expect(codes).toEqual(Array.from(values, (value) => (value > 0 ? 3 : 0)))
  })
})

describe.each(BUILDS)('levels4, %s build', (build) => {
  const arena = new Arena(build, 4 << 20)

  test.each([8, 16, 24, 104, 192, 512])('makes rows of %i bytes like the twin', (codeRowBytes) => {
    for (const rowCount of ROW_COUNTS) {
      for (const [extra, shift] of STRIDES) {
        const dims = 2 * codeRowBytes
        const values = randomFloats((dims + extra) * rowCount, rowCount).map((value) => 1.2 * value)
        const starts = randomFloats(dims, 6).map((value) => value / 10 - 1)
        const steps = randomFloats(dims, 7).map((value) => (2 + value) / 15)
        levels4(arena, values, 4 * (dims + extra), starts, steps, shift)
      }
    }
  })

  test('agree with the twin on and beside the middle between every two levels', () => {
    const [start, step] = [Math.fround(-0.3), Math.fround(0.6 / 15)]
    const values = new Float32Array(16 * 3 * 4)
    const bits = new Int32Array(values.buffer)
    for (let i = 0; i < values.length; i++) {
      values[i] = start + (Math.floor(i / 3) / 2) * step
      bits[i]! += (i % 3) - 1
    }
    levels4(arena, values, 64, new Float32Array(16).fill(start), new Float32Array(16).fill(step))
  })

  test('puts the first dimension into the high nibble, each into its own', () => {
    const starts = new Float32Array(64)
    for (let d = 0; d < 64; d++) {
      const values = new Float32Array(5 * 64)
      for (let row = 0; row < 5; row++) values[64 * row + d] = 3 * row + 3
      const expected = new Uint8Array(5 * 32)
      for (let row = 0; row < 5; row++) expected[32 * row + (d >> 1)] = (3 * row + 3) << (d & 1 ? 0 : 4)
      expect(levels4(arena, values, 256, starts, new Float32Array(64).fill(1))).toEqual(expected)
    }
  })

  test('a value halfway between two levels goes to the even one', () => {
    const halves = Array.from({ length: 16 }, (_, i) => i - 0.5)
    expect(nibblesOf(build, halves)).toEqual([0, 0, 2, 2, 4, 4, 6, 6, 8, 8, 10, 10, 12, 12, 14, 14])
    expect(nibblesOf(build, [0.49999997, 0.50000006, 1.4999999, 14.499999, 14.500001, 15.5])).toEqual([
      0, 1, 1, 14, 15, 15,
    ])
  })

  test('saturates on both sides, from just outside to infinity', () => {
    const far = 3.4e38
    expect(nibblesOf(build, [-0.6, -1, -4e4, -4e9, -far])).toEqual([0, 0, 0, 0, 0])
    expect(nibblesOf(build, [15.6, 16, 16.5, 255, 256, 4e4, 4e9, far])).toEqual(new Array(8).fill(15))
    expect(nibblesOf(build, [far, -far], -far, 1e36)).toEqual([15, 0])
    expect(nibblesOf(build, [far, -far], far, 1e36)).toEqual([0, 0])
  })

  test('divides by denormal steps without flushing them to zero', () => {
    const step = 2 ** -149
    expect(nibblesOf(build, [0, step, 2 * step, 14 * step, 15 * step, 16 * step, 1], 0, step)).toEqual([
      0, 1, 2, 14, 15, 15, 15,
    ])
  })
})
