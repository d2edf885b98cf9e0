import { PackvecError } from './errors.js'
import { onAbort } from './on-abort.js'

/** A signal or a stop: both can be aborted. */
export interface Abortable {
  readonly aborted: boolean
  readonly reason: unknown
}

/** @throws PackvecError ABORTED, or the one that the signal was aborted with */
export function throwIfAborted(signal: Abortable | undefined): void {
  if (signal?.aborted) throw abortError(signal)
}

export function abortError({ reason }: Abortable): PackvecError {
  if (reason instanceof PackvecError) return reason
  return new PackvecError('ABORTED', 'signal', 'the signal was aborted before the work was done', { cause: reason })
}

/**
 * Aborted with the first of its parents, or by hand. `AbortSignal.any` is missing in hosts we run on, and Node warns of a
 * leak when more than ten requests listen to one signal.
 */
export class Stop implements Abortable {
  readonly #callbacks = new Set<() => void>()
  readonly #unlinks: (() => void)[]
  #aborted = false
  #reason: unknown

  constructor(...parents: readonly (AbortSignal | Stop | undefined)[]) {
    this.#unlinks = parents.flatMap((parent) => {
      if (parent === undefined) return []
      const abort = () => this.abort(parent.reason)
      if (parent.aborted) abort()
      return [parent instanceof Stop ? parent.onAbort(abort) : onAbort(parent, abort)]
    })
  }

  get aborted(): boolean {
    return this.#aborted
  }

  get reason(): unknown {
    return this.#reason
  }

  abort(reason: unknown): void {
    if (this.#aborted) return
    this.#aborted = true
    this.#reason = reason
    for (const callback of this.#callbacks) callback()
  }

  /** Calls `callback` on abort; the returned function unregisters it. */
  onAbort(callback: () => void): () => void {
    this.#callbacks.add(callback)
    return () => this.#callbacks.delete(callback)
  }

  /** Unlinks it from its parents, which may live much longer. */
  unlink(): void {
    for (const unlink of this.#unlinks) unlink()
  }
}
