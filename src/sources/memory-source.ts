import { throwIfAborted } from '../base/abort.js'
import { reading } from '../base/check.js'
import { type ByteRange, type ByteSource, checkWithin, STREAM_BYTES } from './source.js'

/** A file that is in memory as a whole; the bytes are not copied and must not change. */
export class MemorySource implements ByteSource {
  readonly name: string
  readonly local = true
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array | ArrayBuffer, name = 'bytes') {
    this.#bytes = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes)
    this.name = name
  }

  get byteLength(): number {
    return this.#bytes.length
  }

  async read(position: number, target: Uint8Array, signal?: AbortSignal): Promise<void> {
    throwIfAborted(signal)
    checkWithin(this, position, target.length)
    target.set(reading('source', () => this.#bytes.subarray(position, position + target.length)))
  }

  async readMany(ranges: readonly ByteRange[], signal?: AbortSignal): Promise<void> {
    for (const { position, target } of ranges) await this.read(position, target, signal)
  }

  async *stream(position: number, length: number, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    checkWithin(this, position, length)
    for (let at = 0; at < length; at += STREAM_BYTES) {
      throwIfAborted(signal)
      yield this.#bytes.subarray(position + at, position + Math.min(at + STREAM_BYTES, length))
    }
  }

  async close(): Promise<void> {}
}
