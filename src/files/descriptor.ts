import * as fs from 'node:fs'

type Done<T> = (error: NodeJS.ErrnoException | null, value?: T) => void

/**
 * An open file by its raw descriptor. Node's FileHandle must not be forgotten: from version 25 on its collection ends the
 * process, before that it prints a warning. A descriptor that is forgotten is closed when the collector finds it.
 */
export class Descriptor {
  readonly fd: number
  #pending = 0
  #closing: Promise<void> | undefined
  /** Called when the last call under way is over. */
  #idle: () => void = () => {}

  private constructor(fd: number) {
    this.fd = fd
    forgotten()?.register(this, fd, this)
  }

  /** Opens a file with flags as Node has them: 'r', 'wx+'. */
  static async open(path: string, flags: string, mode?: number): Promise<Descriptor> {
    return new Descriptor(
      await new Promise<number>((resolve, reject) => fs.open(path, flags, mode, settle(resolve, reject))),
    )
  }

  async read(target: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }> {
    return { bytesRead: await this.#run<number>((done) => fs.read(this.fd, target, offset, length, position, done)) }
  }

  async write(bytes: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesWritten: number }> {
    return { bytesWritten: await this.#run<number>((done) => fs.write(this.fd, bytes, offset, length, position, done)) }
  }

  /** Sizes and times as bigint: a time in milliseconds misses a second write. */
  stat(): Promise<fs.BigIntStats> {
    return this.#run((done) => fs.fstat(this.fd, { bigint: true }, done))
  }

  async owner(): Promise<{ uid: number; gid: number }> {
    const { uid, gid } = await this.stat()
    return { uid: Number(uid), gid: Number(gid) }
  }

  /** Writes a short text to the beginning. */
  async writeText(text: string): Promise<void> {
    const bytes = Buffer.from(text)
    for (let done = 0; done < bytes.length; ) {
      done += (await this.write(bytes, done, bytes.length - done, done)).bytesWritten
    }
  }

  chmod(mode: number): Promise<void> {
    return this.#run((done) => fs.fchmod(this.fd, mode, done))
  }

  chown(uid: number, gid: number): Promise<void> {
    return this.#run((done) => fs.fchown(this.fd, uid, gid, done))
  }

  truncate(byteLength: number): Promise<void> {
    return this.#run((done) => fs.ftruncate(this.fd, byteLength, done))
  }

  sync(): Promise<void> {
    return this.#run((done) => fs.fsync(this.fd, done))
  }

  /** Waits for the calls under way: another file may get the descriptor's number. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    forgotten()?.unregister(this)
    if (this.#pending > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve
      })
    }
    await new Promise<void>((resolve, reject) => fs.close(this.fd, settle(resolve, reject)))
  }

  /** One call; its callback refers to this object, which therefore outlives the call. */
  async #run<T = void>(start: (done: Done<T>) => void): Promise<T> {
    if (this.#closing !== undefined) throw Object.assign(new Error('EBADF: file closed'), { code: 'EBADF' })
    this.#pending++
    try {
      return await new Promise<T>((resolve, reject) => start(settle(resolve, reject)))
    } finally {
      this.#pending--
      if (this.#pending === 0) this.#idle()
    }
  }
}

function settle<T>(resolve: (value: T) => void, reject: (error: Error) => void): Done<T> {
  return (error, value) => (error ? reject(error) : resolve(value as T))
}

let registry: FinalizationRegistry<number> | undefined

/** Made when the first file is opened: some hosts that import this module have neither files nor a registry. */
function forgotten(): FinalizationRegistry<number> | undefined {
  if (typeof FinalizationRegistry === 'function') registry ??= new FinalizationRegistry((fd) => fs.close(fd, () => {}))
  return registry
}
