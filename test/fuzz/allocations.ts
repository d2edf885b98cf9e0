const ARRAYS = [
  ...(['ArrayBuffer', 'Uint8Array', 'Int8Array', 'Uint16Array', 'Uint32Array', 'Int32Array'] as const),
  ...(['Float32Array', 'Float64Array', 'BigUint64Array', 'BigInt64Array', 'Array'] as const),
]

/**
 * Counts the bytes that typed arrays, arrays of a given length and wasm memories take, and refuses what is beyond a limit: an
 * allocation that no input of its size justifies is found without being made.
 */
export class Allocations {
  #bytes = 0
  #limit = Number.POSITIVE_INFINITY
  readonly #originals = new Map<string, unknown>()
  readonly #memory = WebAssembly.Memory

  constructor() {
    const globals = globalThis as unknown as Record<string, new (...given: unknown[]) => object>
    for (const name of ARRAYS) {
      const original = globals[name]!
      this.#originals.set(name, original)
      const { BYTES_PER_ELEMENT = name === 'Array' ? 8 : 1 } = original as { BYTES_PER_ELEMENT?: number }
      const construct = (target: typeof original, given: unknown[], newTarget: unknown): object => {
        const length = given[0]
        if (typeof length === 'number') this.#count(length * BYTES_PER_ELEMENT)
        return Reflect.construct(target, given, newTarget === globals[name] ? target : (newTarget as typeof original))
      }
      globals[name] = new Proxy(original, { construct })
    }
    const count = (pages: number) => this.#count(pages * 65_536)
    WebAssembly.Memory = class extends this.#memory {
      constructor(descriptor: WebAssembly.MemoryDescriptor) {
        count(descriptor.initial)
        super(descriptor)
      }
    }
  }

  /** Begins anew, for an input that may take `limit` bytes. */
  reset(limit: number): void {
    this.#bytes = 0
    this.#limit = limit
  }

  /** What was asked for beyond the limit, even where the library has made a `TOO_LARGE` of its refusal. */
  get excess(): string | undefined {
    return this.#bytes > this.#limit ? `asked for ${this.#bytes} bytes, ${this.#limit} are allowed` : undefined
  }

  restore(): void {
    for (const [name, original] of this.#originals) (globalThis as Record<string, unknown>)[name] = original
    WebAssembly.Memory = this.#memory
  }

  #count(bytes: number): void {
    // Lengths that are none throw by themselves.
    if (!(bytes > 0)) return
    this.#bytes += bytes
    if (this.excess !== undefined) throw new RangeError(this.excess)
  }
}
