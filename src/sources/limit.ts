import type { Stop } from '../base/abort.js'

/** Lets a number of tasks run at once; the others wait in the order they came. */
class Limit {
  readonly #waiting: (() => void)[] = []
  #free: number

  constructor(count: number) {
    this.#free = count
  }

  /** Waits for a place; the function it gives leaves it. */
  async enter(): Promise<() => void> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    let inside = true
    return () => {
      if (!inside) return
      inside = false
      const next = this.#waiting.shift()
      if (next === undefined) this.#free++
      else next()
    }
  }
}

/**
 * Runs `read` on each span, `maxRequests` at a time; the first that fails aborts `stop`, for nobody waits for the others any
 * more. The count is of this call alone: where an edge host drops a request halfway, no `finally` runs, and places in a count
 * that calls share would never be free again.
 */
export async function readSpans<T>(
  spans: readonly T[],
  maxRequests: number,
  stop: Stop,
  read: (span: T) => Promise<void>,
): Promise<void> {
  const limit = new Limit(maxRequests)
  try {
    await Promise.all(
      spans.map(async (span) => {
        const leave = await limit.enter()
        try {
          await read(span)
        } catch (error) {
          // Before its place is free: those that wait for one must not begin.
          stop.abort(error)
          throw error
        } finally {
          leave()
        }
      }),
    )
  } finally {
    stop.unlink()
  }
}
