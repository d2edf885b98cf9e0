/** Seeded numbers for tests: mulberry32, then Box-Muller. */
export function randomSource(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** rows x dims of unit-length rows with normal entries. */
export function unitRows(rows: number, dims: number, seed: number): Float32Array<ArrayBuffer> {
  const random = randomSource(seed)
  const data = new Float32Array(rows * dims)
  for (let row = 0; row < rows; row++) {
    const vector = data.subarray(row * dims, (row + 1) * dims)
    for (let d = 0; d < dims; d++) {
      vector[d] = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
    }
    const norm = Math.hypot(...vector.subarray(0, Math.min(dims, 60_000)))
    for (let d = 0; d < dims; d++) vector[d] = vector[d]! / (norm || 1)
  }
  return data
}

export function matrix(rows: number, dims: number, seed: number): { data: Float32Array<ArrayBuffer>; dims: number[] } {
  return { data: unitRows(rows, dims, seed), dims: [rows, dims] }
}

/** Rows of few distinct vectors, so that equal scores stand everywhere. */
export function tiedRows(rows: number, dims: number, distinct: number, seed: number) {
  const vectors = unitRows(distinct, dims, seed)
  const random = randomSource(seed)
  const data = new Float32Array(rows * dims)
  for (let row = 0; row < rows; row++) {
    const from = Math.floor(random() * distinct) * dims
    data.set(vectors.subarray(from, from + dims), row * dims)
  }
  return { data, dims: [rows, dims] }
}

/** The error a call throws, for assertions on its code and message. */
export function thrownBy(call: () => unknown): { name: string; code: string; argument: string; message: string } {
  try {
    call()
  } catch (error) {
    return error as { name: string; code: string; argument: string; message: string }
  }
  throw new Error('expected the call to throw')
}
