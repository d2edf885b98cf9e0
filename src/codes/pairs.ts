import type { Code } from './code.js'
import { stagedRowBytes } from './encoder.js'
import { levelBooks } from './level-books.js'
import type { LevelPrecision, Levels } from './levels.js'
import { packed } from './packed.js'

/** 2-bit codes, four to a byte: a code counts the thresholds that a value lies above, and decodes to its level. */
function pairs(name: LevelPrecision, counts: { readonly thresholds: number; readonly values: number }): Code {
  return {
    ...packed({ bits: 2, stepBytes: 8 }),
    name,
    family: 'pairs',
    keptAs: name,
    savedAs: name,
    array: 'Uint8Array',
    isSigned: false,
    factors: 1,
    books: levelBooks(name, counts),
    parameterBytes: (dims) => 3 * stagedRowBytes(dims),
    openEncoder({ encoder, parametersPtr, book }) {
      const { dims, kernels } = encoder
      const [rowBytes, stride] = [stagedRowBytes(dims), this.stride(dims)]
      // No value lies above a threshold that is not set.
      encoder.floats(parametersPtr, (3 * rowBytes) / 4).fill(Number.POSITIVE_INFINITY)
      for (const [i, row] of (book as Levels).cuts.entries())
        encoder.floats(parametersPtr + i * rowBytes, dims).set(row)
      return (first, count, codesPtr) =>
        kernels.levels2(encoder.stagedPtr(first), rowBytes, count, parametersPtr, codesPtr, stride)
    },
    openDecoder(book) {
      const levels = (book as Levels).table
      return (codes, offset, target) => {
        for (let d = 0; d < target.length; d++) {
          const code = (codes[offset + (d >> 2)]! >> (6 - 2 * (d & 3))) & 3
          target[d] = levels[code]?.[d] ?? 0
        }
      }
    },
  }
}

export const ternary = pairs('ternary', { thresholds: 2, values: 3 })
export const quaternary = pairs('quaternary', { thresholds: 3, values: 4 })
