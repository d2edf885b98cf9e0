import type { Stop } from '../../base/abort.js'
import { abortError, throwIfAborted } from '../../base/abort.js'
import type { PackvecError } from '../../base/errors.js'
import type { CheckedHttpOptions } from './options.js'

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

/** The delay that `Retry-After` asks for: seconds, or a date, compared with the server's own clock if it tells that. */
export function retryAfter(headers: Headers): number {
  const text = headers.get('retry-after') ?? ''
  const now = Date.parse(headers.get('date') ?? '')
  const ms = /^\s*[\d.]+\s*$/.test(text)
    ? 1000 * Number(text)
    : Date.parse(text) - (Number.isNaN(now) ? Date.now() : now)
  return ms > 0 ? Math.min(ms, MAX_WAIT) : 0
}

/** A connection that broke after so many bytes was a good one: the count of failures starts again. */
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

  /** Waits before the next attempt; throws errors that cannot go away, or the last one. `bytes`: received so far. */
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
