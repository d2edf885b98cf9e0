type Numbers = Uint32Array | Float64Array

/** Numbers whose count is not known before they have all come. */
export class Growing<T extends Numbers> {
  #values: T
  #length = 0
  readonly #type: new (
    length: number,
  ) => T

  constructor(type: new (length: number) => T) {
    this.#type = type
    this.#values = new type(1024)
  }

  get length(): number {
    return this.#length
  }

  get last(): number | undefined {
    return this.#length === 0 ? undefined : this.#values[this.#length - 1]
  }

  /** A view, good until the next `push`. */
  get values(): T {
    return this.#values.subarray(0, this.#length) as T
  }

  /** Forgets the values after the first `length`. */
  truncate(length: number): void {
    this.#length = Math.min(length, this.#length)
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const wider = new this.#type(Math.ceil(this.#length * 1.5))
      wider.set(this.#values)
      this.#values = wider
    }
    this.#values[this.#length++] = value
  }
}
