import { BLOCK_BYTES } from '../base/checksum.js'

/**
 * Blocks that were read and checked lately, the one that was not used for longest making room. They lie in one array, so
 * that a full cache allocates nothing.
 */
export class BlockCache {
  readonly #slab: Uint8Array
  /** Block to its place in the slab, the least used first. */
  readonly #places = new Map<number, number>()
  readonly #capacity: number

  constructor(byteLength: number) {
    this.#capacity = Math.floor(byteLength / BLOCK_BYTES)
    this.#slab = new Uint8Array(this.#capacity * BLOCK_BYTES)
  }

  has(block: number): boolean {
    return this.#places.has(block)
  }

  /** Copies a block that is here to the target. */
  copy(block: number, target: Uint8Array): void {
    const place = this.#places.get(block)!
    this.#places.delete(block)
    this.#places.set(block, place)
    target.set(this.#slab.subarray(place, place + target.length))
  }

  put(block: number, bytes: Uint8Array): void {
    if (this.#capacity === 0) return
    const known = this.#places.get(block)
    const place = known ?? this.#freePlace()
    this.#places.delete(block)
    this.#places.set(block, place)
    this.#slab.set(bytes, place)
  }

  #freePlace(): number {
    const used = this.#places.size
    if (used < this.#capacity) return used * BLOCK_BYTES
    const [oldest, place] = this.#places.entries().next().value as [number, number]
    this.#places.delete(oldest)
    return place
  }
}
