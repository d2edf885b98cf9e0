import { reading } from './check.js'

/**
 * Calls `use` with each item, one after the other, and waits where it gives a promise. Items of a plain iterable are not awaited
 * themselves: that looks for `then`, which may throw. What the caller's own iterator throws goes to the caller as it is.
 */
export async function forEachOf<T>(
  source: Iterable<T> | AsyncIterable<T>,
  argument: string,
  use: (item: T) => Promise<unknown> | undefined,
): Promise<void> {
  if (reading(argument, () => Symbol.asyncIterator in source)) {
    for await (const item of source) await use(item)
    return
  }
  for (const item of source as Iterable<T>) {
    const work = use(item)
    // Not for nothing: a list may have millions of items.
    if (work !== undefined) await work
  }
}
