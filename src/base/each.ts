import { isInstance, reading } from './check.js'

/** Calls `use` with each item, one after the other. What the caller's own iterator throws goes to the caller as it is. */
export async function forEachOf<T>(
  source: Iterable<T> | AsyncIterable<T>,
  argument: string,
  use: (item: T) => Promise<unknown> | undefined,
): Promise<void> {
  if (reading(argument, () => Symbol.asyncIterator in source)) {
    for await (const item of source) await use(item)
    return
  }
  // Not `for await`, which looks for `then` in every item: that of a proxy may throw.
  for (const item of source as Iterable<T>) await use(isInstance(item, Promise) ? await item : item)
}
