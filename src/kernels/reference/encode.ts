import type { EncodeKernels } from '../encode-kernels.js'
import { referenceMemory } from './memory.js'

/** The kernels that encode, in plain TypeScript. */
export function referenceEncodeKernels(buffer: ArrayBuffer): EncodeKernels {
  const { floats, int8, uint8, write } = referenceMemory(buffer)

  return {
    firstNonFinite(valuesPtr, floatCount) {
      return floats(valuesPtr, floatCount).findIndex((value) => !Number.isFinite(value))
    },

    minMax(valuesPtr, valueRowBytes, rowCount, minsPtr, maxsPtr) {
      const dims = valueRowBytes / 4
      const values = floats(valuesPtr, rowCount * dims)
      const mins = floats(minsPtr, dims)
      const maxs = floats(maxsPtr, dims)
      for (let i = 0; i < values.length; i++) {
        if (values[i]! < mins[i % dims]!) mins[i % dims] = values[i]!
        if (values[i]! > maxs[i % dims]!) maxs[i % dims] = values[i]!
      }
      write(minsPtr, mins)
      write(maxsPtr, maxs)
    },

    packBits(valuesPtr, codesPtr, codeBytes) {
      const values = floats(valuesPtr, 8 * codeBytes)
      const codes = uint8(codesPtr, codeBytes).fill(0)
      for (let i = 0; i < values.length; i++) if (values[i]! > 0) codes[i >> 3]! |= 0x80 >> (i & 7)
    },

    bucket(valuesPtr, valueRowBytes, rowCount, startsPtr, stepsPtr, codesPtr, codeRowBytes, flip) {
      const starts = floats(startsPtr, codeRowBytes)
      const steps = floats(stepsPtr, codeRowBytes)
      for (let row = 0; row < rowCount; row++) {
        const values = floats(valuesPtr + row * valueRowBytes, codeRowBytes)
        const codes = uint8(codesPtr + row * codeRowBytes, codeRowBytes)
        for (let d = 0; d < codeRowBytes; d++) {
          const level = Math.floor(scaled(values[d]!, starts[d]!, steps[d]!))
          codes[d] = Math.max(0, Math.min(255, level)) ^ flip
        }
      }
    },

    bucketTruncate(valuesPtr, valueRowBytes, rowCount, startsPtr, stepsPtr, codesPtr, codeRowBytes) {
      const starts = floats(startsPtr, codeRowBytes)
      const steps = floats(stepsPtr, codeRowBytes)
      for (let row = 0; row < rowCount; row++) {
        const values = floats(valuesPtr + row * valueRowBytes, codeRowBytes)
        const codes = int8(codesPtr + row * codeRowBytes, codeRowBytes)
        for (let d = 0; d < codeRowBytes; d++) {
          const level = Math.trunc(Math.fround(scaled(values[d]!, starts[d]!, steps[d]!) - 128))
          codes[d] = Math.max(-128, Math.min(127, level))
        }
      }
    },

    levels2(valuesPtr, valueRowBytes, rowCount, thresholdsPtr, codesPtr, codeRowBytes) {
      const dims = 4 * codeRowBytes
      const thresholds = [0, 1, 2].map((i) => floats(thresholdsPtr + i * valueRowBytes, dims))
      for (let row = 0; row < rowCount; row++) {
        const values = floats(valuesPtr + row * valueRowBytes, dims)
        const codes = uint8(codesPtr + row * codeRowBytes, codeRowBytes).fill(0)
        for (const [d, value] of values.entries()) {
          let code = 0
          for (const threshold of thresholds) if (value > threshold[d]!) code++
          codes[d >> 2]! |= code << (6 - 2 * (d & 3))
        }
      }
    },

    levels4(valuesPtr, valueRowBytes, rowCount, startsPtr, stepsPtr, codesPtr, codeRowBytes) {
      const dims = 2 * codeRowBytes
      const starts = floats(startsPtr, dims)
      const steps = floats(stepsPtr, dims)
      for (let row = 0; row < rowCount; row++) {
        const values = floats(valuesPtr + row * valueRowBytes, dims)
        const codes = uint8(codesPtr + row * codeRowBytes, codeRowBytes).fill(0)
        for (let d = 0; d < dims; d++) {
          const code = Math.max(0, Math.min(15, nearestEven(scaled(values[d]!, starts[d]!, steps[d]!))))
          codes[d >> 1]! |= code << (4 - 4 * (d & 1))
        }
      }
    },
  }
}

/** (x - start) / step with float32 rounding at both steps. */
function scaled(value: number, start: number, step: number): number {
  return Math.fround(Math.fround(value - start) / step)
}

/** The nearest integer, halves to the even one. */
function nearestEven(value: number): number {
  const below = Math.floor(value)
  const rest = value - below
  return rest > 0.5 || (rest === 0.5 && below % 2 !== 0) ? below + 1 : below
}
