import { PackvecError } from '../base/errors.js'
import { invalid } from '../base/invalid.js'
import { jsonFault } from './json-guard.js'
import { wrongKind } from './kind.js'

/** The dtypes of the safetensors format, those of safetensors 0.8, with the bits of one value. */
const ITEM_BITS: ReadonlyMap<string, number> = new Map(
  Object.entries({
    ...{ BOOL: 8, F4: 4, F6_E2M3: 6, F6_E3M2: 6, U8: 8, I8: 8, F8_E5M2: 8, F8_E4M3: 8, F8_E8M0: 8 },
    ...{ F8_E4M3FNUZ: 8, F8_E5M2FNUZ: 8, U16: 16, I16: 16, F16: 16, BF16: 16 },
    ...{ U32: 32, I32: 32, F32: 32, U64: 64, I64: 64, F64: 64, C64: 64 },
  }),
)

export interface SafetensorsEntry {
  readonly dtype: string
  readonly shape: readonly number[]
  /** First byte and the byte after the last, counted from the start of the data section. */
  readonly begin: number
  readonly end: number
}

export interface SafetensorsHeader {
  /** By name, in the order of the data. */
  readonly tensors: ReadonlyMap<string, SafetensorsEntry>
  readonly metadata: Readonly<Record<string, string>>
  /** Where the data section begins, in bytes from the start of the file. */
  readonly dataOffset: number
  /** The file is `dataOffset + dataBytes` bytes long. */
  readonly dataBytes: number
}

/** Bytes that suffice for `safetensorsDataOffset`. */
export const SAFETENSORS_PREAMBLE_BYTES = 8

/** The limit of the reference implementation. */
const MAX_HEADER_BYTES = 100_000_000
/** The format needs three: the header, a tensor, its shape. */
const MAX_DEPTH = 8

/** Bits of one value of `dtype`, undefined when the format does not know it. */
export function safetensorsItemBits(dtype: string): number | undefined {
  return ITEM_BITS.get(dtype)
}

/**
 * Where the data section begins, from the first 8 bytes of a file: how much of it `parseSafetensorsHeader` needs. With more bytes
 * the error can name another kind of file.
 *
 * @param expected what the file should have been
 * @throws PackvecError `INVALID_FILE`
 */
export function safetensorsDataOffset(prefix: Uint8Array, expected = 'a safetensors file'): number {
  if (prefix.length === 0) throw invalid('safetensors', wrongKind(prefix, expected)!)
  if (prefix.length < 8)
    throw invalid('safetensors', `the file is cut off: a safetensors file has at least 8 bytes, got ${prefix.length}`)
  const headerBytes = new DataView(prefix.buffer, prefix.byteOffset, 8).getBigUint64(0, true)
  if (headerBytes < 2n || headerBytes > BigInt(MAX_HEADER_BYTES)) {
    const message = `the file is not ${expected}: its first 8 bytes are no length of a header, 2 to ${MAX_HEADER_BYTES}, got ${headerBytes}`
    throw invalid('safetensors', wrongKind(prefix, expected) ?? message)
  }
  // A few bytes of another kind may be a length too.
  const kind = prefix.length > 8 && prefix[8] !== 0x7b ? wrongKind(prefix, expected) : undefined
  if (kind !== undefined) throw invalid('safetensors', kind)
  return 8 + Number(headerBytes)
}

/**
 * Reads and checks the header of a safetensors file. `prefix` is the file or its beginning, at least `safetensorsDataOffset`
 * bytes; `fileBytes` is the length of the whole file, when it is known.
 *
 * @throws PackvecError `INVALID_FILE`, naming the tensor; `UNSUPPORTED` for a dtype the format does not have
 */
export function parseSafetensorsHeader(prefix: Uint8Array, fileBytes?: number): SafetensorsHeader {
  const dataOffset = safetensorsDataOffset(prefix)
  if (prefix.length < dataOffset) {
    throw invalid(
      'safetensors',
      `the file is cut off: its safetensors header ends at byte ${dataOffset}, got ${prefix.length} bytes`,
    )
  }
  const { __metadata__: metadata, ...entries } = parseJson(new Uint8Array(prefix.subarray(8, dataOffset)))
  const parsed = Object.entries(entries).map(([name, value]) => [name, parseEntry(name, value)] as const)
  parsed.sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end)
  let cursor = 0
  for (const [name, { begin, end }] of parsed) {
    if (begin !== cursor) {
      const what = begin < cursor ? 'overlaps the tensor before it' : 'leaves a hole before it'
      throw invalidTensor(name, `${what}: it begins at byte ${begin}, expected ${cursor}`)
    }
    cursor = end
  }
  if (fileBytes !== undefined && fileBytes - dataOffset !== cursor) {
    const last = parsed.at(-1)?.[0]
    const where = last === undefined ? 'no tensors' : `tensor ${JSON.stringify(last)} ends at byte ${cursor}`
    throw invalid(
      'safetensors',
      `the data section must end with its tensors (${where}), but it has ${fileBytes - dataOffset} bytes`,
    )
  }
  return { tensors: new Map(parsed), metadata: parseMetadata(metadata ?? {}), dataOffset, dataBytes: cursor }
}

/** The product of `shape`, or undefined when `shape` is not an array of whole numbers with a product below 2^53. */
export function shapeCount(shape: unknown): number | undefined {
  if (!Array.isArray(shape) || !shape.every((length) => Number.isSafeInteger(length) && length >= 0)) return undefined
  const bound = shape.reduce((product, length) => product * Math.max(length, 1), 1)
  if (!Number.isSafeInteger(bound)) return undefined
  return shape.includes(0) ? 0 : bound
}

function parseJson(bytes: Uint8Array): Record<string, unknown> {
  let value: unknown
  let fault: string | undefined
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    fault = text.startsWith('{') ? jsonFault(text, MAX_DEPTH) : 'it must begin with {'
    if (fault === undefined) value = JSON.parse(text)
  } catch (cause) {
    throw invalid('safetensors', 'the safetensors header must be JSON in UTF-8', { cause })
  }
  if (fault !== undefined) throw invalid('safetensors', `the safetensors header is not valid: ${fault}`)
  return value as Record<string, unknown>
}

function parseMetadata(value: unknown): Record<string, string> {
  if (!isObject(value))
    throw invalid('safetensors', `__metadata__ of the safetensors header must be an object, got ${show(value)}`)
  const wrong = Object.entries(value).find(([, text]) => typeof text !== 'string')
  if (wrong !== undefined) {
    throw invalid(
      'safetensors',
      `__metadata__ of the safetensors header must hold strings, got ${show(wrong[1])} for ${show(wrong[0])}`,
    )
  }
  // No prototype: a key that the file does not have is undefined, `constructor` too.
  return Object.assign(Object.create(null), value)
}

function parseEntry(name: string, value: unknown): SafetensorsEntry {
  if (!isObject(value)) throw invalidTensor(name, `must be an object, got ${show(value)}`)
  const { dtype, shape, data_offsets: offsets } = value
  if (typeof dtype !== 'string') throw invalidTensor(name, `must have a dtype, got ${show(dtype)}`)
  const itemBits = ITEM_BITS.get(dtype)
  if (itemBits === undefined) {
    const message = `tensor ${show(name)}: the dtype must be one of ${[...ITEM_BITS.keys()].join(', ')}, got ${show(dtype)}`
    throw new PackvecError('UNSUPPORTED', 'safetensors', message)
  }
  const count = shapeCount(shape)
  if (count === undefined) {
    throw invalidTensor(name, `the shape must be whole numbers with a product below 2^53, got ${show(shape)}`)
  }
  const [begin, end] = Array.isArray(offsets) ? offsets : []
  const isRange = Number.isSafeInteger(begin) && Number.isSafeInteger(end) && begin >= 0 && end >= begin
  if (!isRange || (offsets as unknown[]).length !== 2) {
    throw invalidTensor(name, `data_offsets must be two rising byte positions, got ${show(offsets)}`)
  }
  const bytes = (count * itemBits) / 8
  if (!Number.isInteger(bytes)) {
    throw invalidTensor(
      name,
      `${dtype} ${show(shape)} has ${count} values of ${itemBits} bits, which do not fill whole bytes`,
    )
  }
  if (end - begin !== bytes) {
    throw invalidTensor(name, `${dtype} ${show(shape)} needs ${bytes} bytes, data_offsets give ${end - begin}`)
  }
  return { dtype, shape: shape as number[], begin, end }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 80 ? `${text.slice(0, 80)}...` : text
}

function invalidTensor(name: string, what: string): PackvecError {
  return invalid('safetensors', `tensor ${show(name)}: ${what}`)
}
