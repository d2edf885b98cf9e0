import { dotScratchBytes } from '../../src/kernels/scratch-sizes.js'
import { fillFloats, openArena } from '../arena.js'
import { bucketJs, dotF32TopKJs, minMaxJs, packBitsJs } from '../javascript.js'
import { sameBytes, verify } from '../measure.js'
import type { Line } from '../results.js'
import { DIMS, type Sizes, TOP_K } from '../sizes.js'
import { beside } from './beside.js'

const ROW = DIMS * 4

/** The kernels that read float32 from memory, over the same rows: packing, bucketing, ranges, exact dots. */
export async function floatLines(sizes: Sizes): Promise<Line[]> {
  const { rows } = sizes
  const bytes = rows * ROW
  const arena = openArena({
    values: bytes,
    codes: rows * DIMS,
    starts: ROW,
    steps: ROW,
    mins: ROW,
    maxs: ROW,
    query: ROW,
    ids: 4 * TOP_K,
    scores: 4 * TOP_K,
    scratch: dotScratchBytes(1, TOP_K),
  })
  const { kernels, read, buffer, at } = arena
  const floats = (ptr: number, count = DIMS) => new Float32Array(buffer, ptr, count)
  const values = fillFloats(floats(at.values, rows * DIMS), 1)
  const starts = floats(at.starts).fill(-0.1)
  const steps = floats(at.steps).fill(0.2 / 255)
  const query = fillFloats(floats(at.query), 6)
  const region = { read, ptr: at.values, bytes }

  const bits = new Uint8Array(buffer, at.codes, (rows * DIMS) / 8)
  const jsBits = new Uint8Array(bits.length)
  const patterns = new Int32Array(buffer, at.values, values.length)
  const pack = {
    name: 'packvec',
    what: 'pack bits',
    run: () => kernels.packBits(at.values, at.codes, bits.length),
  }
  const packJs = { name: 'JavaScript', run: () => packBitsJs(patterns, jsBits) }
  pack.run()
  verify(sameBytes(bits, packJs.run()), 'packed bits differ from plain JavaScript')
  const lines = await beside({ group: 'pack', forms: [pack], javascript: packJs, ...region }, sizes)

  const codes = new Uint8Array(buffer, at.codes, values.length)
  const jsCodes = new Int8Array(values.length)
  const bucket = {
    name: 'packvec',
    what: 'bucket to int8 (writes a quarter of what it reads)',
    run: () => kernels.bucket(at.values, ROW, rows, at.starts, at.steps, at.codes, DIMS, 0x80),
  }
  const bucketPlain = { name: 'JavaScript', run: () => bucketJs(values, DIMS, starts, steps, jsCodes) }
  bucket.run()
  bucketPlain.run()
  verify(sameBytes(codes, new Uint8Array(jsCodes.buffer)), 'buckets differ from plain JavaScript')
  lines.push(...(await beside({ group: 'bucket', forms: [bucket], javascript: bucketPlain, ...region }, sizes)))

  const mins = floats(at.mins).fill(Number.POSITIVE_INFINITY)
  const maxs = floats(at.maxs).fill(Number.NEGATIVE_INFINITY)
  const [jsMins, jsMaxs] = [mins.slice(), maxs.slice()]
  const ranges = {
    name: 'packvec',
    what: 'minima and maxima',
    run: () => kernels.minMax(at.values, ROW, rows, at.mins, at.maxs),
  }
  const rangesJs = { name: 'JavaScript', run: () => minMaxJs(values, DIMS, jsMins, jsMaxs) }
  ranges.run()
  rangesJs.run()
  verify(String(mins) === String(jsMins) && String(maxs) === String(jsMaxs), 'ranges differ from plain JavaScript')
  lines.push(...(await beside({ group: 'min-max', forms: [ranges], javascript: rangesJs, ...region }, sizes)))

  const dot = {
    name: 'packvec',
    what: 'float32 dot, top 100',
    run: () => kernels.dotF32TopK(at.query, 1, at.values, rows, ROW, TOP_K, at.scratch, at.ids, at.scores),
  }
  const dotJs = { name: 'JavaScript', run: () => dotF32TopKJs(query, values, TOP_K) }
  dot.run()
  const same = dotJs.run().filter((id, i) => id === new Uint32Array(buffer, at.ids, TOP_K)[i]).length
  // Sums of float32 in another order may turn near neighbours round.
  verify(same >= 0.9 * TOP_K, `only ${same} of ${TOP_K} float32 ids equal those of plain JavaScript`)
  lines.push(...(await beside({ group: 'float32', forms: [dot], javascript: dotJs, ...region }, sizes)))
  return lines
}
