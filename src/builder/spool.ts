import type { Descriptor } from '../files/descriptor.js'
import { io, readAt } from '../files/file.js'
import { openTemporary, removeTemporary } from '../files/temporary.js'

/** Bytes kept in a file without a name, beside the file they are for: gone with the process, however that ends. */
export class Spool {
  readonly #path: string
  readonly #handle: Descriptor
  #byteLength = 0

  private constructor(path: string, handle: Descriptor) {
    this.#path = path
    this.#handle = handle
  }

  /** @throws PackvecError `IO` */
  static async open(target: string): Promise<Spool> {
    const { path, handle } = await io('write', target, () => openTemporary(target))
    // An open file outlives its name.
    await removeTemporary(path)
    return new Spool(target, handle)
  }

  get byteLength(): number {
    return this.#byteLength
  }

  async append(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const write = () => this.#handle.write(bytes, done, bytes.length - done, this.#byteLength + done)
      done += (await io('write', this.#path, write)).bytesWritten
    }
    this.#byteLength += bytes.length
  }

  /** Forgets the bytes after the first `byteLength`, and frees their room. */
  async truncate(byteLength: number): Promise<void> {
    this.#byteLength = Math.min(byteLength, this.#byteLength)
    // Where that fails they are written over: positions count from `#byteLength`.
    await this.#handle.truncate(this.#byteLength).catch(() => undefined)
  }

  async read(position: number, target: Uint8Array): Promise<void> {
    await readAt(this.#handle, this.#path, position, target)
  }

  async close(): Promise<void> {
    await this.#handle.close().catch(() => undefined)
  }
}
