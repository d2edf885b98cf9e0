import { fillFloats, openArena } from '../arena.js'
import { interleave, sameBytes, verify } from '../measure.js'
import type { Section } from '../results.js'
import type { PythonProcess } from '../search/python.js'
import { DIMS, type Sizes } from '../sizes.js'

const ROW = DIMS * 4

/** Bucketing to int8 in turns with the formula of sentence-transformers as numpy runs it, over the same rows. */
export async function numpySection(python: PythonProcess, sizes: Sizes): Promise<Section> {
  const rows = Math.floor(sizes.rows * 0.6)
  const { kernels, buffer, at } = openArena({ values: rows * ROW, codes: rows * DIMS, starts: ROW, steps: ROW })
  const values = fillFloats(new Float32Array(buffer, at.values, rows * DIMS), 21)
  const starts = new Float32Array(buffer, at.starts, DIMS).fill(-0.1)
  const steps = new Float32Array(buffer, at.steps, DIMS).fill(0.2 / 255)
  const ranges = new Float32Array(2 * DIMS)
  ranges.set(starts)
  ranges.set(steps, DIMS)
  python.write('values.npy', values, [rows, DIMS])
  python.write('ranges.npy', ranges, [2, DIMS])
  const own = () => kernels.bucket(at.values, ROW, rows, at.starts, at.steps, at.codes, DIMS, 0x80)
  own()
  await python.ask('bucket', { save: true })
  const { data } = python.read('codes.npy')
  const theirs = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  verify(sameBytes(theirs, new Uint8Array(buffer, at.codes, rows * DIMS)), 'numpy gives other int8 codes')
  const numpy = async () => (await python.ask<{ ms: number }>('bucket', { save: false })).ms
  const contenders = [
    { name: 'packvec', run: own },
    { name: 'numpy', run: numpy, remote: true },
  ]
  const timings = await interleave(contenders, Math.ceil(sizes.turns / 2))
  await python.ask('forget')
  for (const name of ['values.npy', 'codes.npy']) python.remove(name)
  const lines = timings.map((timing) => {
    return { id: `bucket-numpy.${timing.name}`, what: timing.name, timing, bytes: rows * ROW }
  })
  return { title: `Bucketing ${rows} x 384 float32 to int8 beside numpy, one thread`, lines }
}
