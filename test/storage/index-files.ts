import { decodeSafetensors } from '../../src/formats/safetensors.js'
import type { QuantizedIndex } from '../../src/index.js'
import { encodeIndex } from '../../src/storage-node.js'
import { sealed } from '../format/sealed.js'

export interface RowFacts {
  readonly ids?: readonly number[]
  readonly keys?: readonly string[]
  readonly deleted?: readonly number[]
}

/** The file of an index with ids or keys for its rows, some of them deleted. */
export function indexFile(index: QuantizedIndex, { ids, keys, deleted }: RowFacts): Uint8Array<ArrayBuffer> {
  const { tensors, metadata } = decodeSafetensors(encodeIndex(index))
  const all = new Map(tensors)
  const add = (name: string, dtype: string, shape: number[], data: Uint8Array) => {
    // The digests are counted when the file is sealed.
    all.set(`${name}.digests`, { dtype: 'U8', shape: [], data: new Uint8Array(0) })
    all.set(name, { dtype, shape, data })
  }
  if (deleted !== undefined) {
    const bits = new Uint8Array(Math.ceil(index.size / 8))
    for (const row of deleted) bits[row >> 3]! |= 1 << (row & 7)
    add('deleted', 'U8', [bits.length], bits)
  }
  if (ids !== undefined) add('ids', 'U32', [ids.length], new Uint8Array(Uint32Array.from(ids).buffer))
  if (keys !== undefined) {
    const texts = keys.map((key) => new TextEncoder().encode(key))
    const offsets = new Uint32Array(texts.length + 1)
    for (const [i, { length }] of texts.entries()) offsets[i + 1] = offsets[i]! + length
    add('keys.offsets', 'U32', [offsets.length], new Uint8Array(offsets.buffer))
    const bytes = Buffer.concat(texts)
    add('keys', 'U8', [bytes.length], bytes)
  }
  return sealed(all, metadata)
}
