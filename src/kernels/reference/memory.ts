import { bestRows } from './search.js'

/** Views and writes of the plain TypeScript kernels over one buffer. */
export function referenceMemory(buffer: ArrayBuffer) {
  // Addresses need no alignment, views of 4-byte numbers do: what is not aligned is read from a copy.
  const place = (ptr: number, byteLength: number): [ArrayBuffer, number] =>
    ptr % 4 === 0 ? [buffer, ptr] : [buffer.slice(ptr, ptr + byteLength), 0]
  const floats = (ptr: number, count: number) => new Float32Array(...place(ptr, 4 * count), count)
  const words = (ptr: number, count: number) => new Uint32Array(...place(ptr, 4 * count), count)
  const shorts = (ptr: number, count: number) => new Int16Array(...place(ptr, 2 * count), count)
  const int8 = (ptr: number, count: number) => new Int8Array(buffer, ptr, count)
  const uint8 = (ptr: number, count: number) => new Uint8Array(buffer, ptr, count)
  const write = (ptr: number, values: Float32Array | Int32Array | Uint32Array) =>
    uint8(ptr, values.byteLength).set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))

  /** The filter of `rowCount` rows at an address, if there is one. */
  function filterAt(allowedPtr: number | undefined, rowCount: number): Uint8Array | undefined {
    return allowedPtr ? uint8(allowedPtr, Math.ceil(rowCount / 8)) : undefined
  }

  /** Writes the answer of query number `q`: row numbers and scores, one query behind the other. */
  function writeBest(
    scores: Int32Array | Float32Array,
    k: number,
    q: number,
    idsPtr: number,
    scoresPtr: number,
    allowedPtr: number | undefined,
  ): void {
    const best = bestRows(scores, k, filterAt(allowedPtr, scores.length))
    const offset = 4 * q * best.length
    write(idsPtr + offset, best)
    const kept = scores.slice(0, best.length)
    for (const [rank, row] of best.entries()) kept[rank] = scores[row]!
    write(scoresPtr + offset, kept)
  }

  /** What `BoundKernel` makes of the sums of query number `q`: themselves without factors. */
  function boundsOf(
    sums: Int32Array,
    q: number,
    factorsPtr: number | undefined,
    boundsPtr: number | undefined,
  ): Int32Array | Float32Array {
    if (!factorsPtr) return sums
    const factors = floats(factorsPtr, sums.length)
    const [unit, high, low] = floats(boundsPtr! + 16 * q, 3) as unknown as [number, number, number]
    const { fround } = Math
    return new Float32Array(sums.length).map((_, row) => {
      const scaled = fround(fround(sums[row]!) * unit)
      const factor = factors[row]!
      return Math.max(fround(fround(scaled + high) * factor), fround(fround(scaled + low) * factor)) + 0
    })
  }

  return { floats, words, shorts, int8, uint8, write, filterAt, boundsOf, writeBest }
}

/** (x - start) / step with float32 rounding at both steps. */
export function scaled(value: number, start: number, step: number): number {
  return Math.fround(Math.fround(value - start) / step)
}
