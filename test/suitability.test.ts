import { describe, expect, it } from 'vitest'
import { type BuildOptions, PRECISIONS, QuantizedIndex, quantizeEmbeddings, transformEmbeddings } from '../src/index.js'
import { Rotation } from '../src/rotations.js'
import { decodeIndex, encodeIndex } from '../src/storage.js'
import { matrix, randomSource, thrownBy } from './random.js'
import { changed, every, example, longCorpus, type Rows, recall, recallOf, shared, slice } from './recall.js'

const corpus = longCorpus()
const queries = slice(example('test'), 0, 200)
const shifted = (rows: Rows) => changed(rows, (value) => value + 0.2)
const ONE_STAGE = { coarse: 'int8', rescore: 'none' } as const

/** Lengths spread as 30 % of a lognormal. */
function uneven(rows: Rows): Rows {
  const random = randomSource(4)
  const lengths = Float64Array.from({ length: rows.dims[0]! }, () =>
    Math.exp(0.3 * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())),
  )
  return changed(rows, (value, row) => value * lengths[row]!)
}

/** One row, and it alone, a thousand times as long. */
function withOutlier(rows: Rows, row = 777): Rows {
  return changed(rows, (value, at) => (at === row ? 1000 * value : value))
}

function warningsOf(build: (onWarning: (message: string) => void) => unknown): string[] {
  const messages: string[] = []
  build((message) => messages.push(message))
  return messages
}

function warningsOfBuild(rows: Rows, options: BuildOptions = {}): string[] {
  return warningsOf((onWarning) => QuantizedIndex.build(rows, { ...options, onWarning }))
}

describe('dimensions of one sign', () => {
  const rows = shifted(corpus)

  it('are named with their number and with center, once, where codes are bits', () => {
    for (const options of [
      {},
      { coarse: 'ubinary', rescore: 'binary' },
      { coarse: 'int8', rescore: 'binary' },
    ] as const) {
      const [message, ...more] = warningsOfBuild(rows, options)
      expect(message).toMatch(/384 of 384 dimensions have one sign in at least 90 % of the rows.* center: true/)
      expect(more).toEqual([])
    }
    expect(warningsOfBuild(rows, ONE_STAGE)).toEqual([])
    expect(warningsOfBuild(changed(rows, (value) => -value))[0]).toMatch(/384 of 384/)
  })

  it('are named by quantizeEmbeddings, with what it can do', () => {
    const [message, ...more] = warningsOf((onWarning) => quantizeEmbeddings(rows, 'binary', { onWarning }))
    expect(message).toMatch(/^binary codes keep signs only.* transformEmbeddings\(embeddings, \{ center: true \}\)/)
    expect(more).toEqual([])
    const centred = transformEmbeddings(rows, { center: true })
    expect(warningsOf((onWarning) => quantizeEmbeddings(centred, 'binary', { onWarning }))).toEqual([])
  })

  it('lose nothing with center', () => {
    const plain = recall(QuantizedIndex.build(corpus), corpus, queries)
    const onWarning = (message: string) => expect.unreachable(message)
    for (const asked of [queries, shifted(queries)]) {
      expect(recall(QuantizedIndex.build(rows, { onWarning: () => {} }), rows, asked)).toBeLessThan(0.1)
      expect(recall(QuantizedIndex.build(rows, { center: true, onWarning }), rows, asked)).toBeGreaterThan(0.93)
    }
    const unit = { center: true, renormalize: true, onWarning } as const
    const same = QuantizedIndex.build(rows, unit)
    const truth = transformEmbeddings(rows, { renormalize: true })
    const asked = shifted(queries)
    const cosine = { data: truth.data, dims: [truth.rows, truth.dims] }
    expect(recallOf(same.search(asked), cosine, asked)).toBeGreaterThan(plain - 0.005)
  })
})

describe('an index with a centre', () => {
  const rows = shifted(every(corpus, 9))
  const asked = shifted(queries)

  it.each<[string, BuildOptions]>([
    ['alone', {}],
    ['truncated and renormalised', { truncate: 200, renormalize: true }],
    ['rotated by a seed', { rotation: Rotation.hadamard(384, { seed: 3 }) }],
    ['of numbers that were given', { center: new Float32Array(384).fill(0.25) }],
  ])('gives the scores of the embeddings as they came, and is read as it was written: %s', (_, options) => {
    const index = QuantizedIndex.build(rows, { ...ONE_STAGE, center: true, ...options })
    const { center: _center, rotation: _rotation, ...kept } = { center: undefined, ...options }
    const exact = QuantizedIndex.build(rows, { coarse: 'float32', ...kept }).search(asked, { topK: 1 })
    for (const [i, { ids, scores }] of index.search(asked, { topK: 20 }).entries()) {
      const at = ids.indexOf(exact[i]!.ids[0]!)
      expect(Math.abs(scores[at]! / exact[i]!.scores[0]! - 1)).toBeLessThan(0.01)
    }
    const again = decodeIndex(encodeIndex(index))
    expect(again.search(asked)).toEqual(index.search(asked))
    expect(encodeIndex(again)).toEqual(encodeIndex(index))
    expect(encodeIndex(again.add(slice(asked, 0, 50)))).toEqual(encodeIndex(index.add(slice(asked, 0, 50))))
  })

  it('finds a row of its own at distance 0', () => {
    const index = QuantizedIndex.build(rows, { rescore: 'none', center: true })
    const results = index.search(slice(rows, 0, 50), { topK: 1 })
    expect(results.map(({ scores }) => scores[0]! - results[0]!.scores[0]!).every((off) => Math.abs(off) < 8)).toBe(
      true,
    )
    expect(results.map(({ ids }) => ids[0])).toEqual(Array.from({ length: 50 }, (_, i) => i))
  })

  it('refuses a centre that is none', () => {
    for (const [center, code] of [
      ['mean', 'INVALID_ARGUMENT'],
      [[1, 2], 'DIMS_MISMATCH'],
      [new Float32Array(384).fill(Number.NaN), 'NOT_FINITE'],
    ] as const) {
      const build = () => QuantizedIndex.build(rows, { center } as unknown as BuildOptions)
      expect(thrownBy(build)).toMatchObject({ code, argument: 'center' })
    }
  })
})

describe('one row a thousand times the others', () => {
  const rows = withOutlier(corpus)
  const others = (index: QuantizedIndex) => {
    const found = index
      .search(queries, { topK: 11 })
      .map(({ ids }) => ({ ids: ids.filter((id) => id !== 777).slice(0, 10) }))
    const rest = changed(rows, (value, row) => (row === 777 ? 0 : value))
    return recallOf(found, rest, queries)
  }

  it('is named with the width of the ranges and with percentiles that cut it off', () => {
    for (const options of [{}, ONE_STAGE, { coarse: 'uint8', rescore: 'none', scope: 'global' }] as const) {
      const [message, ...more] = warningsOfBuild(rows, options)
      expect(message).toMatch(
        /u?int8 ranges, .* are \d{3,} times the standard deviation .* percentiles: \[0.05, 99.95\]/,
      )
      expect(more).toEqual([])
    }
    const [message] = warningsOf((onWarning) => quantizeEmbeddings(rows, 'int8', { onWarning }))
    expect(message).toMatch(/percentiles: \[0.05, 99.95\].* scale: true/)
  })

  it('is cut off by the percentiles named, also among few rows', () => {
    for (const count of [150, 1000, 5041]) {
      const some = withOutlier(slice(corpus, 0, count), 77)
      const [message] = warningsOfBuild(some, ONE_STAGE)
      const [low, high] = /percentiles: \[([\d.]+), ([\d.]+)\]/.exec(message!)!.slice(1).map(Number)
      const options = { ...ONE_STAGE, percentiles: [low!, high!] as const, scale: true }
      expect(warningsOfBuild(some, options)).toEqual([])
      const { maxs, mins } = QuantizedIndex.build(some, options).calibration!.minMax
      expect(
        maxs.every((max, d) => max - mins[d]! < 1.5),
        `${count} rows`,
      ).toBe(true)
    }
  })

  it('costs the other rows nothing with these percentiles', () => {
    const plain = recall(QuantizedIndex.build(corpus, ONE_STAGE), corpus, queries)
    const quiet = { onWarning: () => {} }
    expect(others(QuantizedIndex.build(rows, { ...ONE_STAGE, ...quiet }))).toBeLessThan(0.8)
    const options = { ...ONE_STAGE, percentiles: [0.05, 99.95] as const, scale: true }
    expect(others(QuantizedIndex.build(rows, options))).toBeGreaterThan(plain - 0.01)
  })
})

describe('rows of different lengths', () => {
  const rows = uneven(corpus)

  it('are named with their spread and with renormalize, where the first stage loses lengths', () => {
    const [message, ...more] = warningsOfBuild(rows)
    expect(message).toMatch(/standard deviation \d\d % of the mean.* renormalize: true/)
    expect(more).toEqual([])
    expect(warningsOfBuild(rows, { coarse: 'ternary' })[0]).toMatch(/renormalize: true/)
    for (const options of [ONE_STAGE, { coarse: 'float32' }, { rescore: 'none', scale: true }] as const) {
      expect(warningsOfBuild(rows, options)).toEqual([])
    }
  })

  it('are not told of where one row alone is short or long, whether it is looked at or not', () => {
    const part = slice(corpus, 0, 1000)
    for (const factor of [0.001, 3]) {
      for (let odd = 0; odd < 40; odd++) {
        const row = part.data.subarray(odd * 384, (odd + 1) * 384)
        const before = row.slice()
        row.set(before.map((value) => factor * value))
        expect(warningsOfBuild(part, { rescore: 'none' }), `${factor} ${odd}`).toEqual([])
        row.set(before)
      }
    }
  })

  it('are ranked by cosine with renormalize, which needs no truncation', () => {
    const plain = recall(QuantizedIndex.build(corpus), corpus, queries)
    expect(recall(QuantizedIndex.build(rows, { onWarning: () => {} }), rows, queries)).toBeLessThan(0.85)
    expect(warningsOfBuild(rows, { renormalize: true })).toEqual([])
    const index = QuantizedIndex.build(rows, { renormalize: true })
    expect(recallOf(index.search(queries), corpus, queries)).toBeGreaterThan(plain - 0.005)
    const [score] = QuantizedIndex.build(rows, { coarse: 'float32', renormalize: true }).search(
      rows.data.slice(0, 384),
      { topK: 1 },
    ).scores
    expect(score).toBeCloseTo(1, 5)
  })
})

describe('data that suit their codes', () => {
  const others = [
    ...['minilm/banking77_train.npy', 'minilm/nq_dev.npy', 'minilm/stsb_test_a.npy', 'wordnet/examples.npy'],
    'wordnet/definitions_f16.npy',
  ]
  const real: [string, () => Rows | undefined][] = [
    ['the example corpus', () => example('train')],
    ['the example queries', () => example('test')],
    // Where they lie beside the project.
    ...(process.env['CI_FULL'] ? others : []).map((path): [string, () => Rows | undefined] => [
      path,
      () => shared(path),
    ]),
  ]
  describe.each(real)('are not warned of: %s, whole, in parts and truncated', (_, read) => {
    it.each(['binary', 'int8', 'ternary'] as const)('to %s', (coarse) => {
      const rows = read()
      if (rows === undefined) return
      for (const part of [rows, slice(rows, 0, 40), slice(rows, 100, 300), every(rows, 7)]) {
        expect(warningsOfBuild(part, { coarse }).filter((message) => !message.includes('based on'))).toEqual([])
      }
      expect(warningsOfBuild(rows, { coarse, truncate: 128 })).toEqual([])
    })
  })

  it('are not warned of: normal values, two rows, rows of zeros, one dimension that is far larger', () => {
    const normal = matrix(3000, 64, 1)
    const massive = changed(normal, (value, _row, d) => (d === 5 ? 100 * value : value))
    const zeros = changed(normal, (value, row) => (row % 2 === 0 ? 0 : value))
    for (const coarse of PRECISIONS) {
      for (const rows of [normal, slice(normal, 0, 2)]) {
        expect(warningsOfBuild(rows, { coarse }).filter((message) => !message.includes('based on'))).toEqual([])
      }
      expect(warningsOfBuild(massive, { coarse: 'int8' })).toEqual([])
      expect(() => warningsOfBuild(zeros, { coarse })).not.toThrow()
    }
  })
})
