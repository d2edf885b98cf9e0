import { Stop } from '../../base/abort.js'
import { PackvecError } from '../../base/errors.js'
import { dropsRequests } from '../drops-requests.js'
import { readSpans } from '../limit.js'
import { MemorySource } from '../memory-source.js'
import { type ByteRange, type ByteSource, changed, checkWithin } from '../source.js'
import { joinRanges, scatter } from '../spans.js'
import { download, type Judge, named, shortBody, tooLong } from './download.js'
import { checkPart, checkTotal, type FileIdentity, identityOf, sameFile } from './identity.js'
import { type CheckedHttpOptions, checkFetched, shownUrl } from './options.js'
import { type Answer, request } from './request.js'
import { Retries } from './retry.js'

/** The first request: enough for the header of most indexes, and small beside their codes. */
const HEAD_BYTES = 65_536

/** What a first request met: an open source, or word that the file is still the one that was known. */
export type Opened = { readonly source: ByteSource & { readonly identity: FileIdentity } } | 'unchanged'

export interface OpenHttpOptions {
  readonly http: CheckedHttpOptions
  readonly signal?: AbortSignal | undefined
  /** Called while the whole file is taken from a server that has no ranges. */
  readonly onProgress?: ((bytes: number, totalBytes: number | undefined) => void) | undefined
  /** The ETag of a copy: the server then says whether it still holds. */
  readonly ifNoneMatch?: string | undefined
  /** Refuses a file by its beginning, before more of it comes. */
  readonly judge?: Judge | undefined
}

/**
 * Asks for the beginning of a file. @throws PackvecError IO, INVALID_FILE, TIMEOUT, ABORTED, UNSUPPORTED (no ranges and
 * `onNoRange: 'refuse'`), TOO_LARGE, INVALID_ARGUMENT
 */
export async function openHttp(url: URL, options: OpenHttpOptions): Promise<Opened> {
  checkFetched(url)
  const stop = new Stop(options.signal)
  const retries = new Retries(options.http, stop)
  try {
    for (;;) {
      try {
        return await askFirst(url, options, stop)
      } catch (error) {
        await retries.after(error)
      }
    }
  } finally {
    stop.unlink()
  }
}

async function askFirst(url: URL, options: OpenHttpOptions, stop: Stop): Promise<Opened> {
  const { http, ifNoneMatch } = options
  const name = shownUrl(url)
  const judge = named(name, options.judge)
  const condition: Record<string, string> = ifNoneMatch === undefined ? {} : { 'If-None-Match': ifNoneMatch }
  const answer = await request(url, { Range: `bytes=0-${HEAD_BYTES - 1}`, ...condition }, http, stop)
  const { status } = answer
  if (status === 206) {
    const part = await orCancel(answer, () => checkPart(name, answer, 0, HEAD_BYTES))
    const head = new Uint8Array(part.end)
    await fill(answer, head, name)
    judge?.(head, part.total)
    return { source: new HttpSource(url, http, identityOf(answer.headers, part.total), head) }
  }
  if (status === 200) return { source: await downloadAll(name, answer, { ...options, judge }) }
  await answer.cancel()
  if (status === 304 && ifNoneMatch !== undefined) return 'unchanged'
  if (status === 416) throw new PackvecError('INVALID_FILE', 'source', `${name}: the file is empty: write it again`)
  throw new PackvecError('IO', 'source', `cannot read ${name}: the server answered ${status} to a range request`)
}

/** The whole file in memory, from a server that does not know ranges. */
async function downloadAll(
  name: string,
  answer: Answer,
  { http, judge, onProgress }: OpenHttpOptions,
): Promise<MemorySource & { identity: FileIdentity }> {
  if (http.onNoRange === 'refuse') {
    await answer.cancel()
    const message = `${name}: the server sent the whole file instead of a range: use one with range requests, or onNoRange: 'download'`
    throw new PackvecError('UNSUPPORTED', 'onNoRange', message)
  }
  const whole = await download(name, answer, { judge, onProgress, maxBytes: http.maxBytes })
  return Object.assign(new MemorySource(whole, name), { identity: identityOf(answer.headers, whole.length) })
}

/** A file behind HTTP, read by ranges. */
class HttpSource implements ByteSource {
  readonly name: string
  readonly identity: FileIdentity
  readonly shareMs: number | undefined
  readonly #url: URL
  readonly #options: CheckedHttpOptions
  /** The first bytes, which came with the first answer. */
  readonly #head: Uint8Array
  readonly #closed = new Stop()

  constructor(url: URL, options: CheckedHttpOptions, identity: FileIdentity, head: Uint8Array) {
    this.name = shownUrl(url)
    this.identity = identity
    this.shareMs = dropsRequests() ? undefined : options.requestTimeout
    this.#url = url
    this.#options = options
    this.#head = head
  }

  get byteLength(): number {
    return this.identity.byteLength
  }

  async read(position: number, target: Uint8Array, signal?: AbortSignal): Promise<void> {
    await this.readMany([{ position, target }], signal)
  }

  async readMany(ranges: readonly ByteRange[], signal?: AbortSignal): Promise<void> {
    for (const { position, target } of ranges) checkWithin(this, position, target.length)
    scatter(ranges, 0, this.#head)
    const rest = ranges.filter(({ position, target }) => position + target.length > this.#head.length)
    const spans = joinRanges(rest, this.#options.gapBytes)
    const stop = new Stop(signal, this.#closed)
    await readSpans(spans, this.#options.maxRequests, stop, async ({ position, length, ranges }) => {
      let at = position
      for await (const piece of this.#pieces(position, length, stop)) {
        scatter(ranges, at, piece)
        at += piece.length
      }
    })
  }

  async *stream(position: number, length: number, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    checkWithin(this, position, length)
    const inHead = Math.min(Math.max(0, this.#head.length - position), length)
    if (inHead > 0) yield this.#head.subarray(position, position + inHead)
    if (inHead === length) return
    const stop = new Stop(signal, this.#closed)
    try {
      yield* this.#pieces(position + inHead, length - inHead, stop)
    } finally {
      stop.unlink()
    }
  }

  /** Asks for the beginning once more: a server without validators shows a change there, where the digests are. */
  async checkUnchanged(): Promise<void> {
    const bytes = new Uint8Array(this.#head.length)
    let at = 0
    for await (const piece of this.#pieces(0, bytes.length, this.#closed)) {
      bytes.set(piece, at)
      at += piece.length
    }
    if (bytes.some((byte, i) => byte !== this.#head[i])) throw changed(this.name, 'its first bytes differ')
  }

  async close(): Promise<void> {
    this.#closed.abort(new PackvecError('IO', 'source', `cannot read ${this.name}: it is closed`))
  }

  /** The bytes of one range in order. If the stream breaks, it resumes after the last byte received. */
  async *#pieces(position: number, length: number, stop: Stop): AsyncGenerator<Uint8Array> {
    const retries = new Retries(this.#options, stop)
    let at = 0
    while (at < length) {
      try {
        const answer = await this.#ask(position + at, length - at, stop)
        const end = answer.end - position
        for await (const piece of answer.pieces()) {
          if (at + piece.length > end) throw tooLong(this.name)
          at += piece.length
          yield piece
        }
        if (at < end) throw shortBody(this.name, at, end)
      } catch (error) {
        await retries.after(error, at)
      }
    }
  }

  /** One range, or the beginning of it. @throws PackvecError CHANGED, IO; Transient */
  async #ask(position: number, length: number, stop: Stop): Promise<Answer & { end: number }> {
    const headers = { Range: `bytes=${position}-${position + length - 1}` }
    const answer = await request(this.#url, headers, this.#options, stop)
    return orCancel(answer, () => {
      if (answer.status === 416) throw changed(this.name, 'it is shorter now')
      if (answer.status !== 206) {
        const now = identityOf(answer.headers, checkTotal(answer.headers.get('content-length')) ?? this.byteLength)
        if (!sameFile(this.identity, now)) throw changed(this.name, 'the server has another version')
        const message = `cannot read ${this.name}: the server answered ${answer.status} to a range request, after 206 before`
        throw new PackvecError('IO', 'source', message)
      }
      const part = checkPart(this.name, answer, position, length)
      const now = identityOf(answer.headers, part.total)
      if (!sameFile(this.identity, now)) throw changed(this.name, 'the server has another version')
      return { ...answer, end: part.end }
    })
  }
}

async function orCancel<T>(answer: Answer, check: () => T): Promise<T> {
  try {
    return check()
  } catch (error) {
    await answer.cancel()
    throw error
  }
}

async function fill(answer: Answer, target: Uint8Array, name: string): Promise<void> {
  let at = 0
  for await (const piece of answer.pieces()) {
    if (at + piece.length > target.length) throw tooLong(name)
    target.set(piece, at)
    at += piece.length
  }
  if (at < target.length) throw shortBody(name, at, target.length)
}
