import { InvalidArgumentError, Option } from 'commander'
import { PackvecError } from '../index.js'
import { type NpyArray, readNpy } from '../node.js'

/** Rows of floats from a `.npy` file: a vector is one row. */
export interface FloatMatrix {
  readonly data: Float32Array | Float64Array
  readonly dims: [rows: number, dims: number]
}

/** What the first stage compares, in every search. */
export function scoringOption(): Option {
  const option = new Option('--scoring <scoring>', 'first stage: codes with codes, or float query with codes')
  return option.choices(['symmetric', 'asymmetric'])
}

/** For commander: a whole number from 1. */
export function parseCount(text: string): number {
  const count = /^[0-9]+$/.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(count) && count > 0) return count
  throw new InvalidArgumentError('It must be a whole number of at least 1.')
}

/** For commander: a number from 1. */
export function parseFactor(text: string): number {
  const factor = /^[0-9]+(\.[0-9]+)?$/.test(text) ? Number(text) : Number.NaN
  if (Number.isFinite(factor) && factor >= 1) return factor
  throw new InvalidArgumentError('It must be a number of at least 1.')
}

/**
 * Reads a vector or matrix of floats.
 *
 * @throws PackvecError those of `readNpy`, `QUANTIZED_INPUT` for integers, `INVALID_FILE` for more than two axes
 */
export async function readFloats(path: string): Promise<FloatMatrix> {
  const { data, dims, dtype } = await readNpy(path)
  if (!isFloats(data)) {
    const message = `${path}: expected float embeddings, got ${dtype}, which are codes: pass the embeddings themselves`
    throw new PackvecError('QUANTIZED_INPUT', 'npy', message)
  }
  if (dims.length > 2) {
    const message = `${path}: expected a matrix of shape rows x dims, got shape ${dims.join(' x ')}`
    throw new PackvecError('INVALID_FILE', 'npy', message)
  }
  return { data, dims: dims.length === 1 ? [1, dims[0]!] : [dims[0]!, dims[1]!] }
}

export function isFloats(data: NpyArray['data']): data is FloatMatrix['data'] {
  return data instanceof Float32Array || data instanceof Float64Array
}
