import type { Stop } from '../../base/abort.js'
import { abortError, throwIfAborted } from '../../base/abort.js'
import { PackvecError } from '../../base/errors.js'
import { fetchFailure } from './failure.js'
import { type CheckedHttpOptions, shownUrl } from './options.js'
import { fetchFollowing } from './redirect.js'
import { retryAfter, Transient } from './retry.js'

/** One answer, its head already there; `pieces` gives the body. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  pieces(): AsyncGenerator<Uint8Array>
  /** Lets the rest of the body go. */
  cancel(): Promise<void>
}

/** A server that does not know the method or the version will not know it the next time. */
const PERMANENT_STATUSES: readonly number[] = [501, 505]

/**
 * Sends one request; neither its head nor any piece of its body may take longer than `requestTimeout`, and the body may not
 * be slower than `minBytesPerSecond`.
 * @throws Transient for a lost connection, silence, and answers that ask to try again; PackvecError IO, ABORTED
 */
export async function request(
  url: URL,
  headers: Readonly<Record<string, string>>,
  options: CheckedHttpOptions,
  stop: Stop,
): Promise<Answer> {
  throwIfAborted(stop)
  const attempt = new Attempt(url, options, stop)
  try {
    // With a range, fetch asks for identity by itself: a compressed answer would have other byte positions.
    const response = await attempt.watch(() => fetchFollowing(url, headers, options, attempt.signal))
    const { status } = response
    const cancel = async () => {
      await response.body?.cancel().catch(() => {})
      attempt.end()
    }
    if (status === 408 || status === 429 || (status >= 500 && !PERMANENT_STATUSES.includes(status))) {
      await cancel()
      throw new Transient(refused(url, response), retryAfter(response.headers))
    }
    if (status >= 400 && status !== 416) {
      await cancel()
      throw refused(url, response)
    }
    return { status, headers: response.headers, cancel, pieces: () => readBody(response, attempt) }
  } catch (error) {
    attempt.end()
    throw error
  }
}

async function* readBody(response: Response, attempt: Attempt): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader()
  try {
    for (;;) {
      const read = await attempt.watch(async () => reader?.read())
      if (read === undefined || read.done) return
      attempt.received(read.value.length)
      yield read.value
    }
  } finally {
    await reader?.cancel().catch(() => {})
    attempt.end()
  }
}

/** Aborts the request for the caller or for silence, and tells the two and a broken connection apart. */
class Attempt {
  readonly #controller = new AbortController()
  readonly #url: URL
  readonly #options: CheckedHttpOptions
  readonly #stop: Stop
  readonly #unlink: () => void
  #silent = false
  /** Since the speed was last looked at: milliseconds in which the server was waited for, and bytes that came. */
  #waited = 0
  #bytes = 0

  constructor(url: URL, options: CheckedHttpOptions, stop: Stop) {
    this.#url = url
    this.#options = options
    this.#stop = stop
    this.#unlink = stop.onAbort(() => this.#controller.abort())
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  async watch<T>(work: () => Promise<T>): Promise<T> {
    const { requestTimeout } = this.#options
    const start = performance.now()
    const timer = setTimeout(() => {
      this.#silent = true
      this.#controller.abort()
    }, requestTimeout)
    try {
      return await work()
    } catch (cause) {
      if (this.#stop.aborted) throw abortError(this.#stop)
      if (!this.#silent) throw fetchFailure(this.#url, cause)
      const message = `${shownUrl(this.#url)}: no byte arrived for ${requestTimeout} ms (requestTimeout)`
      throw new Transient(new PackvecError('TIMEOUT', 'requestTimeout', message, { cause }))
    } finally {
      clearTimeout(timer)
      this.#waited += performance.now() - start
    }
  }

  /** Counts bytes; a server that drips them is given up as a silent one is. @throws Transient */
  received(bytes: number): void {
    const { requestTimeout, minBytesPerSecond } = this.#options
    this.#bytes += bytes
    if (this.#waited < requestTimeout) return
    const [came, seconds] = [this.#bytes, this.#waited / 1000]
    this.#waited = 0
    this.#bytes = 0
    if (came >= minBytesPerSecond * seconds) return
    const what = `${came} bytes arrived in ${seconds.toFixed(1)} s, fewer than ${minBytesPerSecond} per second`
    const message = `${shownUrl(this.#url)}: ${what} (minBytesPerSecond)`
    throw new Transient(new PackvecError('TIMEOUT', 'minBytesPerSecond', message))
  }

  end(): void {
    this.#unlink()
  }
}

function refused(url: URL, { status, statusText }: Response): PackvecError {
  const message = `cannot read ${shownUrl(url)}: the server answered ${status} ${statusText}`.trim()
  return new PackvecError('IO', 'source', message, { cause: { status } })
}

/** The status that a request was refused with, if the error is such a refusal. */
export function statusOf({ cause }: PackvecError): number | undefined {
  return (cause as { status?: number } | undefined)?.status
}
