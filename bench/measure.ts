/** One way of doing the work; `run` returns something that depends on the result, so that nothing is optimised away. */
export interface Contender {
  readonly name: string
  run(): unknown
  /** Another process: `run` asks it for one sample, and it answers with milliseconds by its own clock. */
  readonly remote?: boolean
}

/** Milliseconds a call over the samples of one interleaved run. */
export interface Timing {
  readonly name: string
  readonly samples: number
  readonly min: number
  readonly median: number
  readonly p90: number
}

/** Keeps results alive. */
const sink: unknown[] = []

/**
 * A call shorter than this is repeated untimed for as long before each sample: the contender before it has emptied the
 * caches, and the time that matters is that of one query after the other.
 */
const SETTLE_MS = 20
const SETTLE_CALLS = 8

/** Calls shorter than this are repeated in a sample: clocks in browsers are coarse. */
const SAMPLE_MS = 1

/**
 * Times contenders in turns (A B C, A B C, ...), so that a change of the machine's load meets all of them alike. Each
 * runs twice before the clock starts, and the rule of the untimed calls is the same for all.
 */
export async function interleave(contenders: readonly Contender[], turns: number): Promise<Timing[]> {
  const times = contenders.map(() => [] as number[])
  const last: number[] = []
  const calls: number[] = []
  for (const [i, contender] of contenders.entries()) {
    await sample(contender, 1, false)
    last[i] = await sample(contender, 1, false)
    calls[i] = last[i]! < SAMPLE_MS ? Math.ceil(SAMPLE_MS / Math.max(last[i]!, 0.001)) : 1
  }
  for (let turn = 0; turn < turns; turn++) {
    for (const [i, contender] of contenders.entries()) {
      last[i] = await sample(contender, calls[i]!, last[i]! < SETTLE_MS)
      times[i]!.push(last[i]!)
    }
  }
  return contenders.map(({ name }, i) => summary(name, times[i]!))
}

async function sample({ run, remote }: Contender, calls: number, settle: boolean): Promise<number> {
  const settled = performance.now() + (settle ? SETTLE_MS : 0)
  for (let call = 0; call < SETTLE_CALLS && performance.now() < settled; call++) sink[0] = await run()
  if (remote) return (await run()) as number
  const start = performance.now()
  for (let call = 0; call < calls; call++) sink[0] = run()
  return (performance.now() - start) / calls
}

export function summary(name: string, times: readonly number[]): Timing {
  const sorted = [...times].sort((a, b) => a - b)
  const at = (q: number) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!
  return { name, samples: sorted.length, min: at(0), median: at(0.5), p90: at(0.9) }
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
