import { execFileSync } from 'node:child_process'
import { Calibration, QuantizedIndex } from '../src/index.js'
import { fillFloats } from './arena.js'
import { interleave, type Timing, verify } from './measure.js'

const DIMS = 384
const ROWS = 593_891
const CHUNK_ROWS = 8192

export interface IndexReport {
  readonly buildMs: number
  readonly codeBytes: number
  readonly byteLength: number
  readonly searches: readonly Timing[]
}

/** Builds binary + int8 over 593,891 x 384 seeded rows and searches it as a user does. */
export function indexReport(): IndexReport {
  const chunk = new Float32Array(CHUNK_ROWS * DIMS)
  const rows = (seed: number, count: number) => ({
    data: fillFloats(chunk, seed).subarray(0, count * DIMS),
    dims: [count, DIMS],
  })
  const calibration = Calibration.from(rows(1, CHUNK_ROWS))
  let buildMs = 0
  let index: QuantizedIndex | undefined
  for (let first = 0; first < ROWS; first += CHUNK_ROWS) {
    const batch = rows(first + 1, Math.min(CHUNK_ROWS, ROWS - first))
    const start = performance.now()
    if (index === undefined) index = QuantizedIndex.build(batch, { calibration, capacity: ROWS })
    else index.add(batch)
    buildMs += performance.now() - start
  }
  const built = index!
  const probe = rows(8193, 64)
  const query = probe.data.slice(0, DIMS)
  verify(built.search(query, { topK: 1 }).ids[0] === 8192, 'a row of the corpus does not find itself')
  const searches = interleave(
    [
      { name: 'top 10, x4 (bits, then int8)', run: () => built.search(query, { topK: 10 }) },
      { name: 'top 100, x4 (bits, then int8)', run: () => built.search(query, { topK: 100 }) },
      { name: 'top 10, asymmetric bits, then int8', run: () => built.search(query, { scoring: 'asymmetric' }) },
      { name: 'batch of 64, top 10, x4', run: () => built.search(probe, { topK: 10 }) },
    ],
    9,
  )
  return { buildMs, codeBytes: built.codeBytes, byteLength: built.byteLength, searches }
}

/** Milliseconds from nothing to a first quantized row, in fresh Node processes. */
export function firstRowMs(repeats: number): number[] {
  const code = `
    const start = performance.now()
    const { quantizeEmbeddings } = await import(${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)})
    quantizeEmbeddings(new Float32Array(384).fill(1), 'ubinary')
    console.log(performance.now() - start)`
  const run = () => Number(execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' }))
  return Array.from({ length: repeats }, run).sort((a, b) => a - b)
}
