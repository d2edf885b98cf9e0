// The best plain JavaScript over typed arrays that we know for each kernel: what a user would write without WebAssembly.

/** Branch-free over the bit patterns: x > 0 where -bits and ~bits both have their top bit set. */
export function packBitsJs(values: Int32Array, codes: Uint8Array): Uint8Array {
  for (let i = 0, v = 0; i < codes.length; i++, v += 8) {
    const a = values[v]!
    const b = values[v + 1]!
    const c = values[v + 2]!
    const d = values[v + 3]!
    const e = values[v + 4]!
    const f = values[v + 5]!
    const g = values[v + 6]!
    const h = values[v + 7]!
    codes[i] =
      (((-a & ~a) >>> 31) << 7) |
      (((-b & ~b) >>> 31) << 6) |
      (((-c & ~c) >>> 31) << 5) |
      (((-d & ~d) >>> 31) << 4) |
      (((-e & ~e) >>> 31) << 3) |
      (((-f & ~f) >>> 31) << 2) |
      (((-g & ~g) >>> 31) << 1) |
      ((-h & ~h) >>> 31)
  }
  return codes
}

export function bucketJs(
  values: Float32Array,
  dims: number,
  starts: Float32Array,
  steps: Float32Array,
  codes: Int8Array,
): Int8Array {
  for (let row = 0; row < values.length; row += dims) {
    for (let d = 0; d < dims; d++) {
      const bucket = Math.fround(Math.fround(values[row + d]! - starts[d]!) / steps[d]!)
      codes[row + d] = (bucket < 0 ? 0 : bucket > 255 ? 255 : bucket | 0) - 128
    }
  }
  return codes
}

export function minMaxJs(values: Float32Array, dims: number, mins: Float32Array, maxs: Float32Array): Float32Array {
  for (let row = 0; row < values.length; row += dims) {
    for (let d = 0; d < dims; d++) {
      const value = values[row + d]!
      if (value < mins[d]!) mins[d] = value
      if (value > maxs[d]!) maxs[d] = value
    }
  }
  return mins
}

function popcount32(x: number): number {
  let v = x - ((x >>> 1) & 0x55555555)
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333)
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

/** Hamming distances with a counting threshold, the same exact select as the kernel's. */
export function hammingTopKJs(query: Int32Array, codes: Int32Array, k: number): Uint32Array {
  const words = query.length
  const bits = words * 32
  const counts = new Uint32Array(bits + 2)
  const ids: number[] = []
  const distances: number[] = []
  let threshold = bits + 1
  let accepted = 0
  for (let row = 0, p = 0; p < codes.length; row++, p += words) {
    let distance = 0
    for (let w = 0; w < words; w++) distance += popcount32(codes[p + w]! ^ query[w]!)
    if (distance >= threshold) continue
    ids.push(row)
    distances.push(distance)
    counts[distance]!++
    accepted++
    while (accepted >= k) accepted -= counts[--threshold]!
  }
  const order = ids.map((_, i) => i).filter((i) => distances[i]! <= threshold)
  order.sort((a, b) => distances[a]! - distances[b]! || a - b)
  return Uint32Array.from(order.slice(0, k), (i) => ids[i]!)
}

/** A short sorted list behind a threshold: few rows pass it. */
class Best {
  readonly #scores: number[] = []
  readonly #ids: number[] = []
  readonly #k: number
  least = Number.NEGATIVE_INFINITY

  constructor(k: number) {
    this.#k = k
  }

  add(row: number, score: number): void {
    let at = this.#scores.length
    while (at > 0 && this.#scores[at - 1]! < score) at--
    this.#scores.splice(at, 0, score)
    this.#ids.splice(at, 0, row)
    if (this.#scores.length > this.#k) {
      this.#scores.pop()
      this.#ids.pop()
    }
    if (this.#scores.length === this.#k) this.least = this.#scores[this.#k - 1]!
  }

  get ids(): Uint32Array {
    return Uint32Array.from(this.#ids)
  }
}

/** Dots of 2-bit codes counted as -3 -1 1 3: equal high bits weigh 4, a high with a low bit 2, equal low bits 1. */
export function dotPairsTopKJs(query: Int32Array, codes: Int32Array, dims: number, k: number): Uint32Array {
  const words = query.length
  const best = new Best(k)
  for (let row = 0, p = 0; p < codes.length; row++, p += words) {
    let lost = 0
    for (let w = 0; w < words; w++) {
      const q = query[w]!
      const c = codes[p + w]!
      const swapped = ((c >>> 1) & 0x55555555) | ((c & 0x55555555) << 1)
      const unlike = q ^ c
      lost += 2 * popcount32(unlike) + 6 * popcount32(unlike & 0xaaaaaaaa) + 4 * popcount32(q ^ swapped)
    }
    const score = 9 * dims - lost
    if (score > best.least) best.add(row, score)
  }
  return best.ids
}

/** Sums of one look-up a byte, in tables of 256. */
export function scanTableTopKJs(tables: Uint16Array, codes: Uint8Array, rowBytes: number, k: number): Uint32Array {
  const best = new Best(k)
  for (let row = 0, p = 0; p < codes.length; row++, p += rowBytes) {
    let score = 0
    for (let b = 0; b < rowBytes; b++) score += tables[(b << 8) | codes[p + b]!]!
    if (score > best.least) best.add(row, score)
  }
  return best.ids
}

/** Dots of an int16 query with int8 rows. */
export function dotI8TopKJs(query: Int16Array, codes: Int8Array, k: number): Uint32Array {
  const dims = query.length
  const best = new Best(k)
  for (let row = 0, p = 0; p < codes.length; row++, p += dims) {
    let a = 0
    let b = 0
    let c = 0
    let e = 0
    for (let d = 0; d < dims; d += 4) {
      a = (a + query[d]! * codes[p + d]!) | 0
      b = (b + query[d + 1]! * codes[p + d + 1]!) | 0
      c = (c + query[d + 2]! * codes[p + d + 2]!) | 0
      e = (e + query[d + 3]! * codes[p + d + 3]!) | 0
    }
    const score = (a + b + c + e) | 0
    if (score > best.least) best.add(row, score)
  }
  return best.ids
}

export function dotF32TopKJs(query: Float32Array, rows: Float32Array, k: number): Uint32Array {
  const dims = query.length
  const best = new Best(k)
  for (let row = 0, p = 0; p < rows.length; row++, p += dims) {
    let a = 0
    let b = 0
    for (let d = 0; d < dims; d += 2) {
      a += query[d]! * rows[p + d]!
      b += query[d + 1]! * rows[p + d + 1]!
    }
    if (a + b > best.least) best.add(row, a + b)
  }
  return best.ids
}
