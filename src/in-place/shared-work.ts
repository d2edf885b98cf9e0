import { abortError, throwIfAborted } from '../base/abort.js'
import { onAbort } from '../base/on-abort.js'

/**
 * Work that several wait for. Each of them may leave; the work ends early when all of them have. Who joins never waits longer
 * than it says: on a host that drops requests the work may be one that never ends.
 */
export class SharedWork<T> {
  readonly #controller = new AbortController()
  readonly #result: Promise<T>
  #waiting = 0
  #ended = false

  /** Begins at once. `onEnd` is called when it has ended, or when all have left. */
  constructor(work: (signal: AbortSignal) => Promise<T>, onEnd: () => void) {
    this.#result = work(this.#controller.signal)
    onAbort(this.#controller.signal, onEnd)
    const end = () => {
      this.#ended = true
      onEnd()
    }
    // Whoever waits gets the failure; nobody may be left to wait.
    this.#result.then(end, end)
  }

  /** The result, or undefined after `patience` milliseconds. @throws PackvecError ABORTED, and what the work throws */
  async join(signal: AbortSignal | undefined, patience?: number): Promise<T | undefined> {
    throwIfAborted(signal)
    this.#waiting++
    let unlink: (() => void) | undefined
    let timer: ReturnType<typeof setTimeout> | undefined
    try {
      const left = new Promise<undefined>((resolve, reject) => {
        unlink = signal && onAbort(signal, () => reject(abortError(signal)))
        if (patience !== undefined) timer = setTimeout(() => resolve(undefined), patience)
      })
      return await Promise.race([this.#result, left])
    } finally {
      unlink?.()
      clearTimeout(timer)
      this.#waiting--
      if (this.#waiting === 0 && !this.#ended) this.#controller.abort()
    }
  }
}
