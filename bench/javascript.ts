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

function popcount32(x: number): number {
  let v = x - ((x >>> 1) & 0x55555555)
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333)
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

/** Hamming distances with a counting threshold, the same exact select as the kernel's. */
export function hammingTopKJs(query: Int32Array, codes: Int32Array, words: number, k: number): Uint32Array {
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

/** Dots of an int16 query with int8 rows; the best k by a threshold over a short sorted list. */
export function dotI8TopKJs(query: Int16Array, codes: Int8Array, k: number): Uint32Array {
  const dims = query.length
  const scores: number[] = []
  const ids: number[] = []
  let least = -Infinity
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
    if (score <= least) continue
    let at = scores.length
    while (at > 0 && scores[at - 1]! < score) at--
    scores.splice(at, 0, score)
    ids.splice(at, 0, row)
    if (scores.length > k) {
      scores.pop()
      ids.pop()
    }
    if (scores.length === k) least = scores[k - 1]!
  }
  return Uint32Array.from(ids)
}

export function dotF32TopJs(query: Float32Array, rows: Float32Array): number {
  const dims = query.length
  let best = -Infinity
  let id = 0
  for (let row = 0, p = 0; p < rows.length; row++, p += dims) {
    let a = 0
    let b = 0
    for (let d = 0; d < dims; d += 2) {
      a += query[d]! * rows[p + d]!
      b += query[d + 1]! * rows[p + d + 1]!
    }
    if (a + b > best) {
      best = a + b
      id = row
    }
  }
  return id
}
