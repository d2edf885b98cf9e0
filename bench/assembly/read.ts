// The read limit: how fast one thread of wasm takes bytes from memory when it does nothing with them. `bytes` is a multiple
// of 64 · streams. The result depends on every byte, so that no load can be dropped.

export function readStreams1(ptr: usize, bytes: usize): i32 {
  let mixed = i64x2.splat(0)
  for (let left = bytes; left; left -= 64) {
    mixed = v128.xor(mixed, mix64(ptr))
    ptr += 64
  }
  return fold(mixed)
}

/** Four quarters in lock step: the hardware prefetcher stops at a 4 KiB page, four of them run further ahead. */
export function readStreams4(ptr: usize, bytes: usize): i32 {
  const stride = bytes >> 2
  let mixed = i64x2.splat(0)
  for (let left = stride; left; left -= 64) {
    let stream = ptr
    const a = mix64(stream)
    stream += stride
    const b = mix64(stream)
    stream += stride
    const c = mix64(stream)
    const d = mix64(stream + stride)
    mixed = v128.xor(mixed, v128.xor(v128.xor(a, b), v128.xor(c, d)))
    ptr += 64
  }
  return fold(mixed)
}

export function readStreams8(ptr: usize, bytes: usize): i32 {
  const stride = bytes >> 3
  let mixed = i64x2.splat(0)
  for (let left = stride; left; left -= 64) {
    let stream = ptr
    const a = mix64(stream)
    stream += stride
    const b = mix64(stream)
    stream += stride
    const c = mix64(stream)
    stream += stride
    const d = mix64(stream)
    stream += stride
    const e = mix64(stream)
    stream += stride
    const f = mix64(stream)
    stream += stride
    const g = mix64(stream)
    const h = mix64(stream + stride)
    const low = v128.xor(v128.xor(a, b), v128.xor(c, d))
    mixed = v128.xor(mixed, v128.xor(low, v128.xor(v128.xor(e, f), v128.xor(g, h))))
    ptr += 64
  }
  return fold(mixed)
}

/** One cache line in four loads. */
function mix64(ptr: usize): v128 {
  return v128.xor(v128.xor(v128.load(ptr), v128.load(ptr, 16)), v128.xor(v128.load(ptr, 32), v128.load(ptr, 48)))
}

function fold(mixed: v128): i32 {
  const half = i64x2.extract_lane(mixed, 0) ^ i64x2.extract_lane(mixed, 1)
  return <i32>half ^ <i32>(half >> 32)
}
