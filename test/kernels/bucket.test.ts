import { describe, expect, test } from 'vitest'
import { Arena, BUILDS, type Build, randomFloats } from './open.js'

const ROW_COUNTS = [0, 1, 2, 3, 4, 5, 7, 8, 9, 33]

/** Codes of the three kernels for one table of values, each compared with the twin. */
function bucketAll(
  arena: Arena,
  values: Float32Array,
  starts: Float32Array,
  steps: Float32Array,
  extra = 0,
  shift = 0,
) {
  const dims = starts.length
  const rowCount = values.length / (dims + extra)
  const valuesPtr = arena.clear().put(values, shift)
  const startsPtr = arena.put(starts, shift)
  const stepsPtr = arena.put(steps, shift)
  const outputs = [0, 1, 2].map(() => arena.space(rowCount * dims, shift))
  const [unsignedPtr, signedPtr, truncatedPtr] = outputs as [number, number, number]
  const rowBytes = 4 * (dims + extra)
  arena.agree((kernels) => {
    kernels.bucket(valuesPtr, rowBytes, rowCount, startsPtr, stepsPtr, unsignedPtr, dims, 0)
    kernels.bucket(valuesPtr, rowBytes, rowCount, startsPtr, stepsPtr, signedPtr, dims, 0x80)
    kernels.bucketTruncate(valuesPtr, rowBytes, rowCount, startsPtr, stepsPtr, truncatedPtr, dims)
  })
  return {
    unsigned: [...arena.bytes(unsignedPtr, rowCount * dims)],
    signed: [...new Int8Array(arena.bytes(signedPtr, rowCount * dims).buffer)],
    truncated: [...new Int8Array(arena.bytes(truncatedPtr, rowCount * dims).buffer)],
  }
}

/** One value a lane of sixteen, with start 0 and step 1. */
function codesOf(build: Build, values: number[], start = 0, step = 1) {
  const rows = Math.ceil(values.length / 16)
  const padded = Float32Array.from({ length: 16 * rows }, (_, i) => values[i] ?? start)
  const all = bucketAll(
    new Arena(build, 1 << 17),
    padded,
    new Float32Array(16).fill(start),
    new Float32Array(16).fill(step),
  )
  const first = (codes: number[]) => codes.slice(0, values.length)
  return { unsigned: first(all.unsigned), signed: first(all.signed), truncated: first(all.truncated) }
}

describe.each(BUILDS)('bucket and bucketTruncate, %s build', (build) => {
  const arena = new Arena(build, 4 << 20)

  test.each([16, 32, 48, 208, 384, 1024])('quantize rows of %i dimensions bit for bit like the twin', (dims) => {
    for (const rowCount of ROW_COUNTS) {
      for (const [extra, shift] of [
        [0, 0],
        [16, 1],
        [48, 4],
      ] as const) {
        const values = randomFloats((dims + extra) * rowCount, rowCount).map((value) => 1.2 * value)
        const starts = randomFloats(dims, 6).map((value) => value / 10 - 1)
        const steps = randomFloats(dims, 7).map((value) => (2 + value) / 255)
        bucketAll(arena, values, starts, steps, extra, shift)
      }
    }
  })

  test('agree with the twin on and beside every edge of every bucket', () => {
    const [start, step] = [Math.fround(-0.3), Math.fround(0.6 / 255)]
    const values = new Float32Array(16 * 3 * 17)
    const bits = new Int32Array(values.buffer)
    for (let i = 0; i < values.length; i++) {
      values[i] = start + Math.floor(i / 3) * step
      bits[i]! += (i % 3) - 1
    }
    bucketAll(arena, values, new Float32Array(16).fill(start), new Float32Array(16).fill(step))
  })

  test('floor, and 128 less for int8; truncation towards the middle is the older rounding', () => {
    const { unsigned, signed, truncated } = codesOf(build, [0, 0.5, 1, 1.99, 127.5, 128.5, 254.999, 255])
    expect(unsigned).toEqual([0, 0, 1, 1, 127, 128, 254, 255])
    expect(signed).toEqual([-128, -128, -127, -127, -1, 0, 126, 127])
    expect(truncated).toEqual([-128, -127, -127, -126, 0, 0, 126, 127])
  })

  test('saturate on both sides, from just outside to infinity', () => {
    const far = 3.4e38
    const { unsigned, signed, truncated } = codesOf(build, [-0.1, -1, -4e4, -4e9, -far, 256, 300, 4e4, 4e9, far])
    expect(unsigned).toEqual([0, 0, 0, 0, 0, 255, 255, 255, 255, 255])
    expect(signed).toEqual([-128, -128, -128, -128, -128, 127, 127, 127, 127, 127])
    expect(truncated).toEqual(signed)
  })

  test('saturate where x - start overflows to infinity', () => {
    expect(codesOf(build, [3e38, -3e38], -3e38, 1e36).unsigned).toEqual([255, 0])
    expect(codesOf(build, [3e38, -3e38], 3e38, 1e36)).toEqual({
      unsigned: [0, 0],
      signed: [-128, -128],
      truncated: [-128, -128],
    })
  })

  test('give the lowest code for infinity over an infinite step', () => {
    expect(codesOf(build, [3e38], -3e38, 1 / 0)).toEqual({ unsigned: [0], signed: [-128], truncated: [0] })
  })

  test('divide by denormal steps without flushing them to zero', () => {
    const step = 2 ** -149
    expect(codesOf(build, [0, step, 2 * step, 200 * step, 255 * step, 256 * step, 1], 0, step).unsigned).toEqual([
      0, 1, 2, 200, 255, 255, 255,
    ])
  })
})
