import { PackvecError } from '../base/errors.js'
import { invalid } from '../base/invalid.js'
import { wrongKind } from './kind.js'
import { type PythonLiteral, parsePythonDict } from './python-literal.js'

/** What packvec reads of numpy's dtypes, by numpy's names. */
export type NpyDtype = 'float16' | 'float32' | 'float64' | 'int8' | 'uint8'

export interface NpyHeader {
  readonly dtype: NpyDtype
  /** Lengths of the axes, first the rows: at least one axis, C order. */
  readonly shape: readonly number[]
  /** The product of `shape`. */
  readonly count: number
  /** Bytes of one value in the file. */
  readonly itemBytes: number
  /** Where the values begin, in bytes from the start of the file. */
  readonly dataOffset: number
  /** `count * itemBytes`: the file is `dataOffset + dataBytes` bytes long. */
  readonly dataBytes: number
  /** 1, 2 or 3. */
  readonly version: number
}

/** Bytes that always suffice for `npyDataOffset`. */
export const NPY_PREAMBLE_BYTES = 12

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59] // \x93NUMPY
const ITEM_BYTES: Readonly<Record<NpyDtype, number>> = { float16: 2, float32: 4, float64: 8, int8: 1, uint8: 1 }
const DTYPES: ReadonlyMap<string, NpyDtype> = new Map([
  ['<f2', 'float16'],
  ['<f4', 'float32'],
  ['<f8', 'float64'],
  // One byte has no order; numpy writes '|', other writers '<'.
  ['|i1', 'int8'],
  ['<i1', 'int8'],
  ['|u1', 'uint8'],
  ['<u1', 'uint8'],
])
/** numpy itself stops at 64 axes, and trusts headers of 10,000 characters. */
const MAX_AXES = 64
const MAX_HEADER_BYTES = 1 << 20

/** Whether the bytes begin like a `.npy` file. */
export function isNpy(prefix: Uint8Array): boolean {
  return MAGIC.every((byte, i) => prefix[i] === byte)
}

/**
 * Where the values of a `.npy` file begin, from its first 12 bytes: how much of the file `parseNpyHeader` needs.
 *
 * @throws PackvecError `INVALID_FILE` (not a .npy file, cut off), `UNSUPPORTED` (version)
 */
export function npyDataOffset(prefix: Uint8Array): number {
  if (prefix.length >= 6 ? !isNpy(prefix) : !MAGIC.slice(0, prefix.length).every((byte, i) => prefix[i] === byte)) {
    const got = Array.from(prefix.subarray(0, 6), (byte) => byte.toString(16).padStart(2, '0')).join(' ')
    const begins = `a .npy file begins with the bytes 93 4e 55 4d 50 59 (\\x93NUMPY), but this one begins with ${got}`
    const kind = wrongKind(prefix, 'a .npy file')
    throw invalid('npy', kind === undefined ? begins : `${begins}; ${kind}`)
  }
  if (prefix.length === 0) throw invalid('npy', wrongKind(prefix, 'a .npy file')!)
  const [major, minor] = [prefix[6], prefix[7]]
  if (major === undefined || minor === undefined) throw cut(prefix.length, 8)
  if (major < 1 || major > 3 || minor !== 0) {
    throw unsupported(`the .npy version must be 1.0, 2.0 or 3.0, got ${major}.${minor}`)
  }
  const preambleBytes = major === 1 ? 10 : 12
  if (prefix.length < preambleBytes) throw cut(prefix.length, preambleBytes)
  const view = new DataView(prefix.buffer, prefix.byteOffset, prefix.byteLength)
  const headerBytes = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true)
  if (headerBytes > MAX_HEADER_BYTES) {
    throw invalid(
      'npy',
      `the .npy header claims to have ${headerBytes} bytes, more than the possible ${MAX_HEADER_BYTES}`,
    )
  }
  return preambleBytes + headerBytes
}

/**
 * Reads the header of a `.npy` file (versions 1 to 3). `prefix` is the file or its beginning, at least `npyDataOffset` bytes.
 *
 * @throws PackvecError `INVALID_FILE` when the header is cut off or not what numpy writes, `UNSUPPORTED` for Fortran order,
 *   big-endian values, other dtypes and 0-dimensional arrays
 */
export function parseNpyHeader(prefix: Uint8Array): NpyHeader {
  const dataOffset = npyDataOffset(prefix)
  if (prefix.length < dataOffset) throw cut(prefix.length, dataOffset)
  const version = prefix[6]!
  // Copied by hand: `slice` of a Buffer is a view, and TextDecoder refuses shared memory in browsers.
  const headerBytes = new Uint8Array(prefix.subarray(version === 1 ? 10 : 12, dataOffset))
  const entries = parsePythonDict(decodeText(headerBytes, version))
  const extra = [...entries.keys()].find((key) => !['descr', 'fortran_order', 'shape'].includes(key))
  if (extra !== undefined)
    throw invalid('npy', `the .npy header has the key '${extra}' besides descr, fortran_order and shape`)
  const dtype = parseDtype(entry(entries, 'descr'))
  const order = entry(entries, 'fortran_order')
  if (order.kind !== 'word' || (order.text !== 'True' && order.text !== 'False')) {
    throw invalid('npy', `fortran_order of the .npy header must be True or False, got ${show(order)}`)
  }
  if (order.text === 'True') {
    throw unsupported('the .npy array must be in C order, got fortran_order True: save np.ascontiguousarray(array)')
  }
  const itemBytes = ITEM_BYTES[dtype]
  const { shape, count } = parseShape(entry(entries, 'shape'), itemBytes)
  return { dtype, shape, count, itemBytes, dataOffset, dataBytes: count * itemBytes, version }
}

function decodeText(bytes: Uint8Array, version: number): string {
  try {
    // Versions 1 and 2 are Latin-1, which differs from UTF-8 in field names of structured dtypes only.
    return new TextDecoder(version === 3 ? 'utf-8' : 'latin1', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw invalid('npy', 'the .npy header must be UTF-8', { cause })
  }
}

function entry(entries: ReadonlyMap<string, PythonLiteral>, key: string): PythonLiteral {
  const value = entries.get(key)
  if (value === undefined) throw invalid('npy', `the .npy header has no '${key}'`)
  return value
}

function parseDtype(descr: PythonLiteral): NpyDtype {
  const dtype = descr.kind === 'string' ? DTYPES.get(descr.text) : undefined
  if (dtype !== undefined) return dtype
  const known = [...DTYPES.keys()].join(', ')
  const bigEndian = descr.kind === 'string' && descr.text.startsWith('>') ? ' (big-endian)' : ''
  throw unsupported(
    `the .npy dtype must be one of ${known}, got ${show(descr)}${bigEndian}: save array.astype(np.float32)`,
  )
}

function parseShape(literal: PythonLiteral, itemBytes: number): { shape: number[]; count: number } {
  if (literal.kind !== 'tuple') throw invalid('npy', `shape of the .npy header must be a tuple, got ${show(literal)}`)
  if (literal.items.length === 0)
    throw unsupported('the .npy array must have at least one axis, got shape (), a single value')
  if (literal.items.length > MAX_AXES) {
    throw unsupported(`the .npy array may have at most ${MAX_AXES} axes, this one has ${literal.items.length}`)
  }
  const shape = literal.items.map((item) => {
    const length = item.kind === 'word' && /^(0|[1-9][0-9]*)$/.test(item.text) ? Number(item.text) : Number.NaN
    if (!Number.isSafeInteger(length)) {
      throw invalid(
        'npy',
        `shape of the .npy header must hold whole numbers of at least 0, got ${show(item)} in ${show(literal)}`,
      )
    }
    return length
  })
  // An axis of length 0 must not hide an overflow of the others: numpy refuses that too.
  const bound = shape.reduce((product, length) => product * Math.max(length, 1), itemBytes)
  if (!Number.isSafeInteger(bound))
    throw invalid('npy', `shape ${show(literal)} of the .npy header means more than 2^53 bytes`)
  return { shape, count: shape.includes(0) ? 0 : bound / itemBytes }
}

/** Python's spelling, cut to one line of an error message. */
function show(literal: PythonLiteral): string {
  const text = spell(literal)
  return text.length > 80 ? `${text.slice(0, 80)}...` : text
}

function spell(literal: PythonLiteral): string {
  if (literal.kind === 'word') return literal.text
  if (literal.kind === 'string') return `'${literal.text}'`
  const inside = literal.items.map(spell).join(', ')
  if (literal.kind === 'list') return `[${inside}]`
  return literal.items.length === 1 ? `(${inside},)` : `(${inside})`
}

function cut(got: number, needed: number): PackvecError {
  return invalid('npy', `the .npy file is cut off: its header needs ${needed} bytes, got ${got}`)
}

function unsupported(message: string): PackvecError {
  return new PackvecError('UNSUPPORTED', 'npy', message)
}
