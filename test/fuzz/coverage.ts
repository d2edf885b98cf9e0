import { type Profiler, Session } from 'node:inspector'

// Counts from the moment this module is loaded and never stops: what was compiled before has no counters for its blocks.
const session = new Session()
session.connect()
session.post('Profiler.enable')
session.post('Profiler.startPreciseCoverage', { callCount: false, detailed: true })

/** What an input ran through in `src/`, by V8's block coverage: it guides the fuzzer to inputs that reach something new. */
export class Coverage {
  /** Every shape of coverage that a function has had. */
  readonly #seen = new Set<string>()

  constructor() {
    take()
  }

  /** Functions and the blocks of them that ran together, all there were. */
  get size(): number {
    return this.#seen.size
  }

  /** Whether anything ran since the last call that no input before has run. */
  isNew(): boolean {
    const before = this.#seen.size
    for (const { url, functions } of take()) {
      if (!url.includes('/src/')) continue
      for (const { ranges } of functions) {
        const blocks = ranges.map(({ startOffset, endOffset, count }) => `${startOffset}-${endOffset}:${count}`)
        this.#seen.add(`${url} ${blocks.join(' ')}`)
      }
    }
    return this.#seen.size > before
  }
}

/** What ran since the last time; the inspector of the own thread answers at once. */
function take(): Profiler.ScriptCoverage[] {
  let taken: Profiler.ScriptCoverage[] = []
  session.post('Profiler.takePreciseCoverage', (error, { result }) => {
    if (error) throw error
    taken = result
  })
  return taken
}
