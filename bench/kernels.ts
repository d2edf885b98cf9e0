import { dotScratchBytes, hammingScratchBytes } from '../src/kernels.js'
import { planRegions } from '../src/regions.js'
import { type Arena, fillBytes, fillFloats, openArena } from './arena.js'
import { bucketJs, dotF32TopJs, dotI8TopKJs, hammingTopKJs, packBitsJs } from './javascript.js'
import { type Contender, interleave, sameBytes, type Timing, verify } from './measure.js'

/** A kernel beside plain JavaScript and beside loops that only read the same bytes. */
export interface KernelReport {
  readonly what: string
  readonly bytes: number
  readonly kernel: Timing
  readonly javascript: Timing
  /** The best of the read-only loops. */
  readonly read: Timing
}

const DIMS = 384
const ROWS = 204_800
const LARGE_ROWS = 593_891
const TOP_K = 100

function report(
  what: string,
  arena: Arena,
  ptr: number,
  bytes: number,
  kernel: Contender,
  js: Contender,
): KernelReport {
  const { readStreams1, readStreams4, readStreams8 } = arena.read
  const limits = { 1: readStreams1, 4: readStreams4, 8: readStreams8 }
  const readers = Object.entries(limits).map(([streams, read]) => ({
    name: `read, ${streams} streams`,
    run: () => read(ptr, bytes - (bytes % 1024)),
  }))
  const [own, javascript] = interleave([kernel, js], 5) as [Timing, Timing]
  const [again, ...reads] = interleave([kernel, ...readers], 21)
  const read = reads.reduce((best, timing) => (timing.median < best.median ? timing : best))
  // Plain JavaScript is slow enough that five turns show it; beside the limit the kernel takes more turns.
  const best = own.min < again!.min ? own.min : again!.min
  return { what, bytes, kernel: { ...again!, min: best }, javascript, read }
}

/** Packing and bucketing of 204,800 x 384 float32. */
export function encodingReports(): KernelReport[] {
  const valueBytes = ROWS * DIMS * 4
  const at = planRegions({ values: valueBytes, codes: ROWS * DIMS, starts: DIMS * 4, steps: DIMS * 4 })
  const arena = openArena(at.end)
  const { kernels, buffer } = arena
  const values = fillFloats(new Float32Array(buffer, at.values, ROWS * DIMS), 1)
  const starts = new Float32Array(buffer, at.starts, DIMS).fill(-0.1)
  const steps = new Float32Array(buffer, at.steps, DIMS).fill(0.2 / 255)
  const bits = new Uint8Array(buffer, at.codes, (ROWS * DIMS) / 8)
  const patterns = new Int32Array(buffer, at.values, values.length)
  const jsBits = new Uint8Array(bits.length)
  const pack = { name: 'packvec', run: () => kernels.packBits(at.values, at.codes, bits.length) }
  const packJs = { name: 'JavaScript', run: () => packBitsJs(patterns, jsBits) }
  pack.run()
  verify(sameBytes(bits, packJs.run()), 'packed bits differ from plain JavaScript')
  const packed = report('pack bits', arena, at.values, valueBytes, pack, packJs)

  const jsCodes = new Int8Array(values.length)
  const bucket = {
    name: 'packvec',
    run: () => kernels.bucket(at.values, DIMS * 4, ROWS, at.starts, at.steps, at.codes, DIMS, 0x80),
  }
  const bucketPlain = { name: 'JavaScript', run: () => bucketJs(values, DIMS, starts, steps, jsCodes) }
  bucket.run()
  bucketPlain.run()
  const codes = new Uint8Array(buffer, at.codes, values.length)
  verify(sameBytes(codes, new Uint8Array(jsCodes.buffer)), 'buckets differ from plain JavaScript')
  return [packed, report('bucket to int8', arena, at.values, valueBytes, bucket, bucketPlain)]
}

/** Hamming top 100 over 593,891 rows of 48 bytes. */
export function hammingReport(): KernelReport {
  const rowBytes = DIMS / 8
  const bytes = LARGE_ROWS * rowBytes
  const scratch = hammingScratchBytes(1, TOP_K, rowBytes)
  const at = planRegions({ codes: bytes, query: rowBytes, ids: 4 * TOP_K, distances: 4 * TOP_K, scratch })
  const arena = openArena(at.end)
  const { kernels, buffer } = arena
  fillBytes(new Uint8Array(buffer, at.codes, bytes), 2)
  fillBytes(new Uint8Array(buffer, at.query, rowBytes), 3)
  const query = new Int32Array(buffer, at.query, rowBytes / 4)
  const codes = new Int32Array(buffer, at.codes, bytes / 4)
  const kernel = {
    name: 'packvec',
    run: () =>
      kernels.hammingTopK(at.query, 1, at.codes, LARGE_ROWS, rowBytes, TOP_K, at.scratch, at.ids, at.distances),
  }
  const js = { name: 'JavaScript', run: () => hammingTopKJs(query, codes, rowBytes / 4, TOP_K) }
  kernel.run()
  verify(String(js.run()) === String(new Uint32Array(buffer, at.ids, TOP_K)), 'Hamming ids differ from JavaScript')
  return report('Hamming, top 100', arena, at.codes, bytes, kernel, js)
}

/** Dot of an int16 query with 593,891 x 384 int8, top 100. */
export function dotI8Report(): KernelReport {
  const bytes = LARGE_ROWS * DIMS
  const at = planRegions({
    codes: bytes,
    query: 2 * DIMS,
    ids: 4 * TOP_K,
    scores: 4 * TOP_K,
    scratch: dotScratchBytes(1, TOP_K),
  })
  const arena = openArena(at.end)
  const { kernels, buffer } = arena
  const codes = new Int8Array(buffer, at.codes, bytes)
  fillBytes(new Uint8Array(buffer, at.codes, bytes), 4)
  const query = new Int16Array(buffer, at.query, DIMS)
  for (let d = 0; d < DIMS; d++) query[d] = ((d * 7919) % 4001) - 2000
  const kernel = {
    name: 'packvec',
    run: () => kernels.dotI8TopK(at.query, 1, at.codes, LARGE_ROWS, DIMS, TOP_K, at.scratch, at.ids, at.scores),
  }
  const js = { name: 'JavaScript', run: () => dotI8TopKJs(query, codes, TOP_K) }
  kernel.run()
  verify(String(js.run()) === String(new Uint32Array(buffer, at.ids, TOP_K)), 'int8 ids differ from JavaScript')
  return report('int8 dot, top 100', arena, at.codes, bytes, kernel, js)
}

/** Dot of a float32 query with 204,800 x 384 float32, top 100: the exact baseline. */
export function dotF32Report(): KernelReport {
  const bytes = ROWS * DIMS * 4
  const at = planRegions({
    rows: bytes,
    query: 4 * DIMS,
    ids: 4 * TOP_K,
    scores: 4 * TOP_K,
    scratch: dotScratchBytes(1, TOP_K),
  })
  const arena = openArena(at.end)
  const { kernels, buffer } = arena
  const rows = fillFloats(new Float32Array(buffer, at.rows, ROWS * DIMS), 5)
  const query = fillFloats(new Float32Array(buffer, at.query, DIMS), 6)
  const kernel = {
    name: 'packvec',
    run: () => kernels.dotF32TopK(at.query, 1, at.rows, ROWS, DIMS * 4, TOP_K, at.scratch, at.ids, at.scores),
  }
  const js = { name: 'JavaScript', run: () => dotF32TopJs(query, rows) }
  kernel.run()
  verify(js.run() === new Uint32Array(buffer, at.ids, 1)[0], 'the best float32 row differs from JavaScript')
  return report('float32 dot, top 100', arena, at.rows, bytes, kernel, js)
}
