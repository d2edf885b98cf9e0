import { PackvecError } from '../../base/errors.js'
import { checkTotal } from './identity.js'
import type { Answer } from './request.js'
import { Transient } from './retry.js'

/**
 * The length of a file, from its beginning; undefined if it needs more of it. It throws for a file of another kind.
 */
export type Judge = (beginning: Uint8Array, byteLength?: number) => number | undefined

/** A judge whose errors name the file. */
export function named(name: string, judge: Judge | undefined): Judge | undefined {
  return (
    judge &&
    ((...beginning) => {
      try {
        return judge(...beginning)
      } catch (cause) {
        if (!(cause instanceof PackvecError)) throw cause
        throw new PackvecError(cause.code, cause.argument, `${name}: ${cause.message}`, { cause })
      }
    })
  )
}

export interface DownloadOptions {
  readonly judge?: Judge | undefined
  readonly maxBytes: number
  readonly onProgress?: ((bytes: number, totalBytes: number | undefined) => void) | undefined
}

/**
 * The body of an answer as one array. It is judged as it comes: memory grows with what has come until the length is known,
 * and then by no more than that, no matter what the server sends or unpacks to.
 * @throws PackvecError TOO_LARGE, IO, what `judge` throws; Transient
 */
export async function download(name: string, answer: Answer, options: DownloadOptions): Promise<Uint8Array> {
  const { judge, maxBytes, onProgress } = options
  // Of a body that was decoded on the way the length is not known: Content-Length counts what was sent.
  const announced = answer.headers.has('content-encoding')
    ? undefined
    : checkTotal(answer.headers.get('content-length'))
  if (announced !== undefined && announced > maxBytes) {
    await answer.cancel()
    throw tooLarge(name, announced, maxBytes)
  }
  const body = new Body()
  let total = judge === undefined ? announced : undefined
  for await (const piece of answer.pieces()) {
    body.add(piece)
    if (judge !== undefined && total === undefined) {
      total = judge(body.beginning(), announced)
      if (total !== undefined) {
        if (total > maxBytes) throw tooLarge(name, total, maxBytes)
        body.expect(total)
      }
    }
    if (total !== undefined && body.byteLength > total) throw tooLong(name)
    if (body.byteLength > maxBytes) throw tooLarge(name, undefined, maxBytes)
    onProgress?.(body.byteLength, total ?? announced)
  }
  const expected = total ?? announced
  if (expected !== undefined && body.byteLength < expected) throw shortBody(name, body.byteLength, expected)
  return body.whole()
}

/** Bytes that come in pieces, in one array that doubles until it is known how many they will be. */
class Body {
  #bytes = new Uint8Array(65_536)
  #length = 0

  get byteLength(): number {
    return this.#length
  }

  add(piece: Uint8Array): void {
    const length = this.#length + piece.length
    if (length > this.#bytes.length) this.#resize(Math.max(length, 2 * this.#bytes.length))
    this.#bytes.set(piece, this.#length)
    this.#length = length
  }

  /** Makes room for so many bytes at once. */
  expect(byteLength: number): void {
    if (byteLength > this.#bytes.length) this.#resize(byteLength)
  }

  beginning(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  whole(): Uint8Array {
    if (this.#length < this.#bytes.length) this.#resize(this.#length)
    return this.#bytes
  }

  #resize(byteLength: number): void {
    const bytes = new Uint8Array(byteLength)
    bytes.set(this.#bytes.subarray(0, Math.min(this.#length, byteLength)))
    this.#bytes = bytes
  }
}

export function tooLarge(name: string, bytes: number | undefined, maxBytes: number): PackvecError {
  const what = bytes === undefined ? `more than ${maxBytes} bytes` : `${bytes} bytes`
  const message = `${name}: opening takes ${what} into memory, maxBytes is ${maxBytes}: raise it if you trust the server`
  return new PackvecError('TOO_LARGE', 'maxBytes', message)
}

export function shortBody(name: string, bytes: number, expected: number): Transient {
  const message = `${name}: the server announced ${expected} bytes, but sent ${bytes}`
  return new Transient(new PackvecError('IO', 'source', message))
}

export function tooLong(name: string): PackvecError {
  const message = `${name}: the server sent more bytes than it announced: it must not compress or rewrite ranges`
  return new PackvecError('IO', 'source', message)
}
