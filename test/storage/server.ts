import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Asked {
  readonly range: string | undefined
  readonly headers: IncomingMessage['headers']
  readonly first: number
  /** The byte behind the last one. */
  readonly end: number
  /** Number of the request, from 0. */
  readonly number: number
}

/** Answers a request in its own way; returns false to leave it to the server. */
export type Behaviour = (asked: Asked, response: ServerResponse) => boolean | Promise<boolean>

/** One file behind HTTP with ranges and validators, and whatever a test makes of it. */
export class FileServer {
  content: Uint8Array
  etag: string | undefined = '"one"'
  lastModified: string | undefined
  behaviour: Behaviour = () => false
  /** Sent with every answer. */
  headers: Record<string, string> = {}
  readonly asked: Asked[] = []
  bytesSent = 0
  readonly #server: Server

  constructor(content: Uint8Array) {
    this.content = content
    this.#server = createServer((request, response) => void this.answer(request, response))
  }

  async open(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return this
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/corpus.safetensors`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  /** Forgets what was asked, and behaves. */
  reset(): void {
    this.asked.length = 0
    this.bytesSent = 0
    this.behaviour = () => false
  }

  validators(): Record<string, string> {
    return {
      ...(this.etag === undefined ? {} : { ETag: this.etag }),
      ...(this.lastModified === undefined ? {} : { 'Last-Modified': this.lastModified }),
      ...this.headers,
    }
  }

  /** The headers of an honest answer 206. */
  partHeaders({ first, end }: Asked): Record<string, string> {
    return {
      ...this.validators(),
      'Content-Range': `bytes ${first}-${end - 1}/${this.content.length}`,
      'Content-Length': String(end - first),
    }
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { range } = request.headers
    const [, from = '0', to = ''] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? []
    const first = Number(from)
    const end = Math.min(this.content.length, to === '' ? this.content.length : Number(to) + 1)
    const asked = { range, headers: request.headers, first, end, number: this.asked.length }
    this.asked.push(asked)
    if (await this.behaviour(asked, response)) return
    if (request.headers['if-none-match'] === this.etag && this.etag !== undefined) {
      response.writeHead(304, this.validators()).end()
    } else if (range === undefined) {
      this.bytesSent += this.content.length
      response.writeHead(200, { ...this.validators(), 'Content-Length': this.content.length }).end(this.content)
    } else if (first >= this.content.length) {
      response.writeHead(416, { ...this.validators(), 'Content-Range': `bytes */${this.content.length}` }).end()
    } else {
      this.bytesSent += end - first
      response.writeHead(206, this.partHeaders(asked)).end(this.content.subarray(first, end))
    }
  }
}

/** Bytes of which no two places look alike. */
export function patternBytes(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length)
  for (let i = 0, x = 1; i < length; i++) {
    x = (Math.imul(x, 1_664_525) + 1_013_904_223) >>> 0
    bytes[i] = x >>> 24
  }
  return bytes
}

export async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: number[] = []
  for await (const piece of pieces) for (const byte of piece) all.push(byte)
  return Uint8Array.from(all)
}

/** The error that a promise is rejected with. */
export async function rejectionOf(
  promise: Promise<unknown>,
): Promise<{ name: string; code: string; argument: string; message: string; cause?: unknown }> {
  try {
    await promise
  } catch (error) {
    return error as Awaited<ReturnType<typeof rejectionOf>>
  }
  throw new Error('expected the promise to be rejected')
}
