import { type DecodedTensor, decodeSafetensors } from '../../src/formats/safetensors.js'
import { QuantizedIndex } from '../../src/index.js'
import { encodeIndex } from '../../src/storage-node.js'
import { sealed } from '../format/sealed.js'
import { matrix } from '../random.js'
import { indexFile } from '../storage/index-files.js'
import { silent } from './wrong.js'

export const rows = matrix(40, 8, 1)
export const index = QuantizedIndex.build(rows, silent)
export const bytes = encodeIndex(index)
export const other = encodeIndex(QuantizedIndex.build(matrix(40, 8, 2), silent))
export const names = Array.from({ length: 40 }, (_, i) => `row ${i}`)

/** The index file with other metadata or tensors, its sums right. */
export function changed(
  metadata: Record<string, string | undefined>,
  change = (_: Map<string, DecodedTensor>) => {},
): Uint8Array {
  const file = decodeSafetensors(bytes)
  const tensors = new Map(file.tensors)
  change(tensors)
  return sealed(tensors, { ...file.metadata, ...metadata })
}

/** A copy of some bytes with other ones from a place on. */
export function patched(file: Uint8Array, at: number, ...values: number[]): Uint8Array {
  const copy = file.slice()
  copy.set(values, at < 0 ? copy.length + at : at)
  return copy
}

/** A .npy file with this dict as its header. */
export function npy(dict: string, data = new Uint8Array(8), version = [1, 0]): Uint8Array {
  const text = new TextEncoder().encode(dict.padEnd(117).concat('\n'))
  const wide = version[0]! > 1
  return Buffer.concat([
    Uint8Array.of(
      0x93,
      0x4e,
      0x55,
      0x4d,
      0x50,
      0x59,
      ...version,
      text.length & 255,
      text.length >> 8,
      ...(wide ? [0, 0] : []),
    ),
    text,
    data,
  ])
}

export function safetensors(json: string, data = new Uint8Array(0)): Uint8Array {
  const text = new TextEncoder().encode(json)
  const length = new Uint8Array(8)
  new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true)
  return Buffer.concat([length, text, data])
}

/** A file whose bits of deleted rows go beyond the rows. */
export function patchedDeleted(): Uint8Array {
  const small = QuantizedIndex.build(matrix(33, 8, 1), silent)
  const file = decodeSafetensors(indexFile(small, { deleted: [0] }))
  const tensors = new Map(file.tensors)
  tensors.set('deleted', { ...tensors.get('deleted')!, data: Uint8Array.of(1, 0, 0, 0, 255) })
  return sealed(tensors, file.metadata)
}

/** A file with float32 codes that are not finite. */
export function notFinite(): Uint8Array {
  const file = decodeSafetensors(encodeIndex(QuantizedIndex.build(rows, { coarse: 'float32' })))
  const tensors = new Map(file.tensors)
  tensors.set('float32', { ...tensors.get('float32')!, data: new Uint8Array(40 * 8 * 4).fill(255) })
  return sealed(tensors, file.metadata)
}

/** A file whose text ids end before they begin. */
export function offsetsBack(): Uint8Array {
  const file = decodeSafetensors(indexFile(index, { keys: names }))
  const tensors = new Map(file.tensors)
  const offsets = new Uint8Array(tensors.get('keys.offsets')!.data)
  offsets[4] = 255
  tensors.set('keys.offsets', { ...tensors.get('keys.offsets')!, data: offsets })
  return sealed(tensors, file.metadata)
}
