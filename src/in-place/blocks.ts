import { BLOCK_BYTES, blockCount, type NewHasher } from '../base/checksum.js'
import { checkBlock } from '../index-file/check-tensor.js'
import type { StoredTensor } from '../index-file/header.js'
import type { Part } from '../rows/row-names.js'
import type { ByteRange, ByteSource } from '../sources/source.js'
import type { BlockCache } from './block-cache.js'
import { explain } from './damage.js'
import { SharedWork } from './shared-work.js'

/** A buffer up to this length is kept for the next search. */
const SPARE_BYTES = 1 << 21

/** Parts of a tensor that stays in its file, read in whole blocks, each of them checked. */
export class TensorBlocks {
  readonly #source: ByteSource
  readonly #tensor: StoredTensor
  readonly #digests: Uint8Array
  readonly #newHasher: NewHasher
  readonly #cache: BlockCache
  /** Number of the tensor's first block in the cache. */
  readonly #base: number
  #spare: Uint8Array | undefined
  /** Blocks that some search is reading, if its source lets others wait for them. */
  readonly #underWay = new Map<number, SharedWork<LoadedBlocks>>()

  constructor(
    source: ByteSource,
    tensor: StoredTensor,
    digests: Uint8Array,
    { newHasher, cache, base }: { newHasher: NewHasher; cache: BlockCache; base: number },
  ) {
    this.#source = source
    this.#tensor = tensor
    this.#digests = digests
    this.#newHasher = newHasher
    this.#cache = cache
    this.#base = base
  }

  /** Numbers that the tensor takes in the cache. */
  get count(): number {
    return blockCount(this.#tensor.byteLength)
  }

  /** Reads every block that the parts touch, once. @throws PackvecError INVALID_FILE, CHANGED and those of the source */
  async load(parts: Iterable<Part>, signal: AbortSignal | undefined): Promise<LoadedBlocks> {
    const numbers = blocksOf(parts)
    const loaded = new LoadedBlocks(numbers, this.#buffer(numbers.length * BLOCK_BYTES))
    const missing = numbers.filter((block) => !this.#cache.has(this.#base + block))
    if (missing.length < numbers.length) this.#copyKept(numbers, loaded)
    const { shareMs } = this.#source
    if (shareMs === undefined) await this.#read(missing, loaded, signal)
    else await this.#readShared(missing, loaded, shareMs, signal)
    return loaded
  }

  async #read(blocks: readonly number[], loaded: LoadedBlocks, signal: AbortSignal | undefined): Promise<void> {
    const ranges = blocks.map((block): ByteRange => {
      return { position: this.#tensor.position + block * BLOCK_BYTES, target: this.#bytesOf(loaded, block) }
    })
    try {
      await this.#source.readMany(ranges, signal)
      for (const [i, block] of blocks.entries()) this.#check(block, ranges[i]!.target)
    } catch (error) {
      await explain(this.#source, error)
    }
  }

  /** Waits for the blocks that other searches are reading, and reads the others so that they may wait for them. */
  async #readShared(
    blocks: readonly number[],
    loaded: LoadedBlocks,
    shareMs: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const own = blocks.filter((block) => !this.#underWay.has(block))
    const joined = new Map<SharedWork<LoadedBlocks>, number[]>()
    for (const block of blocks) {
      const work = this.#underWay.get(block)
      if (work !== undefined) joined.set(work, [...(joined.get(work) ?? []), block])
    }
    const take = (from: LoadedBlocks, wanted: readonly number[]) => {
      for (const block of wanted) {
        const target = this.#bytesOf(loaded, block)
        target.set(from.block(block, target.length))
      }
    }
    const parts = Array.from(joined, async ([work, wanted]) => {
      // A wrong byte may be in a block that is not wanted here; then, as after a long wait, these are read alone.
      const found = await work.join(signal, shareMs).catch((error) => {
        if (error.code === 'INVALID_FILE') return undefined
        throw error
      })
      if (found === undefined) await this.#read(wanted, loaded, signal)
      else take(found, wanted)
    })
    if (own.length > 0) parts.push(this.#begin(own, signal).then((found) => take(found, own)))
    await Promise.all(parts)
  }

  /** Reads blocks in a room of their own: who began may leave before those who wait. */
  async #begin(blocks: readonly number[], signal: AbortSignal | undefined): Promise<LoadedBlocks> {
    const room = new LoadedBlocks(blocks, new Uint8Array(blocks.length * BLOCK_BYTES))
    const work: SharedWork<LoadedBlocks> = new SharedWork(
      async (signal) => {
        await this.#read(blocks, room, signal)
        return room
      },
      () => {
        for (const block of blocks) if (this.#underWay.get(block) === work) this.#underWay.delete(block)
      },
    )
    for (const block of blocks) this.#underWay.set(block, work)
    return (await work.join(signal))!
  }

  #copyKept(numbers: readonly number[], loaded: LoadedBlocks): void {
    for (const block of numbers) {
      if (this.#cache.has(this.#base + block)) this.#cache.copy(this.#base + block, this.#bytesOf(loaded, block))
    }
  }

  /** Takes blocks back that nobody reads any more: making room for the next would take longer than reading some of them. */
  release({ bytes }: LoadedBlocks): void {
    if (bytes.length <= SPARE_BYTES) this.#spare = bytes
  }

  #buffer(byteLength: number): Uint8Array {
    const spare = this.#spare
    this.#spare = undefined
    return spare !== undefined && spare.length >= byteLength ? spare : new Uint8Array(byteLength)
  }

  #check(block: number, bytes: Uint8Array): void {
    checkBlock(this.#tensor, this.#digests, block, bytes, this.#newHasher, 'source')
    this.#cache.put(this.#base + block, bytes)
  }

  #bytesOf(loaded: LoadedBlocks, block: number): Uint8Array {
    return loaded.block(block, Math.min(BLOCK_BYTES, this.#tensor.byteLength - block * BLOCK_BYTES))
  }
}

/** Blocks in memory, some of a tensor's. */
export class LoadedBlocks {
  readonly bytes: Uint8Array
  readonly #places: Map<number, number>

  constructor(numbers: readonly number[], bytes: Uint8Array) {
    this.bytes = bytes
    this.#places = new Map(numbers.map((block, i) => [block, i * BLOCK_BYTES]))
  }

  block(number: number, length: number): Uint8Array {
    const place = this.#places.get(number)!
    return this.bytes.subarray(place, place + length)
  }

  /** Copies `length` bytes of the tensor, from its byte `at` on, to `to` in the target. */
  copy(at: number, length: number, target: Uint8Array, to: number): void {
    for (let done = 0; done < length; ) {
      const block = Math.floor((at + done) / BLOCK_BYTES)
      const within = at + done - block * BLOCK_BYTES
      const part = Math.min(length - done, BLOCK_BYTES - within)
      const from = this.#places.get(block)! + within
      target.set(this.bytes.subarray(from, from + part), to + done)
      done += part
    }
  }
}

/** The blocks that parts touch, rising. */
function blocksOf(parts: Iterable<Part>): number[] {
  const blocks = new Set<number>()
  for (const { at, length } of parts) {
    if (length === 0) continue
    const last = Math.floor((at + length - 1) / BLOCK_BYTES)
    for (let block = Math.floor(at / BLOCK_BYTES); block <= last; block++) blocks.add(block)
  }
  return [...blocks].sort((a, b) => a - b)
}
