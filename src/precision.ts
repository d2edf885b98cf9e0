import { PackvecError } from './errors.js'

/** The precisions of sentence-transformers' `quantize_embeddings`. */
export type Precision = 'float32' | 'int8' | 'uint8' | 'binary' | 'ubinary'

export const PRECISIONS: readonly Precision[] = ['float32', 'int8', 'uint8', 'binary', 'ubinary']

/** Hamming distances of a tile are uint16, so a row has at most 65,535 bits. */
export const MAX_DIMS = 65_535

/** What a byte holds: a sign bit of eight dimensions, one 8-bit bucket, or a quarter of a float32. */
export type PrecisionKind = 'bits' | 'bytes' | 'floats'

export function precisionKind(precision: Precision): PrecisionKind {
  if (precision === 'float32') return 'floats'
  return precision === 'int8' || precision === 'uint8' ? 'bytes' : 'bits'
}

/** Whether stored bytes are signed: the unsigned code XOR 0x80, for `int8` and `binary` alike. */
export function isSigned(precision: Precision): boolean {
  return precision === 'int8' || precision === 'binary'
}

/** Bytes of one row as users, files and sentence-transformers see it: no padding but the tail bits of the last byte. */
export function codeRowBytes(precision: Precision, dims: number): number {
  const kind = precisionKind(precision)
  return kind === 'bits' ? Math.ceil(dims / 8) : kind === 'bytes' ? dims : 4 * dims
}

/** Bytes of one row in kernel memory: whole loop steps (see `kernels.ts`), zeros behind the last dimension. */
export function paddedRowBytes(precision: Precision, dims: number): number {
  const kind = precisionKind(precision)
  if (kind === 'bits') return 8 * Math.ceil(dims / 64)
  return Math.ceil(dims / 16) * (kind === 'bytes' ? 16 : 64)
}

export function checkPrecision(value: unknown, argument = 'precision'): Precision {
  if (PRECISIONS.includes(value as Precision)) return value as Precision
  throw new PackvecError(
    'INVALID_ARGUMENT',
    argument,
    `${argument} must be one of ${PRECISIONS.join(', ')}, got ${JSON.stringify(value) ?? typeof value}`,
  )
}
