import { isSetBehind } from '../base/bits.js'
import { BLOCK_BYTES, blockDigest, DIGEST_BYTES, sha256Hex } from '../base/checksum.js'
import { PackvecError } from '../base/errors.js'
import { naming } from '../files/file.js'
import { nodeSha256 } from '../files/node-sha256.js'
import { realTarget } from '../files/target.js'
import { KIND_BYTES } from '../formats/kind.js'
import { type IndexHeader, indexHeaderBytes, parseIndexHeader, type StoredTensor } from '../index-file/header.js'
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
        const found = blockDigest(piece.subarray(at, at + BLOCK_BYTES), nodeSha256)
        const expected = digests.subarray(DIGEST_BYTES * block, DIGEST_BYTES * (block + 1))
        if (Buffer.compare(found, expected) === 0) continue
        throw naming(this.path, damaged(tensor.name, `block ${block}, from its byte ${BLOCK_BYTES * block} on`))
      }
      yield piece
    }
  }

  /** The deleted rows, one bit per row; undefined if there are none. @throws PackvecError INVALID_FILE */
  async readDeleted(): Promise<Uint8Array | undefined> {
    const { deleted, rows } = this.header
    if (deleted === undefined) return undefined
    const bits = await this.read(deleted)
    if (isSetBehind(bits, rows)) throw naming(this.path, new PackvecError('INVALID_FILE', 'path', BITS_BEHIND))
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
  const preamble = new Uint8Array(Math.min(KIND_BYTES, file.byteLength))
  await file.read(0, preamble)
  const prefix = new Uint8Array(Math.min(indexHeaderBytes(preamble), file.byteLength))
  await file.read(0, prefix)
  return parseIndexHeader(prefix, file.byteLength, nodeSha256)
}

async function readWhole(file: NodeFileSource, tensor: StoredTensor): Promise<Uint8Array> {
  const bytes = new Uint8Array(tensor.byteLength)
  await file.read(tensor.position, bytes)
  const found = sha256Hex(bytes, nodeSha256)
  if (found !== tensor.sha256)
    throw damaged(tensor.name, `its SHA-256 is ${found}, but the header says ${tensor.sha256}`)
  return bytes
}

function isGone(error: unknown): boolean {
  return error instanceof PackvecError && (error.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT'
}

function damaged(name: string, what: string): PackvecError {
  return new PackvecError('INVALID_FILE', 'path', `tensor ${name} is damaged: ${what}`)
}
