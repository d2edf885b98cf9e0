/** A SHA-256 under way: that of node:crypto and that of `@noble/hashes` both fit. */
export interface Hasher {
  update(bytes: Uint8Array): unknown
  digest(): Uint8Array
}

/** Begins a SHA-256. */
export interface NewHasher {
  (): Hasher
  /** The SHA-256 of a whole array, if the host has a shorter way to it. */
  once?(bytes: Uint8Array): Uint8Array
}

/** Bytes of a tensor that one digest stands for; the last block of a tensor is shorter. */
export const BLOCK_BYTES = 4096
/** Bytes kept of the SHA-256 of a block. */
export const DIGEST_BYTES = 16

/** Number of blocks, so of digests, of a tensor of `byteLength` bytes. */
export function blockCount(byteLength: number): number {
  return Math.ceil(byteLength / BLOCK_BYTES)
}

/** The SHA-256 of bytes as 64 hex digits. */
export function sha256Hex(bytes: Uint8Array, newHasher: NewHasher): string {
  return hexOf(sha256Of(bytes, newHasher))
}

function sha256Of(bytes: Uint8Array, newHasher: NewHasher): Uint8Array {
  if (newHasher.once !== undefined) return newHasher.once(bytes)
  const hasher = newHasher()
  hasher.update(bytes)
  return hasher.digest()
}

/** The first 16 bytes of the SHA-256 of one block. */
export function blockDigest(block: Uint8Array, newHasher: NewHasher): Uint8Array {
  return sha256Of(block, newHasher).subarray(0, DIGEST_BYTES)
}

export function hexOf(bytes: Uint8Array): string {
  let hex = ''
  for (const byte of bytes) hex += byte.toString(16).padStart(2, '0')
  return hex
}

/** The SHA-256 of a tensor and the digests of its blocks, from bytes that come in order and in pieces of any length. */
export class Checksum {
  readonly #newHasher: NewHasher
  readonly #whole: Hasher
  readonly #digests: Uint8Array
  /** The beginning of a block that pieces cut. */
  readonly #block = new Uint8Array(BLOCK_BYTES)
  #bytes = 0

  /** @param byteLength bytes of the tensor; the digests get room for all of them */
  constructor(byteLength: number, newHasher: NewHasher) {
    this.#newHasher = newHasher
    this.#whole = newHasher()
    this.#digests = new Uint8Array(DIGEST_BYTES * blockCount(byteLength))
  }

  /** Bytes seen so far. */
  get byteLength(): number {
    return this.#bytes
  }

  update(piece: Uint8Array): void {
    this.#whole.update(piece)
    for (let at = 0; at < piece.length; ) {
      const begun = this.#bytes % BLOCK_BYTES
      const part = piece.subarray(at, at + BLOCK_BYTES - begun)
      if (part.length === BLOCK_BYTES) this.#close(part)
      else {
        this.#block.set(part, begun)
        if (begun + part.length === BLOCK_BYTES) this.#close(this.#block)
      }
      at += part.length
      this.#bytes += part.length
    }
  }

  /** Ends it: hex of the whole, 16 bytes a block. */
  finish(): { sha256: string; digests: Uint8Array } {
    const begun = this.#bytes % BLOCK_BYTES
    if (begun > 0) this.#close(this.#block.subarray(0, begun))
    return { sha256: hexOf(this.#whole.digest()), digests: this.#digests }
  }

  #close(block: Uint8Array): void {
    const number = Math.floor(this.#bytes / BLOCK_BYTES)
    this.#digests.set(blockDigest(block, this.#newHasher), DIGEST_BYTES * number)
  }
}
