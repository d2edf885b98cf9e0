import type { Code } from './code.js'
import { stagedRowBytes } from './encoder.js'
import { packed } from './packed.js'
import { rangeBooks } from './range-books.js'
import type { Calibration } from './ranges.js'

const bytes: Omit<Code, 'name' | 'keptAs' | 'savedAs' | 'array' | 'isSigned'> = {
  ...packed({ bits: 8, stepBytes: 16 }),
  family: 'bytes',
  factors: 1,
  books: rangeBooks,
  parameterBytes: (dims) => 2 * stagedRowBytes(dims),
  openEncoder({ encoder, parametersPtr: starts, book, rounding }) {
    const { dims, kernels } = encoder
    const { isSigned } = this as Code
    const [rowBytes, stride] = [stagedRowBytes(dims), this.stride(dims)]
    const steps = starts + rowBytes
    // What pads a row gets the code 0.
    encoder.setBuckets(starts, (book as Calibration).buckets, isSigned ? -128 : 0)
    if (isSigned && rounding === 'truncate') {
      return (first, count, codesPtr) =>
        kernels.bucketTruncate(encoder.stagedPtr(first), rowBytes, count, starts, steps, codesPtr, stride)
    }
    const flip = isSigned ? 0x80 : 0
    return (first, count, codesPtr) =>
      kernels.bucket(encoder.stagedPtr(first), rowBytes, count, starts, steps, codesPtr, stride, flip)
  },
  /** 8-bit codes decode to the lower edge of their bucket, code · step + min, as sentence-transformers rescores. */
  openDecoder(book) {
    const flip = (this as Code).isSigned ? 0x80 : 0
    const { mins, steps } = (book as Calibration).buckets
    return (codes, offset, target) => {
      for (let d = 0; d < target.length; d++) target[d] = (codes[offset + d]! ^ flip) * steps[d]! + mins[d]!
    }
  },
  bounds: (book) => (book as Calibration).minMax,
  edgeShare(codes) {
    const [low, high] = (this as Code).isSigned ? [0x80, 0x7f] : [0, 255]
    let edges = 0
    for (const byte of codes) if (byte === low || byte === high) edges++
    return codes.length === 0 ? 0 : edges / codes.length
  },
}

/** One of 256 buckets between the minimum and the maximum of each dimension. */
export const uint8: Code = {
  ...bytes,
  name: 'uint8',
  keptAs: 'uint8',
  savedAs: 'uint8',
  array: 'Uint8Array',
  isSigned: false,
}

/** The same bytes XOR 0x80, so the bucket less 128. */
export const int8: Code = {
  ...bytes,
  name: 'int8',
  keptAs: 'int8',
  savedAs: 'int8',
  array: 'Int8Array',
  isSigned: true,
}
