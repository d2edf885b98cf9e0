import type { Code } from './code.js'
import { copyStrided, stagedRowBytes } from './encoder.js'
import { packed } from './packed.js'

/** float32: the values themselves. */
export const float32: Code = {
  ...packed({ bits: 32, stepBytes: 64 }),
  name: 'float32',
  family: 'floats',
  keptAs: 'float32',
  savedAs: 'float32',
  array: 'Float32Array',
  isSigned: false,
  factors: 0,
  books: undefined,
  parameterBytes: () => 0,
  openEncoder({ encoder }) {
    const from = stagedRowBytes(encoder.dims)
    const to = this.stride(encoder.dims)
    return (first, count, codesPtr) => {
      const staged = encoder.bytes(encoder.stagedPtr(first), count * from)
      copyStrided(staged, from, encoder.bytes(codesPtr, count * to), to, count, to)
    }
  },
  openDecoder() {
    return (codes, offset, target) => {
      const bytes = codes.subarray(offset, offset + 4 * target.length)
      new Uint8Array(target.buffer, target.byteOffset, target.byteLength).set(bytes)
    }
  },
}
