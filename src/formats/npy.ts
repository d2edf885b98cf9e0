import { PackvecError } from '../base/errors.js'
import { widenHalves } from '../base/half.js'
import { type NpyDtype, type NpyHeader, parseNpyHeader } from './npy-header.js'

export {
  isNpy,
  NPY_PREAMBLE_BYTES,
  type NpyDtype,
  type NpyHeader,
  npyDataOffset,
  parseNpyHeader,
} from './npy-header.js'

/** Values that packvec reads and writes. */
export type NpyData = Float32Array | Float64Array | Int8Array | Uint8Array

/** An array as a `.npy` file holds it. */
export interface NpyArray {
  /** The values in C order; float16 comes as float32. */
  readonly data: NpyData
  /** Lengths of the axes: [rows, dims] for a matrix. */
  readonly dims: number[]
  /** What the file held. */
  readonly dtype: NpyDtype
}

/**
 * Reads a `.npy` file (versions 1 to 3; float16, float32, float64, int8, uint8; C order, little-endian). `data` is a copy.
 *
 * @throws PackvecError `INVALID_FILE`, `UNSUPPORTED` (see `parseNpyHeader`), `TOO_LARGE`
 */
export function decodeNpy(file: Uint8Array | ArrayBuffer): NpyArray {
  const bytes = file instanceof Uint8Array ? file : new Uint8Array(file)
  const header = parseNpyHeader(bytes)
  checkNpyFileBytes(header, bytes.length)
  const { target, finish } = allocateNpy(header)
  target.set(bytes.subarray(header.dataOffset))
  return finish()
}

/** Refuses a file that is shorter or longer than its header says. */
export function checkNpyFileBytes(header: NpyHeader, fileBytes: number): void {
  const dataBytes = fileBytes - header.dataOffset
  if (dataBytes === header.dataBytes) return
  throw new PackvecError(
    'INVALID_FILE',
    'npy',
    `the .npy header says ${header.dataBytes} bytes of data (${header.dtype}, shape ${header.shape.join(' x ')}), ` +
      `but the file has ${dataBytes}: write it or fetch it again`,
  )
}

/**
 * The one buffer an array is read into: fill `target` with the data bytes of the file, then call `finish`.
 *
 * @throws PackvecError `TOO_LARGE` when there is no memory for it
 */
export function allocateNpy(header: NpyHeader): { target: Uint8Array; finish: () => NpyArray } {
  const { dtype, count, dataBytes } = header
  const data = allocate(header)
  // Halves go to the back of the buffer and are widened from the front.
  const target = new Uint8Array(data.buffer, dtype === 'float16' ? 2 * count : 0, dataBytes)
  const finish = (): NpyArray => {
    if (dtype === 'float16') widenHalves(data as Float32Array)
    return { data, dims: [...header.shape], dtype }
  }
  return { target, finish }
}

function allocate({ dtype, count, shape }: NpyHeader): NpyData {
  try {
    if (dtype === 'float64') return new Float64Array(count)
    if (dtype === 'int8') return new Int8Array(count)
    return dtype === 'uint8' ? new Uint8Array(count) : new Float32Array(count)
  } catch (cause) {
    const message = `not enough memory for a .npy array of shape ${shape.join(' x ')} (${count} values of ${dtype})`
    throw new PackvecError('TOO_LARGE', 'npy', message, { cause })
  }
}

/**
 * A version 1 `.npy` file of `data` in C order with axes of lengths `dims`: byte for byte what `numpy.save` writes.
 *
 * @throws PackvecError `INVALID_ARGUMENT` when `dims` does not fit `data`
 */
export function encodeNpy(data: NpyData, dims: readonly number[]): Uint8Array<ArrayBuffer> {
  const header = npyHeader(data, dims)
  const file = new Uint8Array(header.length + data.byteLength)
  file.set(header)
  file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), header.length)
  return file
}

/** The bytes before the data of `encodeNpy`, a multiple of 64: for writers that send the data themselves. */
export function npyHeader(data: NpyData, dims: readonly number[]): Uint8Array<ArrayBuffer> {
  const descr = descrOf(data)
  const count = dims.reduce((product, length) => product * length, 1)
  const fits =
    dims.length > 0 && dims.length <= 32 && dims.every((length) => Number.isSafeInteger(length) && length >= 0)
  if (!fits || count !== data.length) {
    throw new PackvecError(
      'INVALID_ARGUMENT',
      'dims',
      `dims must be 1 to 32 whole numbers with product ${data.length}, the length of data; got [${dims.join(', ')}]`,
    )
  }
  return npyHeaderOf(descr, dims)
}

/** The same for an array that nobody has as a whole: `descr` is numpy's, such as '<f4'. */
export function npyHeaderOf(descr: string, dims: readonly number[]): Uint8Array<ArrayBuffer> {
  const shape = dims.length === 1 ? `(${dims[0]},)` : `(${dims.join(', ')})`
  // numpy leaves room for the first axis to grow to 21 digits, then ends the header on a multiple of 64 bytes.
  const room = ' '.repeat(21 - String(dims[0]).length)
  const dict = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }${room}`
  const headerBytes = 64 * Math.ceil((10 + dict.length + 1) / 64)
  const text = `\x93NUMPY\x01\x00\x00\x00${dict}`.padEnd(headerBytes - 1).concat('\n')
  const header = Uint8Array.from(text, (character) => character.charCodeAt(0))
  new DataView(header.buffer).setUint16(8, headerBytes - 10, true)
  return header
}

function descrOf(data: NpyData): string {
  if (data instanceof Float32Array) return '<f4'
  if (data instanceof Float64Array) return '<f8'
  if (data instanceof Int8Array) return '|i1'
  if (data instanceof Uint8Array) return '|u1'
  const got = Object.prototype.toString.call(data).slice(8, -1)
  throw new PackvecError(
    'INVALID_ARGUMENT',
    'data',
    `data must be a Float32Array, Float64Array, Int8Array or Uint8Array, got ${got}`,
  )
}
