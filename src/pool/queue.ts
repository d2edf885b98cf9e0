import { abortError } from '../base/abort.js'
import { onAbort } from '../base/on-abort.js'
import type { Deadline } from '../in-place/deadline.js'

/**
 * One piece of work after the other: every search takes all workers, so that two at once would only share them. A deadline
 * that passes rejects at once; work that was begun still ends before the next begins, work that was not is left out.
 */
export class Queue {
  #last: Promise<void> = Promise.resolve()

  /** @throws (rejects with) PackvecError ABORTED, TIMEOUT, and what the work throws */
  run<T>(work: () => Promise<T>, deadline?: Deadline): Promise<T> {
    const done = this.#last.then(() => {
      deadline?.check()
      return work()
    })
    // Without its result: the queue would keep that until the next work.
    this.#last = done.then(
      () => {},
      () => {},
    )
    if (deadline === undefined) return done
    return new Promise((resolve, reject) => {
      const unlink = onAbort(deadline.signal, () => reject(abortError(deadline.signal)))
      done.then(resolve, reject).finally(unlink)
    })
  }
}
