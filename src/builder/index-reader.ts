import { isSetBehind } from '../base/bits.js'
import { BLOCK_BYTES, sha256Hex } from '../base/checksum.js'
import { PackvecError } from '../base/errors.js'
import { invalid } from '../base/invalid.js'
import { named, naming } from '../files/file.js'
import { nodeSha256 } from '../files/node-sha256.js'
import { realTarget } from '../files/target.js'
import { checkBlock, checkSum, readIndexHeader } from '../index-file/check-tensor.js'
import type { IndexHeader, StoredTensor } from '../index-file/header.js'
import { openParts } from '../index-file/parts.js'
import { BITS_BEHIND } from '../rows/filter-rows.js'
import type { Recipe } from '../search/recipe.js'
import { NodeFileSource } from '../sources/node-source.js'

/** An index file open for copying: its header and codebooks checked, its rows streamed and checked block by block. */
export class IndexReader {
  readonly path: string
  readonly header: IndexHeader
  readonly parts: Recipe
  readonly #file: NodeFileSource

  private constructor(path: string, file: NodeFileSource, header: IndexHeader, parts: Recipe) {
    this.path = path
    this.#file = file
    this.header = header
    this.parts = parts
  }

  /** @throws PackvecError `IO`, `INVALID_FILE`, `UNSUPPORTED` */
  static async open(path: string): Promise<IndexReader> {
    const file = await NodeFileSource.open(path)
    try {
      const header = await readHeader(file)
      const small = new Map<string, Uint8Array>()
      for (const tensor of header.small) small.set(tensor.name, await readWhole(file, tensor))
      return new IndexReader(
        path,
        file,
        header,
        openParts(header, (name) => small.get(name)!),
      )
    } catch (error) {
      await file.close()
      throw naming(path, error)
    }
  }

  /** The header alone. @throws PackvecError `IO`, `INVALID_FILE`, `UNSUPPORTED` */
  static async headerOf(path: string): Promise<IndexHeader> {
    const file = await NodeFileSource.open(path)
    try {
      return await readHeader(file)
    } catch (error) {
      throw naming(path, error)
    } finally {
      await file.close()
    }
  }

  /** The bytes of one tensor, checked. @throws PackvecError INVALID_FILE, naming it */
  async read(tensor: StoredTensor): Promise<Uint8Array> {
    return readWhole(this.#file, tensor).catch((error) => Promise.reject(naming(this.path, error)))
  }

  /**
   * The bytes of a tensor of rows, each piece checked before it is given; a piece is good until the next is asked for.
   * @throws PackvecError INVALID_FILE, naming the tensor and the block
   */
  async *stream(tensor: StoredTensor, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const digests = await this.read(tensor.digests!)
    let block = 0
    for await (const piece of this.#file.stream(tensor.position, tensor.byteLength, signal)) {
      for (let at = 0; at < piece.length; at += BLOCK_BYTES, block++) {
        const bytes = piece.subarray(at, at + BLOCK_BYTES)
        named(this.path, () => checkBlock(tensor, digests, block, bytes, nodeSha256, 'path'))
      }
      yield piece
    }
  }

  /** The deleted rows, one bit per row; undefined if there are none. @throws PackvecError INVALID_FILE */
  async readDeleted(): Promise<Uint8Array | undefined> {
    const { deleted, rows } = this.header
    if (deleted === undefined) return undefined
    const bits = await this.read(deleted)
    if (isSetBehind(bits, rows)) throw naming(this.path, invalid('path', BITS_BEHIND))
    return bits
  }

  /**
   * Looks whether the path still holds the file that was opened, and still leads to `target`: what does not use packvec's
   * locks may have replaced it.
   * @throws PackvecError CHANGED
   */
  async checkCurrent(target: string): Promise<void> {
    const same = await this.#isCurrent(target).catch((error) => {
      // A file that is gone, or that is no index any more, is another one too.
      if (isGone(error) || (error instanceof PackvecError && error.code !== 'IO')) return false
      throw error
    })
    if (same) return
    const message = `${this.path} was replaced by another process meanwhile: nothing was written, so try again`
    throw new PackvecError('CHANGED', 'path', message)
  }

  async #isCurrent(target: string): Promise<boolean> {
    if ((await realTarget(this.path)) !== target) return false
    const now = await NodeFileSource.open(this.path)
    try {
      const { metadata } = await readHeader(now)
      return metadata['sha256'] === this.header.metadata['sha256']
    } finally {
      await now.close()
    }
  }

  async close(): Promise<void> {
    await this.#file.close()
  }
}

async function readHeader(file: NodeFileSource): Promise<IndexHeader> {
  return readIndexHeader(file.byteLength, (target) => file.read(0, target), nodeSha256)
}

async function readWhole(file: NodeFileSource, tensor: StoredTensor): Promise<Uint8Array> {
  const bytes = new Uint8Array(tensor.byteLength)
  await file.read(tensor.position, bytes)
  checkSum(tensor, sha256Hex(bytes, nodeSha256), 'path')
  return bytes
}

function isGone(error: unknown): boolean {
  return error instanceof PackvecError && (error.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT'
}
