/**
 * Multiplies by signs and scale, then by the Walsh-Hadamard matrix (entries +1 and -1, natural order), block by block, in
 * place. Stages run from neighbours outwards; two stages share a pass over the block.
 */
export function hadamardRows(
  rowsPtr: usize,
  rowBytes: usize,
  rowCount: usize,
  blockDims: usize,
  blockCount: usize,
  signsPtr: usize,
  scale: f32,
): void {
  assert(blockDims !== 0 && (blockDims & (blockDims - 1)) === 0, 'blockDims must be a power of two')
  assert((blockDims * blockCount) << 2 <= rowBytes, 'the blocks must fit rowBytes')
  for (; rowCount; --rowCount) {
    for (let block: usize = 0; block < blockCount; ++block) {
      const offset = (block * blockDims) << 2
      if (blockDims < 4) small(rowsPtr + offset, signsPtr + offset, blockDims, scale)
      else hadamard(rowsPtr + offset, signsPtr + offset, blockDims, scale)
    }
    rowsPtr += rowBytes
  }
}

/** Blocks of one or two. */
function small(ptr: usize, signsPtr: usize, blockDims: usize, scale: f32): void {
  const a = load<f32>(ptr) * load<f32>(signsPtr) * scale
  if (blockDims === 1) {
    store<f32>(ptr, a)
    return
  }
  const b = load<f32>(ptr, 4) * load<f32>(signsPtr, 4) * scale
  store<f32>(ptr, a + b)
  store<f32>(ptr, a - b, 4)
}

function hadamard(ptr: usize, signsPtr: usize, blockDims: usize, scale: f32): void {
  const end = ptr + (blockDims << 2)
  signStages(ptr, end, signsPtr, scale)
  let half: usize = 16
  for (; ptr + half * 4 <= end; half <<= 2) twoStages(ptr, end, half)
  if (ptr + half * 2 <= end) oneStage(ptr, half)
}

/**
 * Signs, scale and the stages within four lanes. Of neighbours: each lane pair (a, b) becomes (a, a) + (b, -b); then of
 * pairs: (p, q) becomes (p, p) + (q, -q). The minus is a flipped sign bit.
 */
function signStages(ptr: usize, end: usize, signsPtr: usize, scale: f32): void {
  const scales = f32x4.splat(scale)
  const odd = i32x4(0, 0x80000000, 0, 0x80000000)
  const upper = i32x4(0, 0, 0x80000000, 0x80000000)
  for (; ptr !== end; ptr += 16) {
    const v = f32x4.mul(f32x4.mul(v128.load(ptr), v128.load(signsPtr)), scales)
    const w = f32x4.add(i32x4.shuffle(v, v, 0, 0, 2, 2), v128.xor(i32x4.shuffle(v, v, 1, 1, 3, 3), odd))
    v128.store(ptr, f32x4.add(i32x4.shuffle(w, w, 0, 1, 0, 1), v128.xor(i32x4.shuffle(w, w, 2, 3, 2, 3), upper)))
    signsPtr += 16
  }
}

/** The stages of distance `half` and 2 · `half` bytes: four quarters of each group meet in registers. */
function twoStages(ptr: usize, end: usize, half: usize): void {
  for (; ptr !== end; ptr += half * 3) {
    for (const groupEnd = ptr + half; ptr !== groupEnd; ptr += 16) {
      const b = ptr + half
      const c = b + half
      const d = c + half
      const v0 = v128.load(ptr)
      const v1 = v128.load(b)
      const v2 = v128.load(c)
      const v3 = v128.load(d)
      const s01 = f32x4.add(v0, v1)
      const d01 = f32x4.sub(v0, v1)
      const s23 = f32x4.add(v2, v3)
      const d23 = f32x4.sub(v2, v3)
      v128.store(ptr, f32x4.add(s01, s23))
      v128.store(b, f32x4.add(d01, d23))
      v128.store(c, f32x4.sub(s01, s23))
      v128.store(d, f32x4.sub(d01, d23))
    }
  }
}

/** The last stage, where their number is odd. */
function oneStage(ptr: usize, half: usize): void {
  for (const end = ptr + half; ptr !== end; ptr += 16) {
    const a = v128.load(ptr)
    const b = v128.load(ptr + half)
    v128.store(ptr, f32x4.add(a, b))
    v128.store(ptr + half, f32x4.sub(a, b))
  }
}
