import { checkFunction, checkSignal } from './check.js'
import type { OptionChecks } from './options.js'

/** How a caller follows and stops long work. */
export interface RunOptions {
  /** Hears the fraction done, rising to 1. */
  readonly onProgress?: ((fraction: number) => void) | undefined
  /** Ends the work between two steps: its reason is thrown. */
  readonly signal?: AbortSignal | undefined
}

export const RUN_CHECKS: OptionChecks<RunOptions> = { onProgress: checkFunction, signal: checkSignal }

/** Work cut into steps of some milliseconds: yields the fraction done, returns the result. */
export type Steps<T> = Generator<number, T, void>

/** Milliseconds of work between two breaks: a frame of a page that scrolls. */
const BREAK_MS = 16

export function runSteps<T>(steps: Steps<T>, { onProgress, signal }: RunOptions): T {
  for (;;) {
    signal?.throwIfAborted()
    const next = steps.next()
    if (next.done) return next.value
    onProgress?.(next.value)
  }
}

/** `runSteps` on the same thread, giving way to other work every few steps. */
export async function runStepsAsync<T>(steps: Steps<T>, { onProgress, signal }: RunOptions): Promise<T> {
  for (let rested = Number.NEGATIVE_INFINITY; ; ) {
    if (performance.now() - rested > BREAK_MS) {
      await new Promise((resolve) => setTimeout(resolve))
      rested = performance.now()
    }
    signal?.throwIfAborted()
    const next = steps.next()
    if (next.done) return next.value
    onProgress?.(next.value)
  }
}

/** Steps that are the part of other work from `from` to `to`. */
export function* partOf<T>(steps: Steps<T>, from: number, to: number): Steps<T> {
  for (;;) {
    const next = steps.next()
    if (next.done) return next.value
    yield from + (to - from) * next.value
  }
}
