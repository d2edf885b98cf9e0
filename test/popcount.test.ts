import { afterEach, describe, expect, it, vi } from 'vitest'
import type { InitOptions, PopcountForm } from '../src/kernels/workspace.js'

/** A fresh copy of the library, in which nothing is forced and nothing has been timed. */
async function fresh() {
  vi.resetModules()
  const [popcount, workspace, { init }, { QuantizedIndex }] = await Promise.all([
    import('../src/kernels/popcount.js'),
    import('../src/kernels/workspace.js'),
    import('../src/index.js'),
    import('../src/search/quantized-index.js'),
  ])
  return { ...popcount, ...workspace, init: init as (options: InitOptions) => void, QuantizedIndex }
}

/** A clock that each form moves on by its own number of microseconds, and which shows whole multiples of `step`. */
function simulate(cost: Record<PopcountForm, number>, step = 1) {
  let time = 0
  const runs: PopcountForm[] = []
  return {
    runs,
    run(form: PopcountForm) {
      runs.push(form)
      time += cost[form]
    },
    clock: () => Math.floor(time / step) * step,
  }
}

describe('the faster popcount', async () => {
  const { fasterPopcount } = await fresh()

  it('is that of less time', () => {
    const arm = simulate({ i64: 20, i8x16: 10 })
    expect(fasterPopcount(arm.run, arm.clock)).toBe('i8x16')
    const x86 = simulate({ i64: 10, i8x16: 13 })
    expect(fasterPopcount(x86.run, x86.clock)).toBe('i64')
  })

  it('is i64 when the clock stands still, is missing, or is too coarse to tell', () => {
    const { run } = simulate({ i64: 20, i8x16: 10 })
    expect(fasterPopcount(run, () => 1234)).toBe('i64')
    expect(fasterPopcount(run, undefined)).toBe('i64')
    const coarse = simulate({ i64: 20, i8x16: 10 }, 1000)
    expect(fasterPopcount(coarse.run, coarse.clock)).toBe('i64')
  })

  it('takes one slow round for chance', () => {
    const arm = simulate({ i64: 20, i8x16: 10 })
    let runs = 0
    const slowOnce = (form: PopcountForm) => {
      if (++runs === 7) for (let i = 0; i < 100; i++) arm.run('i8x16')
      arm.run(form)
    }
    expect(fasterPopcount(slowOnce, arm.clock)).toBe('i8x16')
  })

  it('does the same work whatever the clock says', () => {
    const counts = [() => 0, () => Number.NaN, performance.now.bind(performance)].map((clock) => {
      const { run, runs } = simulate({ i64: 1, i8x16: 1 })
      fasterPopcount(run, clock)
      return runs.length
    })
    expect(counts).toEqual([18, 18, 18])
  })
})

describe('the choice of a form', () => {
  afterEach(() => vi.restoreAllMocks())

  it('is made once for each width, on a bounded number of rows', async () => {
    const { popcountForm, sampleRows } = await fresh()
    const { run, runs, clock } = simulate({ i64: 20, i8x16: 10 })
    const scan = vi.fn(run)
    expect(popcountForm(48, 1e6, scan, clock)).toBe('i8x16')
    expect(popcountForm(48, 1e6, scan, () => 0)).toBe('i8x16')
    expect(new Set(scan.mock.calls.map((call) => (call as unknown[])[1]))).toEqual(new Set([sampleRows(48)]))
    const once = runs.length
    expect(popcountForm(96, 1e6, scan, () => 0)).toBe('i64')
    expect(runs.length).toBe(2 * once)
  })

  it('is i64 without a trial for few rows and for very wide ones', async () => {
    const { popcountForm, sampleRows } = await fresh()
    const scan = vi.fn()
    expect(popcountForm(48, sampleRows(48) - 1, scan)).toBe('i64')
    expect(popcountForm(8192, 1e6, scan)).toBe('i64')
    expect(scan).not.toHaveBeenCalled()
  })

  it('is made at the first search, not at import or when embeddings are quantized', async () => {
    const library = await fresh()
    const { quantizeEmbeddings } = await import('../src/index.js')
    const now = vi.spyOn(performance, 'now')
    const rows = Float32Array.from({ length: 2000 * 64 }, (_, i) => Math.sin(i * i))
    quantizeEmbeddings({ data: rows, dims: [2000, 64] }, 'ubinary')
    const index = library.QuantizedIndex.build({ data: rows, dims: [2000, 64] })
    expect(now).not.toHaveBeenCalled()
    library.init({ popcount: 'i64' })
    index.search(rows.subarray(0, 64))
    expect(now).not.toHaveBeenCalled()
  })

  it('gives one of the two on this machine', async () => {
    const { QuantizedIndex, openWorkspace, popcountForm, sampleRows } = await fresh()
    const { kernels } = openWorkspace(1 << 20)
    const rows = sampleRows(48)
    const topK = { i64: kernels.hammingTopK, i8x16: kernels.hammingTopKLanes }
    const scan = vi.fn((form: PopcountForm, count: number) =>
      topK[form](65_536, 1, 131_072, count, 48, 1, 262_144, 524_288, 524_352),
    )
    expect(['i64', 'i8x16']).toContain(popcountForm(48, rows, scan))
    expect(scan).toHaveBeenCalled()
    const data = Float32Array.from({ length: 9000 * 64 }, (_, i) => Math.sin(i * i))
    const now = vi.spyOn(performance, 'now')
    const index = QuantizedIndex.build({ data, dims: [9000, 64] })
    index.search(data.subarray(0, 64))
    const reads = now.mock.calls.length
    expect(reads).toBeGreaterThan(0)
    index.search(data.subarray(0, 64))
    expect(now).toHaveBeenCalledTimes(reads)
  })

  it('can be forced, and changes no result', async () => {
    const { QuantizedIndex, init } = await fresh()
    const data = Float32Array.from({ length: 9000 * 100 }, (_, i) => Math.sin(i * i))
    const index = QuantizedIndex.build({ data, dims: [9000, 100] }, { rescore: 'none' })
    const results = (['i64', 'i8x16'] as const).map((popcount) => {
      init({ popcount })
      return index.search({ data: data.subarray(0, 500), dims: [5, 100] }, { topK: 50 })
    })
    expect(results[1]).toEqual(results[0])
    expect(() => init({ popcount: 'i32' as 'i64' })).toThrow(/popcount must be/)
  })
})
