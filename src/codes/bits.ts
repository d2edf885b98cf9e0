import type { Code } from './code.js'
import { flipSigns, packed } from './packed.js'

const bits: Omit<Code, 'name' | 'array' | 'isSigned'> = {
  ...packed({ bits: 1, stepBytes: 8 }),
  family: 'bits',
  keptAs: 'ubinary',
  savedAs: 'binary',
  factors: 1,
  books: undefined,
  parameterBytes: () => 0,
  openEncoder({ encoder }) {
    const stride = this.stride(encoder.dims)
    return (first, count, codesPtr) => {
      encoder.kernels.packBits(encoder.stagedPtr(first), codesPtr, count * stride)
      if ((this as Code).isSigned) flipSigns(encoder.bytes(codesPtr, count * stride))
    }
  },
  /** Bits decode to +1 and -1. */
  openDecoder() {
    const flip = (this as Code).isSigned ? 0x80 : 0
    return (codes, offset, target) => {
      for (let d = 0; d < target.length; d++) {
        target[d] = ((codes[offset + (d >> 3)]! ^ flip) >> (7 - (d & 7))) & 1 ? 1 : -1
      }
    }
  },
}

/** x > 0 as one bit, eight to a byte, first dimension in the top bit: `numpy.packbits`. */
export const ubinary: Code = { ...bits, name: 'ubinary', array: 'Uint8Array', isSigned: false }

/** The same bytes XOR 0x80. */
export const binary: Code = { ...bits, name: 'binary', array: 'Int8Array', isSigned: true }
