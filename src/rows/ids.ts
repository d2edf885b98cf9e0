/** What users call the rows of an index: numbers below 2^32, or texts. */
export type Id = number | string

/** Ids of all rows, as files hold them. */
export type StoredIds =
  | { readonly kind: 'numbers'; readonly values: Uint32Array }
  /** UTF-8, one behind the other: text i is bytes `offsets[i]` to `offsets[i + 1] - 1`. */
  | { readonly kind: 'texts'; readonly bytes: Uint8Array; readonly offsets: Float64Array | Uint32Array }

/** How ids lie in a file, without them. */
export type IdsLayout =
  | { readonly kind: 'rows' }
  | { readonly kind: 'numbers' }
  | { readonly kind: 'texts'; readonly byteLength: number }

export function idsLayout(ids: StoredIds | undefined): IdsLayout {
  if (ids === undefined) return { kind: 'rows' }
  return ids.kind === 'numbers' ? { kind: 'numbers' } : { kind: 'texts', byteLength: ids.bytes.length }
}

/** Offsets of texts as a file holds them: uint32, or uint64 from 4 GiB of texts on. */
export function encodeOffsets(offsets: ArrayLike<number>, byteLength: number): Uint8Array {
  const wide = byteLength >= 2 ** 32
  const values = wide
    ? BigUint64Array.from({ length: offsets.length }, (_, i) => BigInt(offsets[i]!))
    : Uint32Array.from(offsets)
  return new Uint8Array(values.buffer)
}

/** Reads what `encodeOffsets` wrote; copied: the bytes need not be aligned. */
export function decodeOffsets(bytes: Uint8Array, dtype: string): Float64Array | Uint32Array {
  const { buffer } = new Uint8Array(bytes)
  return dtype === 'U64' ? Float64Array.from(new BigUint64Array(buffer), Number) : new Uint32Array(buffer)
}

/** What is wrong with the offsets of texts, if anything: they begin at 0, never fall and end with the texts. */
export function offsetsFault(offsets: ArrayLike<number>, byteLength: number): string | undefined {
  if (offsets[0] !== 0) return `must begin with 0, got ${offsets[0]}`
  const last = offsets.length - 1
  for (let i = 1; i <= last; i++) {
    if (offsets[i]! < offsets[i - 1]!) return `must not fall, got ${offsets[i]} after ${offsets[i - 1]} at ${i}`
  }
  return offsets[last] === byteLength ? undefined : `must end with ${byteLength}, got ${offsets[last]}`
}

/** Ids with the ids of more rows after them. */
export function idsBehind(ids: StoredIds, more: readonly Id[]): StoredIds {
  if (more.length === 0) return ids
  if (ids.kind === 'numbers') {
    const values = new Uint32Array(ids.values.length + more.length)
    values.set(ids.values)
    values.set(more as readonly number[], ids.values.length)
    return { kind: 'numbers', values }
  }
  const encoder = new TextEncoder()
  const texts = more.map((text) => encoder.encode(text as string))
  const offsets = new Float64Array(ids.offsets.length + texts.length)
  offsets.set(ids.offsets)
  let row = ids.offsets.length
  for (const { length } of texts) offsets[row] = offsets[row++ - 1]! + length
  const bytes = new Uint8Array(offsets.at(-1)!)
  bytes.set(ids.bytes)
  for (const [i, text] of texts.entries()) bytes.set(text, offsets[ids.offsets.length - 1 + i]!)
  return { kind: 'texts', bytes, offsets }
}
