import { throwIfAborted } from '../base/abort.js'
import { checkCount, checkSignal } from '../base/check.js'
import { PackvecError } from '../base/errors.js'
import { onAbort } from '../base/on-abort.js'
import type { OptionChecks } from '../base/options.js'

/** How a caller limits a search, or an opening. */
export interface DeadlineOptions {
  readonly signal?: AbortSignal | undefined
  readonly timeout?: number | undefined
}

export const DEADLINE_CHECKS: OptionChecks<DeadlineOptions> = { signal: checkSignal, timeout: checkCount }

/** Ends a search, or an opening, for the caller's signal or for the time it takes. */
export class Deadline {
  readonly #controller = new AbortController()
  readonly #work: string
  readonly #timeout: number | undefined
  readonly #end: number
  readonly #timer: ReturnType<typeof setTimeout> | undefined
  readonly #unlink: (() => void) | undefined

  /** @throws PackvecError ABORTED */
  constructor({ signal, timeout }: DeadlineOptions, work = 'the search') {
    this.#work = work
    this.#timeout = timeout
    this.#end = performance.now() + (timeout ?? Number.POSITIVE_INFINITY)
    throwIfAborted(signal)
    this.#unlink = signal && onAbort(signal, () => this.#controller.abort(signal.reason))
    // Beyond 2^31 ms a timer fires at once.
    if (timeout !== undefined && timeout < 2 ** 31) {
      this.#timer = setTimeout(() => this.#controller.abort(this.#tooLong()), timeout)
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Between two scans: no timer runs while one does. @throws PackvecError ABORTED, TIMEOUT */
  check(): void {
    if (performance.now() >= this.#end) throw this.#tooLong()
    throwIfAborted(this.signal)
  }

  clear(): void {
    clearTimeout(this.#timer)
    this.#unlink?.()
  }

  #tooLong(): PackvecError {
    return new PackvecError('TIMEOUT', 'timeout', `${this.#work} took longer than ${this.#timeout} ms (timeout)`)
  }
}
