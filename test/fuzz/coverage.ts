import { type Profiler, Session } from 'node:inspector'

/** What an input ran through in `src/`, by V8's block coverage: it guides the fuzzer to inputs that reach something new. */
export class Coverage {
  readonly #session = new Session()
  /** Every shape of coverage that a function has had. */
  readonly #seen = new Set<string>()

  constructor() {
    this.#session.connect()
    this.#session.post('Profiler.enable')
    this.#session.post('Profiler.startPreciseCoverage', { callCount: false, detailed: true })
  }

  /** Functions and the blocks of them that ran together, all there were. */
  get size(): number {
    return this.#seen.size
  }

  /** Whether anything ran since the last call that no input before has run. */
  isNew(): boolean {
    const before = this.#seen.size
    for (const { url, functions } of this.#take()) {
      if (!url.includes('/src/')) continue
      for (const { ranges } of functions) {
        const blocks = ranges.map(({ startOffset, endOffset, count }) => `${startOffset}-${endOffset}:${count}`)
        this.#seen.add(`${url} ${blocks.join(' ')}`)
      }
    }
    return this.#seen.size > before
  }

  close(): void {
    this.#session.post('Profiler.stopPreciseCoverage')
    this.#session.disconnect()
  }

  /** The inspector of the own thread answers at once. */
  #take(): Profiler.ScriptCoverage[] {
    let taken: Profiler.ScriptCoverage[] = []
    this.#session.post('Profiler.takePreciseCoverage', (error, { result }) => {
      if (error) throw error
      taken = result
    })
    return taken
  }
}
