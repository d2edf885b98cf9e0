/** One way of doing the work; `run` returns something that depends on the result, so that nothing is optimised away. */
export interface Contender {
  readonly name: string
  run(): unknown
}

/** Milliseconds over the repeats. */
export interface Timing {
  readonly name: string
  readonly min: number
  readonly median: number
  readonly p90: number
}

/** Keeps results alive. */
export const sink: unknown[] = []

/**
 * Times contenders in turns (A B C, A B C, ...), so that a change of the machine's load meets all of them alike. Each runs
 * once before the clock starts.
 */
export function interleave(contenders: readonly Contender[], repeats: number): Timing[] {
  const times = contenders.map(() => [] as number[])
  for (const contender of contenders) sink[0] = contender.run()
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const [i, contender] of contenders.entries()) {
      const start = performance.now()
      sink[0] = contender.run()
      times[i]!.push(performance.now() - start)
    }
  }
  return contenders.map(({ name }, i) => {
    const sorted = times[i]!.sort((a, b) => a - b)
    return { name, min: sorted[0]!, median: quantile(sorted, 0.5), p90: quantile(sorted, 0.9) }
  })
}

function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!
}

/** Stops the bench where a contender is wrong: a fast wrong answer is not a time. */
export function verify(condition: boolean, what: string): void {
  if (!condition) throw new Error(`bench: ${what}`)
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
