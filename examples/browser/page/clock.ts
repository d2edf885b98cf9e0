/**
 * Mean milliseconds of a call. Browsers round their clocks to between 5 microseconds and 1 ms, so calls are repeated until
 * they take long enough together.
 */
export async function timeOf(work: () => unknown, atLeastMs = 20, maxCalls = 2000): Promise<number> {
  // The first call may compile.
  await work()
  let calls = 0
  let elapsed = 0
  const start = performance.now()
  while (elapsed < atLeastMs && calls < maxCalls) {
    await work()
    calls++
    elapsed = performance.now() - start
  }
  return elapsed / calls
}

/** Milliseconds of one call of some length. */
export function timeOnce(work: () => unknown): number {
  const start = performance.now()
  work()
  return performance.now() - start
}

/** Lets the page draw and answer keys between two pieces of work. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve))
}
