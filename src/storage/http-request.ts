import { PackvecError } from '../errors.js'
import { type CheckedHttpOptions, shownUrl } from './http-options.js'
import { abortError, throwIfAborted } from './source.js'
import type { Stop } from './stop.js'

/** One answer, its head already there; `pieces` gives the body. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  pieces(): AsyncGenerator<Uint8Array>
  /** Lets the rest of the body go. */
  cancel(): Promise<void>
}

/** A failure that another attempt may mend. */
export class Transient extends Error {
  readonly failure: PackvecError
  /** Milliseconds that the server asked to be left alone for. */
  readonly wait: number

  constructor(failure: PackvecError, wait = 0) {
    super(failure.message)
    this.failure = failure
    this.wait = wait
  }
}

/** More than a user waits for. */
const MAX_WAIT = 30_000

/**
 * Sends one request; neither its head nor any piece of its body may take longer than `requestTimeout`.
 * @throws Transient for a lost connection, silence, and answers that ask to try again; PackvecError IO, ABORTED
 */
export async function request(
  url: URL,
  headers: Readonly<Record<string, string>>,
  options: CheckedHttpOptions,
  stop: Stop,
): Promise<Answer> {
  throwIfAborted(stop)
  const attempt = new Attempt(url, options.requestTimeout, stop)
  try {
    const response = await attempt.watch(() =>
      options.fetch(url, {
        // With a range, fetch asks for identity by itself: a compressed answer would have other byte positions.
        headers: { ...options.headers, ...headers },
        signal: attempt.signal,
        // The browser's own cache locks a URL while a range of it is under way: the ranges would wait for one another.
        cache: 'no-store',
      }),
    )
    const { status } = response
    const cancel = async () => {
      await response.body?.cancel().catch(() => {})
      attempt.end()
    }
    if (status === 408 || status === 429 || status >= 500) {
      await cancel()
      throw new Transient(refused(url, response), retryAfter(response))
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
  readonly #timeout: number
  readonly #stop: Stop
  readonly #unlink: () => void
  #silent = false

  constructor(url: URL, timeout: number, stop: Stop) {
    this.#url = url
    this.#timeout = timeout
    this.#stop = stop
    this.#unlink = stop.onAbort(() => this.#controller.abort())
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  async watch<T>(work: () => Promise<T>): Promise<T> {
    const timer = setTimeout(() => {
      this.#silent = true
      this.#controller.abort()
    }, this.#timeout)
    try {
      return await work()
    } catch (cause) {
      if (this.#stop.aborted) throw abortError(this.#stop)
      const name = shownUrl(this.#url)
      if (this.#silent) {
        const message = `${name}: no byte came for ${this.#timeout} ms (requestTimeout)`
        throw new Transient(new PackvecError('TIMEOUT', 'requestTimeout', message, { cause }))
      }
      const message = `cannot read ${name}: ${reasonOf(cause as Error)}`
      throw new Transient(new PackvecError('IO', 'source', message, { cause }))
    } finally {
      clearTimeout(timer)
    }
  }

  end(): void {
    this.#unlink()
  }
}

/** Node says "fetch failed" and keeps the reason in the cause. */
function reasonOf({ message, cause }: Error): string {
  const inner = cause as { message?: string; code?: string } | undefined
  return inner?.message || inner?.code ? `${message} (${inner.message || inner.code})` : message
}

function refused(url: URL, { status, statusText }: Response): PackvecError {
  const message = `cannot read ${shownUrl(url)}: the server answered ${status} ${statusText}`.trim()
  return new PackvecError('IO', 'source', message, { cause: { status } })
}

/** The status that a request was refused with, if the error is such a refusal. */
export function statusOf({ cause }: PackvecError): number | undefined {
  return (cause as { status?: number } | undefined)?.status
}

function retryAfter({ headers }: Response): number {
  const seconds = Number(headers.get('retry-after'))
  return seconds > 0 ? Math.min(1000 * seconds, MAX_WAIT) : 0
}

/** A connection that broke after so many bytes was a good one: failures are counted anew. */
const PROGRESS_BYTES = 1 << 20

/** How often a transfer is taken up again, and after how long. */
export class Retries {
  readonly #options: CheckedHttpOptions
  readonly #stop: Stop
  #failures = 0
  #bytes = 0

  constructor(options: CheckedHttpOptions, stop: Stop) {
    this.#options = options
    this.#stop = stop
  }

  /** Waits before the next attempt; throws what is not to be tried again, or no more. `bytes`: received so far. */
  async after(error: unknown, bytes = 0): Promise<void> {
    if (!(error instanceof Transient)) throw error
    if (bytes - this.#bytes >= PROGRESS_BYTES) this.#failures = 0
    this.#bytes = bytes
    const { retries, retryDelay } = this.#options
    if (this.#failures === retries) throw error.failure
    // Half of the delay is random: clients that lost the same server do not come back together.
    const delay = retryDelay * 2 ** this.#failures * (0.5 + Math.random() / 2)
    this.#failures++
    await pause(Math.min(Math.max(error.wait, delay), MAX_WAIT), this.#stop)
  }
}

function pause(ms: number, stop: Stop): Promise<void> {
  throwIfAborted(stop)
  return new Promise((resolve, reject) => {
    const unlink = stop.onAbort(() => {
      clearTimeout(timer)
      reject(abortError(stop))
    })
    const timer = setTimeout(() => {
      unlink()
      resolve()
    }, ms)
  })
}
