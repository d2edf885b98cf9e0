import { abortError, Stop, throwIfAborted } from '../base/abort.js'
import { checkCount, describe, fail, reading } from '../base/check.js'
import { PackvecError } from '../base/errors.js'
import { checkOptions, type OptionChecks } from '../base/options.js'
import { readSpans } from './limit.js'
import { type ByteRange, type ByteSource, checkWithin, cutOff, streamPieces } from './source.js'
import { joinRanges, scatter } from './spans.js'

/** What a store of objects can do: read a range. Positions and lengths are in bytes, a range lies inside the object. */
export interface RangeReader {
  /** For messages: the object's key. */
  readonly name: string
  readonly byteLength: number
  /** Exactly the bytes asked for. An error of any kind fails the search; a `PackvecError` keeps its code (`CHANGED`, say). */
  read(position: number, length: number, signal?: AbortSignal): Promise<Uint8Array | ArrayBuffer>
  /** The same as a stream, for the large range that opening reads; without it that is read a MiB at a time. */
  stream?(position: number, length: number, signal?: AbortSignal): Promise<ReadableStream<Uint8Array>>
  /** Lets go of what the reader holds; called when the index is closed. */
  close?(): Promise<void>
}

/** How many reads at once, and which are worth joining. */
export interface ReaderOptions {
  /** Reads under way at once for one search, 6 by default: what Cloudflare allows a request. */
  readonly maxRequests?: number
  /** Ranges closer than this many bytes are read as one, 32,768 by default. */
  readonly gapBytes?: number
}

const READER_CHECKS: OptionChecks<ReaderOptions> = {
  maxRequests: checkCount,
  gapBytes: (value, name) => checkCount(value, name, 0),
}

/**
 * A source for `openIndex` over anything that reads ranges: an R2 or S3 client, a key-value store, a file of another host.
 * @throws PackvecError INVALID_ARGUMENT
 */
export function fromReader(reader: RangeReader, options?: ReaderOptions): ByteSource {
  const { maxRequests = 6, gapBytes = 32_768 } = checkOptions(options, READER_CHECKS)
  return reading('reader', () => {
    if (typeof reader !== 'object' || reader === null) {
      fail('INVALID_ARGUMENT', 'reader', 'an object with name, byteLength and read', describe(reader))
    }
    const { name, byteLength, read } = reader
    if (typeof name !== 'string') fail('INVALID_ARGUMENT', 'reader.name', 'a string', describe(name))
    checkCount(byteLength, 'reader.byteLength', 0)
    if (typeof read !== 'function') fail('INVALID_ARGUMENT', 'reader.read', 'a function', describe(read))
    for (const optional of ['stream', 'close'] as const) {
      const method = reader[optional]
      if (method === undefined || typeof method === 'function') continue
      fail('INVALID_ARGUMENT', `reader.${optional}`, 'a function, or left out', describe(method))
    }
    return new ReaderSource(reader, maxRequests, gapBytes)
  })
}

class ReaderSource implements ByteSource {
  readonly name: string
  readonly byteLength: number
  readonly #reader: RangeReader
  readonly #maxRequests: number
  readonly #gapBytes: number

  constructor(reader: RangeReader, maxRequests: number, gapBytes: number) {
    this.name = reader.name
    this.byteLength = reader.byteLength
    this.#reader = reader
    this.#maxRequests = maxRequests
    this.#gapBytes = gapBytes
  }

  async read(position: number, target: Uint8Array, signal?: AbortSignal): Promise<void> {
    await this.readMany([{ position, target }], signal)
  }

  async readMany(ranges: readonly ByteRange[], signal?: AbortSignal): Promise<void> {
    throwIfAborted(signal)
    for (const { position, target } of ranges) checkWithin(this, position, target.length)
    const stop = new Stop(signal)
    const spans = joinRanges(ranges, this.#gapBytes)
    await readSpans(spans, this.#maxRequests, stop, async ({ position, length, ranges }) => {
      scatter(ranges, position, await this.#readSpan(position, length, stop, signal))
    })
  }

  async *stream(position: number, length: number, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    checkWithin(this, position, length)
    throwIfAborted(signal)
    if (this.#reader.stream === undefined) return yield* streamPieces(this, position, length, signal)
    if (length === 0) return
    const stop = new Stop(signal)
    let pieces: ReadableStreamDefaultReader<Uint8Array> | undefined
    try {
      const body = await this.#guard(async () => this.#reader.stream!(position, length, signal), stop)
      pieces = body.getReader()
      let at = 0
      for (;;) {
        const { done, value } = await this.#guard(() => pieces!.read(), stop)
        if (done) break
        at += value.length
        if (at > length) throw this.#wrongLength(at, length)
        yield value
      }
      if (at < length) throw cutOff(this.name, position + at, position + length)
    } finally {
      stop.unlink()
      // Nobody waits for it: a stream that hangs may never say that it was cancelled.
      pieces?.cancel().catch(() => {})
    }
  }

  async close(): Promise<void> {
    await this.#reader.close?.()
  }

  async #readSpan(position: number, length: number, stop: Stop, signal?: AbortSignal): Promise<Uint8Array> {
    throwIfAborted(stop)
    const read = await this.#guard(async () => this.#reader.read(position, length, signal), stop)
    const bytes = this.#bytesOf(read)
    if (bytes.length < length) throw cutOff(this.name, position + bytes.length, position + length)
    if (bytes.length > length) throw this.#wrongLength(bytes.length, length)
    return bytes
  }

  /** Ends with the stop, whether the reader heeds its signal or not; its errors come with the name of the source. */
  #guard<T>(work: () => Promise<T>, stop: Stop): Promise<T> {
    return new Promise((resolve, reject) => {
      const abort = () => reject(abortError(stop))
      if (stop.aborted) abort()
      const unlisten = stop.onAbort(abort)
      work()
        .then(resolve, (cause) => reject(this.#failure(cause)))
        .finally(unlisten)
    })
  }

  #failure(cause: unknown): PackvecError {
    if (cause instanceof PackvecError) return cause
    const message = cause instanceof Error ? cause.message : String(cause)
    return new PackvecError('IO', 'source', `cannot read ${this.name}: ${message}`, { cause })
  }

  #bytesOf(read: unknown): Uint8Array {
    if (read instanceof Uint8Array) return read
    if (read instanceof ArrayBuffer) return new Uint8Array(read)
    const message = `${this.name}: the reader must return a Uint8Array or an ArrayBuffer, got ${describe(read)}`
    throw new PackvecError('IO', 'source', message)
  }

  #wrongLength(bytes: number, expected: number): PackvecError {
    const message = `${this.name}: the reader returned ${bytes} or more bytes, but was asked for ${expected}`
    return new PackvecError('IO', 'source', message)
  }
}
