import { type NewHasher, sha256Hex } from '../base/checksum.js'
import { PackvecError } from '../base/errors.js'
import { safetensorsHeader, tensorBytes } from '../formats/safetensors.js'
import { type IndexSpec, type IndexTensor, layIndex, MAX_HEADER_BYTES } from './layout.js'

/** A tensor with its place in the file, in bytes from the start. */
export interface PlacedTensor extends IndexTensor {
  readonly position: number
  readonly byteLength: number
}

const NO_SUM = '0'.repeat(64)
/** Written without blanks, and in no other text: a quote inside a text has a backslash before it. */
const SUM_KEY = '"sha256":"'

/** An index file laid out before its first row is known: every tensor has its place, the header its length. */
export class IndexPlan {
  /** In the order of the file. */
  readonly tensors: ReadonlyMap<string, PlacedTensor>
  readonly dataOffset: number
  /** Bytes of the whole file. */
  readonly byteLength: number
  readonly #metadata: Readonly<Record<string, string>>

  constructor(spec: IndexSpec) {
    const { tensors, metadata } = layIndex(spec)
    this.#metadata = metadata
    // Sums have one length: the header is as long without them.
    this.dataOffset = safetensorsHeader(tensors, this.#sealed(tensors, new Map())).length
    if (this.dataOffset > MAX_HEADER_BYTES) {
      const message = `the header of an index has at most ${MAX_HEADER_BYTES} bytes, with this metadata ${this.dataOffset}`
      throw new PackvecError('TOO_LARGE', 'metadata', `${message}: keep large texts elsewhere`)
    }
    const placed = new Map<string, PlacedTensor>()
    let position = this.dataOffset
    for (const tensor of tensors) {
      const byteLength = tensorBytes(tensor)
      placed.set(tensor.name, { ...tensor, position, byteLength })
      position += byteLength
    }
    this.tensors = placed
    this.byteLength = position
  }

  place(name: string): PlacedTensor {
    const found = this.tensors.get(name)
    if (found === undefined) throw new Error(`the file has no tensor ${name}`)
    return found
  }

  /** The header, with the SHA-256 of every tensor in hex, and its own. */
  header(sums: ReadonlyMap<string, string>, newHasher: NewHasher): Uint8Array {
    const tensors = [...this.tensors.values()]
    const header = safetensorsHeader(tensors, this.#sealed(tensors, sums))
    header.set(new TextEncoder().encode(sha256Hex(header, newHasher)), headerSumAt(header))
    return header
  }

  #sealed(tensors: readonly IndexTensor[], sums: ReadonlyMap<string, string>): Record<string, string> {
    const entries = tensors.map(({ name }) => [`sha256.${name}`, sums.get(name) ?? NO_SUM])
    return { ...this.#metadata, ...Object.fromEntries(entries), sha256: NO_SUM }
  }
}

/** Where the 64 hex digits of a header's own sum stand in its bytes; -1 if there are none. */
export function headerSumAt(header: Uint8Array): number {
  // One character a byte.
  const at = new TextDecoder('latin1').decode(header).indexOf(SUM_KEY)
  return at < 0 ? at : at + SUM_KEY.length
}

/** The SHA-256 of a header with its own digits, at `at`, as zeros. */
export function headerSum(header: Uint8Array, at: number, newHasher: NewHasher): string {
  const blank = new Uint8Array(header)
  blank.set(new TextEncoder().encode(NO_SUM), at)
  return sha256Hex(blank, newHasher)
}
