import { checkCount, describe, fail } from '../check.js'
import { PackvecError } from '../errors.js'
import { abortError } from '../storage/source.js'

/** Ends a search for the caller's signal or for the time it takes. */
export class Deadline {
  readonly #controller = new AbortController()
  readonly #timeout: number | undefined
  readonly #outer: AbortSignal | undefined
  readonly #end: number
  readonly #timer: ReturnType<typeof setTimeout> | undefined
  readonly #abort = () => this.#controller.abort(this.#outer?.reason)

  /** @throws PackvecError INVALID_ARGUMENT, ABORTED */
  constructor({
    signal,
    timeout,
  }: { readonly signal?: AbortSignal | undefined; readonly timeout?: number | undefined }) {
    if (signal !== undefined && !(signal instanceof AbortSignal)) {
      fail('INVALID_ARGUMENT', 'signal', 'an AbortSignal', describe(signal))
    }
    this.#timeout = timeout === undefined ? undefined : checkCount(timeout, 'timeout')
    this.#outer = signal
    this.#end = performance.now() + (timeout ?? Number.POSITIVE_INFINITY)
    if (signal?.aborted) throw abortError(signal)
    signal?.addEventListener('abort', this.#abort, { once: true })
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
    if (this.signal.aborted) throw abortError(this.signal)
  }

  clear(): void {
    clearTimeout(this.#timer)
    this.#outer?.removeEventListener('abort', this.#abort)
  }

  #tooLong(): PackvecError {
    return new PackvecError('TIMEOUT', 'timeout', `the search took longer than ${this.#timeout} ms (timeout)`)
  }
}
