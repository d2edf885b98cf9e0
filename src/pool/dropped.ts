/** An engine collects when so much has been allocated outside its heap; what nobody writes to takes no memory (measured). */
const PRESSURE_BYTES = 1 << 26
/** V8 needs 2 to 5 turns (measured); where the collector does not come, waiting ends. */
const MOST_TURNS = 40

/**
 * Memories that were dropped and are still taken, as far as the garbage collector tells. An idle thread may never collect:
 * what an index is said to have given back would stay taken.
 */
export class Dropped {
  readonly #registry = new FinalizationRegistry<undefined>(() => {
    this.#count--
  })
  #count = 0
  #turns = 0

  add(memory: object): void {
    this.#registry.register(memory, undefined)
    this.#count++
    this.#turns = MOST_TURNS
  }

  /** Whether turns of the event loop are needed: memory is free once the loop has heard of it. */
  get waits(): boolean {
    return this.#count > 0 && this.#turns > 0
  }

  /** Makes it likely that the collector comes. */
  press(): void {
    this.#turns--
    try {
      new ArrayBuffer(PRESSURE_BYTES)
    } catch {
      // No room: the collector has been.
    }
  }
}
