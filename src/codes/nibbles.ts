import type { Code } from './code.js'
import { stagedRowBytes } from './encoder.js'
import { levelBooks } from './level-books.js'
import type { Levels } from './levels.js'
import { packed } from './packed.js'

/** 16 levels at equal steps, two codes to a byte. */
export const int4: Code = {
  ...packed({ bits: 4, stepBytes: 8 }),
  name: 'int4',
  family: 'nibbles',
  keptAs: 'int4',
  savedAs: 'int4',
  array: 'Uint8Array',
  isSigned: false,
  factors: 1,
  books: levelBooks('int4', { thresholds: 2, values: 16 }),
  parameterBytes: (dims) => 2 * stagedRowBytes(dims),
  openEncoder({ encoder, parametersPtr, book }) {
    const { dims, kernels } = encoder
    const [rowBytes, stride] = [stagedRowBytes(dims), this.stride(dims)]
    encoder.setBuckets(parametersPtr, (book as Levels).buckets, 0)
    return (first, count, codesPtr) =>
      kernels.levels4(
        ...([encoder.stagedPtr(first), rowBytes, count, parametersPtr, parametersPtr + rowBytes] as const),
        ...([codesPtr, stride] as const),
      )
  },
  openDecoder(book) {
    const levels = (book as Levels).table
    return (codes, offset, target) => {
      for (let d = 0; d < target.length; d++)
        target[d] = levels[(codes[offset + (d >> 1)]! >> (4 - 4 * (d & 1))) & 15]![d]!
    }
  },
  bounds(book) {
    const [mins, maxs] = (book as Levels).cuts
    return { mins: mins!, maxs: maxs! }
  },
  edgeShare(bytes) {
    let edges = 0
    for (const byte of bytes) for (const code of [byte >> 4, byte & 15]) if (code === 0 || code === 15) edges++
    return bytes.length === 0 ? 0 : edges / (2 * bytes.length)
  },
}
