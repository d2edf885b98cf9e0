import type { Code } from './code.js'

/** What codes share that pack a whole number of bits a dimension, one dimension behind the other. */
export interface Packing {
  /** Bits of a dimension: a divisor of 8, or a multiple. */
  readonly bits: number
  /** A row in kernel memory is a multiple of so many bytes: one loop step. */
  readonly stepBytes: number
}

type PackedParts = Pick<Code, 'bits' | 'dimsAnElement' | 'rowBytes' | 'stride' | 'clearTail'>

export function packed({ bits, stepBytes }: Packing): PackedParts {
  const dimsAByte = Math.max(1, 8 / bits)
  const rowBytes = (dims: number) => Math.ceil((dims * bits) / 8)
  return {
    bits,
    dimsAnElement: dimsAByte,
    rowBytes,
    stride: (dims) => stepBytes * Math.ceil(rowBytes(dims) / stepBytes),
    clearTail(codes, stride, rows, dims) {
      const used = dims % dimsAByte
      if (used === 0) return
      const mask = 0xff00 >> ((used * 8) / dimsAByte)
      for (let i = 0; i < rows; i++) codes[i * stride + Math.floor(dims / dimsAByte)]! &= mask
    },
  }
}

/** Between signed and unsigned codes, both ways: XOR 0x80. */
export function flipSigns(codes: Uint8Array): void {
  for (let i = 0; i < codes.length; i++) codes[i]! ^= 0x80
}
