import { PackvecError } from '../base/errors.js'
import { parseSafetensorsHeader, safetensorsItemBits, shapeCount } from './safetensors-header.js'

export {
  parseSafetensorsHeader,
  SAFETENSORS_PREAMBLE_BYTES,
  type SafetensorsEntry,
  type SafetensorsHeader,
  safetensorsDataOffset,
} from './safetensors-header.js'

/** A tensor without its bytes: what the header says. */
export interface TensorSpec {
  readonly name: string
  /** The format's word: F32, I8, U8, ... */
  readonly dtype: string
  readonly shape: readonly number[]
}

export interface Tensor extends TensorSpec {
  /** The values, little-endian, in C order. */
  readonly data: ArrayBufferView | ArrayBuffer
}

export interface DecodedTensor {
  readonly dtype: string
  readonly shape: readonly number[]
  /** A view of the file's bytes, not a copy, and not aligned to the values: copy it before viewing it as floats. */
  readonly data: Uint8Array
}

/**
 * One safetensors file: the tensors in their order, without gaps, the data section aligned to 64 bytes.
 *
 * @throws PackvecError `INVALID_ARGUMENT`, naming the tensor
 */
export function encodeSafetensors(
  tensors: readonly Tensor[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const header = safetensorsHeader(tensors, metadata)
  const views = tensors.map((tensor) => dataBytes(tensor))
  const file = new Uint8Array(views.reduce((bytes, view) => bytes + view.length, header.length))
  file.set(header)
  let at = header.length
  for (const view of views) {
    file.set(view, at)
    at += view.length
  }
  return file
}

/**
 * The bytes before the data section, a multiple of 64: write the tensors' bytes behind it, in order, and the file is whole.
 *
 * @throws PackvecError `INVALID_ARGUMENT`, naming the tensor
 */
export function safetensorsHeader(
  tensors: readonly TensorSpec[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const names = new Set<string>()
  const entries: string[] = []
  const texts = Object.entries(metadata)
  for (const [key, value] of texts) {
    if (typeof value !== 'string')
      throw refuse('metadata', `metadata must hold strings, got ${typeof value} for ${key}`)
    if (key === '__proto__') throw refuse('metadata', 'metadata may not have the key __proto__')
  }
  // Written entry by entry: an object would bring names like "1" to the front.
  if (texts.length > 0) entries.push(`"__metadata__":${JSON.stringify(metadata)}`)
  let begin = 0
  for (const tensor of tensors) {
    const { name, dtype, shape } = tensor
    if (names.has(name) || name === '__metadata__' || name === '__proto__') {
      throw refuse('tensors', `the name ${JSON.stringify(name)} is taken: give every tensor its own`)
    }
    names.add(name)
    const end = begin + tensorBytes(tensor)
    entries.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [begin, end] })}`)
    begin = end
  }
  const json = new TextEncoder().encode(`{${entries.join(',')}}`)
  const header = new Uint8Array(64 * Math.ceil((8 + json.length) / 64)).fill(0x20)
  new DataView(header.buffer).setBigUint64(0, BigInt(header.length - 8), true)
  header.set(json, 8)
  return header
}

/**
 * Reads a safetensors file. The data are views of `file`.
 *
 * @throws PackvecError `INVALID_FILE` for a file that is cut off or whose header is wrong in any way, naming the tensor;
 *   `UNSUPPORTED` for a dtype the format does not have
 */
export function decodeSafetensors(file: Uint8Array | ArrayBuffer): {
  tensors: Map<string, DecodedTensor>
  metadata: Readonly<Record<string, string>>
} {
  const bytes = file instanceof Uint8Array ? file : new Uint8Array(file)
  const header = parseSafetensorsHeader(bytes, bytes.length)
  const tensors = new Map<string, DecodedTensor>()
  for (const [name, { dtype, shape, begin, end }] of header.tensors) {
    const data = new Uint8Array(bytes.buffer, bytes.byteOffset + header.dataOffset + begin, end - begin)
    tensors.set(name, { dtype, shape, data })
  }
  return { tensors, metadata: header.metadata }
}

function dataBytes(tensor: Tensor): Uint8Array {
  const { name, dtype, shape, data } = tensor
  const view = ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data)
  if (view.length === tensorBytes(tensor)) return view
  const needs = `${dtype} [${shape.join(', ')}] needs ${tensorBytes(tensor)} bytes`
  throw refuse('tensors', `tensor ${JSON.stringify(name)}: ${needs}, data has ${view.length}`)
}

/** Bytes of a tensor. @throws PackvecError `INVALID_ARGUMENT`, naming the tensor */
export function tensorBytes({ name, dtype, shape }: TensorSpec): number {
  const itemBits = safetensorsItemBits(dtype)
  const count = shapeCount(shape)
  const bytes = itemBits === undefined || count === undefined ? Number.NaN : (count * itemBits) / 8
  if (Number.isInteger(bytes)) return bytes
  const wrong = count === undefined ? 'must be whole numbers' : 'does not fill whole bytes'
  const what = itemBits === undefined ? `the dtype ${dtype} is unknown` : `the shape [${shape}] ${wrong}`
  throw refuse('tensors', `tensor ${JSON.stringify(name)}: ${what}`)
}

function refuse(argument: string, message: string): PackvecError {
  return new PackvecError('INVALID_ARGUMENT', argument, message)
}
