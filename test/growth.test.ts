import { describe, expect, it, vi } from 'vitest'
import { type BuildOptions, Calibration, Levels, QuantizedIndex } from '../src/index.js'
import { Rotation } from '../src/rotations.js'
import { decodeIndex, encodeIndex } from '../src/storage.js'
import { matrix, thrownBy } from './random.js'
import { changed, every, example, grown, longCorpus, mixture, type Rows, recall, shared, slice } from './recall.js'

const heavy = process.env['CI_FULL'] !== undefined
const corpus = longCorpus()
const queries = slice(example('test'), 0, 300)
const ONE_STAGE = { coarse: 'int8', rescore: 'none' } as const
const TOLERANCE = 0.005

/** A value that several cases need, made by the first of them. */
function onDemand<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

function rangesOf(index: QuantizedIndex): Float32Array {
  return index.calibration!.ranges
}

describe('an index that grows', () => {
  const kinds: [string, BuildOptions][] = [
    ['the default codes', {}],
    ['int8 alone', ONE_STAGE],
    ['uint8 alone, one range for all dimensions', { coarse: 'uint8', rescore: 'none', scope: 'global' }],
    ['int8 alone with factors, rotated', { ...ONE_STAGE, scale: true, rotation: Rotation.hadamard(384, { seed: 1 }) }],
  ]
  describe.each(kinds)('finds what one built at once finds: %s', (_, options) => {
    const once = onDemand(() => recall(QuantizedIndex.build(corpus, options), corpus, queries))

    it.each([
      [1000, 17],
      [200, 500],
      [50, 17],
      [10, 500],
      [2, heavy ? 1 : 29],
    ])('from %i rows, then %i at a time', (start, batch) => {
      expect(recall(grown(corpus, start, batch, options), corpus, queries)).toBeGreaterThan(once() - TOLERANCE)
    })
  })

  const all = heavy ? shared('minilm/banking77_train.npy') : undefined
  describe.each(all === undefined ? [] : kinds)('finds as much among all of Banking77: %s', (_, options) => {
    const once = onDemand(() => recall(QuantizedIndex.build(all!, options), all!, queries))

    it.each([1000, 200, 50, 10, 2])('from %i rows, then 500 at a time', (start) => {
      expect(recall(grown(all!, start, 500, options), all!, queries)).toBeGreaterThan(once() - TOLERANCE)
    })
  })

  it('finds rows about points that the first rows are far from', () => {
    const rows = mixture(6000, 64, 30, 1, 7)
    const some = every(rows, 40)
    const once = recall(QuantizedIndex.build(rows, ONE_STAGE), rows, some)
    expect(once).toBeGreaterThan(0.97)
    for (const batch of [100, 1000]) {
      expect(recall(grown(rows, 20, batch, ONE_STAGE), rows, some)).toBeGreaterThan(once - TOLERANCE)
    }
  })

  it('has the ranges of one built at once, and nearly its codes', () => {
    const rows = mixture(3000, 33, 10, 0.5, 3)
    const [once, later] = [QuantizedIndex.build(rows, ONE_STAGE), grown(rows, 2, 100, ONE_STAGE)]
    expect(rangesOf(later)).toEqual(rangesOf(once))
    const [a, b] = [once, later].map((index) => index.parts.store.copyCodes(index.parts.store.spec.columns[0]!))
    const off = a!.filter((code, i) => code !== b![i]).length
    // What a value is off by in 256ths of a bucket, each time it is rewritten.
    expect(off / a!.length).toBeLessThan(0.02)
  })

  it('holds beyond 16,384 rows, where ranges get some room and codes no further bits', () => {
    const rows = mixture(24_000, 32, 60, 1, 11)
    const some = every(rows, 240)
    const once = recall(QuantizedIndex.build(rows, ONE_STAGE), rows, some)
    for (const [start, batch] of [
      [12_000, 500],
      [17_000, 100],
      [20, 4000],
    ] as const) {
      const index = grown(rows, start, batch, ONE_STAGE)
      expect(recall(index, rows, some), `${start} rows, then ${batch}`).toBeGreaterThan(once - 0.01)
      const [built, wider] = [Calibration.from(rows).minMax, index.calibration!.minMax]
      for (const [d, min] of built.mins.entries()) {
        const width = built.maxs[d]! - min
        expect(wider.mins[d]!).toBeLessThanOrEqual(min)
        expect(wider.maxs[d]!).toBeGreaterThanOrEqual(built.maxs[d]!)
        expect(wider.maxs[d]! - wider.mins[d]!).toBeLessThan(1.35 * width)
      }
    }
  })

  it('grows on after it was saved and read', () => {
    const once = recall(QuantizedIndex.build(corpus), corpus, queries)
    const index = decodeIndex(encodeIndex(QuantizedIndex.build(slice(corpus, 0, 100))))
    index.add(slice(corpus, 100, 5041))
    expect(recall(index, corpus, queries)).toBeGreaterThan(once - TOLERANCE)
  })

  it('gives a dimension that had one value a range as soon as it has two', () => {
    const rows: Rows = { data: Float32Array.of(5, 1, 5, 2, 7, 1.5, -3, 1), dims: [4, 2] }
    const index = grown(rows, 2, 1, ONE_STAGE)
    expect([...rangesOf(index)]).toEqual([-3, 1, 7, 2])
    const { scores } = index.search([1, 0], { topK: 4 })
    for (const [i, value] of [7, 5, 5, -3].entries()) expect(Math.abs(scores[i]! - value)).toBeLessThan(10 / 255)
  })

  it.each<[string, BuildOptions]>([
    ['levels of all dimensions', { coarse: 'int4', rescore: 'none' }],
    ['levels of each dimension', { coarse: 'quaternary', rescore: 'none', scope: 'dimension' }],
    ['percentiles, with factors', { percentiles: [0.1, 99.9], scale: true, coarse: 'int8', rescore: 'none' }],
    ['levels with int8 behind them', { coarse: 'ternary', scope: 'dimension' }],
  ])('finds what one built at once finds with %s, and is that index where they were just taken anew', (_, options) => {
    const once = recall(QuantizedIndex.build(corpus, options), corpus, queries)
    for (const [start, batch] of [
      [600, 500],
      [10, 700],
      [2, heavy ? 61 : 241],
    ] as const) {
      const found = recall(grown(corpus, start, batch, options), corpus, queries)
      expect(found, `${start} rows, then ${batch} at a time`).toBeGreaterThan(once - TOLERANCE)
    }
    const small = slice(corpus, 0, 900)
    const [built, later] = [QuantizedIndex.build(small, options), grown(small, 600, 300, options)]
    if ('scope' in options || 'percentiles' in options) expect(encodeIndex(later)).toEqual(encodeIndex(built))
  })

  it('takes levels of all dimensions anew only where they do not fit the rows that come', () => {
    const rows = matrix(900, 33, 2)
    for (const coarse of ['ternary', 'quaternary', 'int4'] as const) {
      const levelsOf = (later: Rows) => {
        const index = QuantizedIndex.build(slice(rows, 0, 500), { coarse, rescore: 'none' })
        const [first, last] = [index.parts.store.spec, index.add(later).parts.store.spec]
        return [first, last].map(({ columns }) => JSON.stringify(columns[0]!.book))
      }
      const [same, still] = levelsOf(slice(rows, 500, 900))
      expect(still).toBe(same)
      const [before, after] = levelsOf(changed(slice(rows, 500, 900), (value) => 2 * value))
      expect(after).not.toBe(before)
    }
  })

  it('keeps levels from some thousand rows on, where they are those of enough rows', () => {
    const rows = mixture(12_000, 32, 60, 1, 3)
    const some = every(rows, 120)
    const options = { coarse: 'int4', rescore: 'none', scope: 'dimension' } as const
    const once = recall(QuantizedIndex.build(rows, options), rows, some)
    expect(recall(grown(rows, 20, 500, options), rows, some)).toBeGreaterThan(once - 0.03)
  })

  it('leaves ranges that were given, or taken from a sample, as they are', () => {
    const rows = matrix(400, 20, 1)
    const wide = changed(rows, (value) => 3 * value)
    for (const options of [{ ranges: Calibration.from(rows) }, { calibrationEmbeddings: rows }]) {
      const index = QuantizedIndex.build(rows, { ...ONE_STAGE, ...options })
      const before = rangesOf(index)
      index.add(wide)
      expect(rangesOf(index)).toEqual(before)
    }
  })

  it('is unchanged by rows that cannot be added', () => {
    const rows = matrix(300, 20, 1)
    const index = QuantizedIndex.build(rows, ONE_STAGE)
    const before = encodeIndex(index)
    const wrong = changed(slice(rows, 0, 9), (value, row, d) => (row === 8 && d === 3 ? Number.NaN : 100 * value))
    expect(thrownBy(() => index.add(wrong))).toMatchObject({ code: 'NOT_FINITE', argument: 'embeddings' })
    const huge = changed(slice(rows, 0, 2), (_, row) => (row === 0 ? -3e38 : 3e38))
    expect(thrownBy(() => index.add(huge))).toMatchObject({ code: 'INVALID_RANGES' })
    expect(encodeIndex(index)).toEqual(before)
  })
})

describe('what fixed ranges cut off', () => {
  const listen = () => {
    const messages: string[] = []
    return { messages, onWarning: (message: string) => void messages.push(message) }
  }

  it('is counted, and told once before it hurts, with both shares and the remedy', () => {
    const { messages, onWarning } = listen()
    const sample = slice(corpus, 0, 1000)
    const calibration = Calibration.from(sample)
    const index = QuantizedIndex.build(sample, { ranges: calibration, onWarning })
    expect(index.clipped).toBe(0)
    const { mins, maxs } = calibration.minMax
    let outside = 0
    const rest = slice(corpus, 1000, 5041)
    for (const [i, value] of rest.data.entries()) if (value < mins[i % 384]! || value > maxs[i % 384]!) outside++
    index.add(slice(rest, 0, 2000)).add(slice(rest, 2000, 4041))
    expect(index.clipped).toBeCloseTo(outside / rest.data.length, 6)
    expect(messages).toEqual([
      expect.stringMatching(
        /^[\d.]+ % of the values that were added lie outside the int8 ranges, which are fixed, .*0 % of/,
      ),
    ])
    expect(messages[0]).toMatch(/Build the index anew from all rows, or give `ranges`/)
  })

  it('is told at once where ranges do not hold the rows of a build', () => {
    const { messages, onWarning } = listen()
    QuantizedIndex.build(corpus, { ranges: Calibration.from(slice(corpus, 0, 100)), onWarning })
    expect(messages).toEqual([expect.stringMatching(/% of the values lie outside the int8 ranges given/)])
  })

  it('is nothing where ranges follow the rows, and is no news where percentiles cut as much as before', () => {
    const { messages, onWarning } = listen()
    expect(grown(corpus, 50, 500, { onWarning }).clipped).toBe(0)
    const rows = matrix(12_000, 24, 5)
    const options = { coarse: 'int8', rescore: 'none', percentiles: [1, 99], onWarning } as const
    const index = QuantizedIndex.build(slice(rows, 0, 9000), options).add(slice(rows, 9000, 12_000))
    expect(index.clipped).toBeGreaterThan(0.015)
    expect(index.clipped).toBeLessThan(0.025)
    expect(messages.filter((message) => !message.includes('based on'))).toEqual([])
  })

  it('is counted for int4 levels and for an index that was loaded', () => {
    const { messages, onWarning } = listen()
    const rows = matrix(400, 24, 5)
    const wide = changed(rows, (value) => 3 * value)
    const levels = Levels.from(rows, 'int4')
    const index = QuantizedIndex.build(rows, { coarse: 'int4', rescore: 'none', levels, onWarning }).add(wide)
    expect(index.clipped).toBeGreaterThan(0.3)
    expect(messages).toEqual([expect.stringMatching(/outside the int4 levels, which are fixed/)])
    // Of twice as many rows: none that the file's own rows could have given.
    const calibration = Calibration.from(rows).add(rows)
    const loaded = decodeIndex(encodeIndex(QuantizedIndex.build(rows, { ...ONE_STAGE, ranges: calibration })))
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    expect(loaded.add(wide).clipped).toBeGreaterThan(0.3)
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/outside the int8 ranges, which are fixed/)]])
    warn.mockRestore()
  })
})
