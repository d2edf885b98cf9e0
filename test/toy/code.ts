import { fail, describe as shown } from '../../src/base/check.js'
import type { Code, Codebook, CodebookFamily } from '../../src/codes/code.js'
import { registerCode } from '../../src/codes/registry.js'
import { readRows } from '../../src/rows/matrix.js'

declare module '../../src/codes/precision.js' {
  interface CodeArrays {
    toy3: Uint8Array<ArrayBuffer>
  }
}

const LEVELS = 8

/** Eight levels at equal steps between the least and the greatest value of a sample. */
export class ToyBook implements Codebook {
  readonly dims: number
  readonly low: number
  readonly step: number

  constructor(dims: number, low: number, step: number) {
    this.dims = dims
    this.low = low
    this.step = step
  }

  codeOf(value: number): number {
    return Math.max(0, Math.min(LEVELS - 1, Math.round((value - this.low) / this.step)))
  }

  valueAt(code: number): number {
    return Math.fround(this.low + code * this.step)
  }

  toJSON(): object {
    return { dims: this.dims, low: this.low, step: this.step }
  }
}

const books: CodebookFamily = {
  option: 'codebook',
  property: 'codebook',
  noun: 'codebook',
  scope: 'global',
  isWidened: false,
  isSampled: () => true,
  fit(sources, _options, argument) {
    const { values, dims } = readRows(sources, argument)
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)]
    return new ToyBook(dims, low, Math.fround((high - low) / (LEVELS - 1)) || 1)
  },
  read: (given, dims, argument) => books.check(given, dims ?? (given as ToyBook).dims, argument),
  check(book, dims, argument) {
    if (!(book instanceof ToyBook)) return fail('INVALID_ARGUMENT', argument, 'a ToyBook', shown(book))
    if (book.dims !== dims) fail('DIMS_MISMATCH', argument, `${dims} dimensions`, String(book.dims))
    return book
  },
  tensors: (name) => [{ name: `${name}.line`, shape: [2] }],
  metadata: (name) => ({ [`${name}.levels`]: String(LEVELS) }),
  checkMetadata(name, metadata) {
    if (metadata[`${name}.levels`] !== String(LEVELS)) {
      fail('INVALID_FILE', 'bytes', `${LEVELS} levels`, String(metadata[`${name}.levels`]))
    }
  },
  values: (book) => Float32Array.of((book as ToyBook).low, (book as ToyBook).step),
  open(name, { dims, floats }) {
    const [low, step] = floats(`${name}.line`)
    return new ToyBook(dims, low!, step!)
  },
  fromJSON(json) {
    const { dims, low, step } = json as ToyBook
    return new ToyBook(dims, low, step)
  },
}

/** 3 bits a dimension, one behind the other, lowest bit first. */
export const toy3: Code = {
  name: 'toy3',
  family: 'toy',
  keptAs: 'toy3',
  savedAs: 'toy3',
  bits: 3,
  array: 'Uint8Array',
  isSigned: false,
  dimsAnElement: 1,
  factors: 1,
  books,
  rowBytes: (dims) => Math.ceil((3 * dims) / 8),
  stride: (dims) => 8 * Math.ceil((3 * dims) / 64),
  parameterBytes: () => 0,
  openEncoder({ encoder, book }) {
    const stride = toy3.stride(encoder.dims)
    return (first, count, codesPtr) => {
      const codes = encoder.bytes(codesPtr, count * stride).fill(0)
      for (let i = 0; i < count; i++) {
        const row = encoder.stagedRow(first + i)
        for (let d = 0; d < row.length; d++) {
          const code = (book as ToyBook).codeOf(row[d]!)
          for (let bit = 3 * d; bit < 3 * d + 3; bit++) {
            codes[i * stride + (bit >> 3)]! |= ((code >> (bit - 3 * d)) & 1) << (bit & 7)
          }
        }
      }
    }
  },
  openDecoder(book) {
    return (codes, offset, target) => {
      for (let d = 0; d < target.length; d++) {
        let code = 0
        for (let bit = 3 * d; bit < 3 * d + 3; bit++) {
          code |= ((codes[offset + (bit >> 3)]! >> (bit & 7)) & 1) << (bit - 3 * d)
        }
        target[d] = (book as ToyBook).valueAt(code)
      }
    }
  },
  clearTail(codes, stride, rows, dims) {
    const used = (3 * dims) & 7
    if (used === 0) return
    for (let i = 0; i < rows; i++) codes[i * stride + ((3 * dims) >> 3)]! &= (1 << used) - 1
  },
}

registerCode(toy3)
