/**
 * One piece of work after the other: every search takes all workers, so that two at once would only share them. An abort
 * rejects at once; work that was begun still ends before the next begins, work that was not is left out.
 */
export class Queue {
  #last: Promise<unknown> = Promise.resolve()

  run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (signal?.aborted) return Promise.reject(signal.reason)
    const done = this.#last.then(() => {
      if (signal?.aborted) throw signal.reason
      return work()
    })
    this.#last = done.catch(() => {})
    if (signal === undefined) return done
    return new Promise((resolve, reject) => {
      const abort = () => reject(signal.reason)
      signal.addEventListener('abort', abort, { once: true })
      done.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
    })
  }
}
