import { PackvecError } from '../base/errors.js'

/** The precisions of sentence-transformers' `quantize_embeddings`, and the codes of 2 and 4 bits. */
export type Precision = 'float32' | 'int8' | 'uint8' | 'int4' | 'quaternary' | 'ternary' | 'binary' | 'ubinary'

/** Every precision, from the most bytes to the fewest. */
export const PRECISIONS: readonly Precision[] = [
  'float32',
  'int8',
  'uint8',
  'int4',
  'quaternary',
  'ternary',
  'binary',
  'ubinary',
]

/** What a code is made of: a sign bit, 2 bits, 4 bits, one 8-bit bucket, or a float32. */
export type PrecisionKind = 'bits' | 'pairs' | 'nibbles' | 'bytes' | 'floats'

const KINDS: Readonly<Record<Precision, PrecisionKind>> = {
  float32: 'floats',
  int8: 'bytes',
  uint8: 'bytes',
  int4: 'nibbles',
  quaternary: 'pairs',
  ternary: 'pairs',
  binary: 'bits',
  ubinary: 'bits',
}
/** Bits of one dimension. */
const CODE_BITS: Readonly<Record<PrecisionKind, number>> = { bits: 1, pairs: 2, nibbles: 4, bytes: 8, floats: 32 }
/** A row in kernel memory is a multiple of so many bytes: one loop step. */
const STEP_BYTES: Readonly<Record<PrecisionKind, number>> = { bits: 8, pairs: 8, nibbles: 8, bytes: 16, floats: 64 }

export const PRECISION_KINDS = Object.keys(CODE_BITS) as readonly PrecisionKind[]

/** Dimensions that one element of a row of codes stands for: a byte, or a float. */
export function dimsAnElement(precision: Precision): number {
  return Math.max(1, 8 / CODE_BITS[KINDS[precision]])
}

export function precisionKind(precision: Precision): PrecisionKind {
  return KINDS[precision]
}

/** Whether stored bytes are signed: the unsigned code XOR 0x80, for `int8` and `binary` alike. */
export function isSigned(precision: Precision): boolean {
  return precision === 'int8' || precision === 'binary'
}

/** Bytes of one row as users, files and sentence-transformers see it: no padding but the tail bits of the last byte. */
export function codeRowBytes(precision: Precision, dims: number): number {
  return Math.ceil((dims * CODE_BITS[KINDS[precision]]) / 8)
}

/** Bytes of one row in kernel memory: whole loop steps (see `kernels.ts`), zeros behind the last dimension. */
export function paddedRowBytes(precision: Precision, dims: number): number {
  const step = STEP_BYTES[KINDS[precision]]
  return step * Math.ceil(codeRowBytes(precision, dims) / step)
}

export function checkPrecision(value: unknown, argument = 'precision'): Precision {
  if (PRECISIONS.includes(value as Precision)) return value as Precision
  throw new PackvecError(
    'INVALID_ARGUMENT',
    argument,
    `${argument} must be one of ${PRECISIONS.join(', ')}, got ${shown(value)}`,
  )
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40))
  return value === null || !['object', 'function'].includes(typeof value) ? String(value) : typeof value
}
