import { existsSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeNpy } from '../src/formats/npy.js'
import {
  dequantizeEmbeddings,
  init,
  Levels,
  PRECISIONS,
  type Precision,
  QuantizedIndex,
  quantizeEmbeddings,
  semanticSearch,
} from '../src/index.js'
import { Rotation } from '../src/rotations.js'
import { decodeIndex, encodeIndex } from '../src/storage.js'
import { bookOf } from './exact.js'
import { exampleRows } from './golden.js'
import { dots, expectBest } from './oracle.js'
import { matrix, randomSource, thrownBy, unitRows } from './random.js'

const LEVELS = ['ternary', 'quaternary', 'int4'] as const

describe('codes of 2 and 4 bits', () => {
  const golden = JSON.parse(readFileSync(new URL('fixtures/techniques.json', import.meta.url), 'utf8'))
  const calibrationEmbeddings = exampleRows('banking77_train.npy', 2000)
  const rows = exampleRows('banking77_test.npy', 16)
  const bytes = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'))

  for (const precision of LEVELS) {
    for (const scope of ['global', 'dimension'] as const) {
      it(`${precision} with ${scope} thresholds has the codes, thresholds and means that numpy gives`, () => {
        const codes = quantizeEmbeddings(rows, precision, { calibrationEmbeddings, scope })
        const expected = golden[`${precision}_${scope}`]
        expect(codes.data).toEqual(bytes(expected.codes))
        for (const [i, base64] of (expected.thresholds ?? []).entries()) {
          expect(codes.levels!.thresholds[i]).toEqual(new Float32Array(bytes(base64).buffer))
        }
        for (const [code, means] of (expected.firstMeans ?? []).entries()) {
          means.forEach((mean: number, d: number) => {
            expect(codes.levels!.values[code]![d]).toBeCloseTo(mean, 6)
          })
        }
      })
    }
  }

  it('8-bit codes take one range for the matrix, or two percentiles, as numpy computes them', () => {
    const options = { calibrationEmbeddings, scope: 'global' } as const
    expect(quantizeEmbeddings(rows, 'uint8', options).data).toEqual(bytes(golden.uint8_global.codes))
    const clipped = quantizeEmbeddings(rows, 'uint8', { calibrationEmbeddings, percentiles: [1, 99] })
    expect(clipped.data).toEqual(bytes(golden.uint8_clipped.codes))
  })

  const unabridged = new URL('../../shared/', import.meta.url)
  const npy = (path: string) => decodeNpy(readFileSync(new URL(path, unabridged)))
  // The whole calibration set is not in the repository.
  it.runIf(existsSync(new URL('oracles/techniques', unabridged)))('meet the study on its own arrays', () => {
    const sample = npy('data/minilm/nq_dev.npy')
    const texts = npy('oracles/techniques/rows.npy')
    for (const precision of ['ternary', 'quaternary'] as const) {
      for (const scope of ['global', 'dimension'] as const) {
        const codes = quantizeEmbeddings(texts, precision, { calibrationEmbeddings: sample, scope })
        expect(codes.data).toEqual(npy(`oracles/techniques/${precision}_${scope}.npy`).data)
        const { data, dims } = npy(`oracles/techniques/${precision}_${scope}_thresholds.npy`)
        codes.levels!.thresholds.forEach((row, i) => {
          row.forEach((value, d) => {
            expect(value).toBe(data[dims.length === 1 ? i : i * 384 + d])
          })
        })
      }
    }
    const uint8 = quantizeEmbeddings(texts, 'uint8', { calibrationEmbeddings: sample, scope: 'global' })
    expect(uint8.data).toEqual(npy('oracles/techniques/uint8_global.npy').data)
  })

  it('pack the first dimension in the top bits', () => {
    const levels = Levels.fromJSON({
      ...Levels.from(matrix(100, 4, 1), 'ternary').toJSON(),
      thresholds: [Array(4).fill(-0.5), Array(4).fill(0.5)],
    })
    expect([...quantizeEmbeddings([-1, 0, 1, -0.5], 'ternary', { levels }).data]).toEqual([24])
  })

  it('decode to a value in whose bucket they lie, for any dims', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.constantFrom(...LEVELS),
        fc.constantFrom('global', 'dimension'),
        fc.integer(),
        (dims, precision, scope, seed) => {
          const codes = quantizeEmbeddings(matrix(150, dims, seed), precision, { scope: scope as 'global' })
          const decoded = dequantizeEmbeddings(codes)
          const again = quantizeEmbeddings(decoded, precision, { levels: codes.levels! })
          expect(again.data).toEqual(codes.data)
          const bare = { data: codes.data, dims: [150, codes.rowBytes] }
          expect(dequantizeEmbeddings(bare, { precision, dims, levels: codes.levels! }).data).toEqual(decoded.data)
        },
      ),
      { numRuns: 30 },
    )
  })

  describe.each([1, 33, 384])('of %i dims', (dims) => {
    const rows = 1000
    const embeddings = matrix(rows, dims, dims)
    const query = unitRows(1, dims, dims + 1)

    it.each([...LEVELS, 'binary', 'int8'] as Precision[])('as %s are searched as they decode', (precision) => {
      const book = bookOf(embeddings, precision)
      for (const scale of [false, 'float16', 'float32'] as const) {
        // Plain int8 has its own test.
        if (precision === 'int8' && !scale) continue
        const options = { ...book, scale }
        const { data } = dequantizeEmbeddings(quantizeEmbeddings(embeddings, precision, options))
        const index = QuantizedIndex.build(embeddings, { coarse: precision, rescore: 'none', ...options })
        const signs = precision === 'binary' && !scale ? data.map((sign) => (sign + 1) / 2) : data
        expectBest(index.search(query, { scoring: 'asymmetric' }), dots(query, signs, dims), 10, { title: `${scale}` })
      }
    })

    it.each(LEVELS)('as %s are compared with codes of a query', (precision) => {
      const codes = quantizeEmbeddings(embeddings, precision)
      const queryCodes = quantizeEmbeddings(query, precision, { levels: codes.levels! })
      const centred = { ternary: [-1, 0, 1], quaternary: [-3, -1, 1, 3], int4: undefined }[precision]
      const values = (of: typeof codes) => {
        if (centred === undefined) return dequantizeEmbeddings(of).data
        const value = (i: number) =>
          (of.data[Math.floor(i / dims) * of.rowBytes + ((i % dims) >> 2)]! >> (6 - 2 * ((i % dims) & 3))) & 3
        return Float32Array.from({ length: of.rows * dims }, (_, i) => centred[value(i)]!)
      }
      const expected = dots(values(queryCodes), values(codes), dims)
      const index = QuantizedIndex.build(embeddings, { coarse: precision, rescore: 'none' })
      expectBest(index.search(query, { scoring: 'symmetric' }), expected, 10)
      expectBest(semanticSearch(queryCodes, codes)[0]!, expected, 10)
    })
  })

  it('rescore the candidates of bits', () => {
    const embeddings = matrix(2000, 64, 3)
    const query = unitRows(1, 64, 4)
    for (const rescore of LEVELS) {
      const index = QuantizedIndex.build(embeddings, { rescore })
      const { data } = dequantizeEmbeddings(quantizeEmbeddings(embeddings, rescore))
      expectBest(index.search(query, { topK: 5, rescoreMultiplier: 400 }), dots(query, data, 64), 5, { title: rescore })
    }
  })

  it('a scale brings the dot of a row with its own code to its square', () => {
    const embeddings = matrix(300, 100, 8)
    for (const precision of ['binary', 'ternary', 'quaternary', 'int4', 'int8'] as Precision[]) {
      const codes = quantizeEmbeddings(embeddings, precision, { scale: 'float32' })
      const { data } = dequantizeEmbeddings(codes)
      for (let row = 0; row < 300; row++) {
        const own = dots(
          embeddings.data.subarray(row * 100, (row + 1) * 100),
          data.subarray(row * 100, (row + 1) * 100),
          100,
        )
        expect(own[0]).toBeCloseTo(1, 5)
      }
    }
  })

  it('work where quantiles coincide and data are constant', () => {
    for (const value of [0, 0.25]) {
      const constant = Array.from({ length: 120 }, () => [value, value, value])
      for (const precision of LEVELS) {
        const codes = quantizeEmbeddings(constant, precision)
        expect(dequantizeEmbeddings(codes).data.every((decoded) => Math.abs(decoded - value) < 1e-6)).toBe(true)
        expect([...QuantizedIndex.build(constant, { coarse: precision }).search([1, 1, 1], { topK: 3 }).ids]).toEqual([
          0, 1, 2,
        ])
      }
    }
  })

  it.each(PRECISIONS)('are the same bytes, and found alike, on both backends with %s in front', (coarse) => {
    const [rows, dims] = [250, 100]
    const embeddings = matrix(rows, dims, 41)
    const queries = matrix(2, dims, 42)
    for (const rescore of ['none', 'int8', 'binary', 'ternary', 'int4'] as const) {
      for (const scale of [false, true]) {
        const runs = (['wasm', 'typescript'] as const).map((backend) => {
          init({ backend })
          const index = QuantizedIndex.build(embeddings, { coarse, rescore, scale })
          return { bytes: encodeIndex(index), results: index.search(queries, { scoring: 'asymmetric' }) }
        })
        init({ backend: 'wasm' })
        expect(runs[1]!.bytes).toEqual(runs[0]!.bytes)
        runs[0]!.results.forEach(({ scores }, i) => {
          const found = runs[1]!.results[i]!.scores
          scores.forEach((score, j) => {
            expect(found[j]).toBeCloseTo(score, 4)
          })
        })
      }
    }
  })

  it('Levels are saved as JSON and read back with the same codes', () => {
    for (const precision of LEVELS) {
      const levels = Levels.from(matrix(500, 20, 1), precision, { scope: 'dimension' })
      const read = Levels.fromJSON(JSON.stringify(levels))
      expect(read.thresholds).toEqual(levels.thresholds)
      expect(read.values).toEqual(levels.values)
    }
  })
})

describe('an index with a rotation, a truncation, a scale', () => {
  const [rows, dims] = [1500, 96]
  const embeddings = matrix(rows, dims, 31)
  const queries = matrix(5, dims, 32)

  it('ranks as the index without a rotation does, where nothing is lost', () => {
    const plain = QuantizedIndex.build(embeddings, { coarse: 'float32' }).search(queries)
    const rotated = QuantizedIndex.build(embeddings, {
      coarse: 'float32',
      rotation: Rotation.hadamard(dims, { seed: 3 }),
    })
    rotated.search(queries).forEach((result, i) => {
      expect([...result.ids]).toEqual([...plain[i]!.ids])
    })
  })

  it('adds what a centre takes: scores are those of the embeddings as they came', () => {
    const random = randomSource(5)
    const centre = Float32Array.from({ length: dims }, () => random() - 0.5)
    const identity = new Float32Array(dims * dims)
    for (let d = 0; d < dims; d++) identity[d * dims + d] = 1
    const rotation = Rotation.fromMatrix(identity, dims, 'svd', undefined, { centre })
    const index = QuantizedIndex.build(embeddings, { coarse: 'int8', rescore: 'float32', rotation })
    const exact = QuantizedIndex.build(embeddings, { coarse: 'float32' })
    index.search(queries, { rescoreMultiplier: 20 }).forEach((result, i) => {
      const expected = exact.search(queries)[i]!
      expect([...result.ids]).toEqual([...expected.ids])
      result.scores.forEach((score, j) => {
        expect(score).toBeCloseTo(expected.scores[j]!, 5)
      })
    })
  })

  it('takes whole embeddings and truncated ones alike', () => {
    const index = QuantizedIndex.build(embeddings, { truncate: 40, renormalize: true })
    expect(index.dims).toBe(dims)
    const query = queries.data.subarray(0, dims)
    expect(index.search(query.slice(0, 40))).toEqual(index.search(query))
    const short = Array.from({ length: rows }, (_, i) => embeddings.data.subarray(i * dims, i * dims + 40))
    const norms = short.map((row) => Math.hypot(...row))
    const exact = QuantizedIndex.build(embeddings, { truncate: 40, renormalize: true, coarse: 'float32' })
    const scores = short.map(
      (row, i) =>
        dots(
          query,
          row.map((value) => value / norms[i]!),
          40,
        )[0]! / Math.hypot(...query.subarray(0, 40)),
    )
    expectBest(exact.search(query), scores, 10)
  })

  it('is written to bytes and read back the same, with every part', () => {
    for (const rotation of [undefined, Rotation.hadamard(64, { seed: 9 })]) {
      for (const scale of [false, 'float16', 'float32'] as const) {
        for (const coarse of ['ternary', 'quaternary', 'int4', 'binary'] as Precision[]) {
          const options = { coarse, rescore: 'int8', rotation, scale, truncate: 64, renormalize: true } as const
          const index = QuantizedIndex.build(embeddings, options)
          const read = decodeIndex(encodeIndex(index))
          expect(read.search(queries)).toEqual(index.search(queries))
          expect(encodeIndex(read)).toEqual(encodeIndex(index))
        }
      }
    }
  })

  it.each<[string, () => unknown, string]>([
    [
      'a rotation of other dims',
      () => QuantizedIndex.build(embeddings, { rotation: Rotation.hadamard(8) }),
      'DIMS_MISMATCH',
    ],
    ['no Rotation', () => QuantizedIndex.build(embeddings, { rotation: 'svd' as never }), 'INVALID_ARGUMENT'],
    ['more dims than there are', () => QuantizedIndex.build(embeddings, { truncate: 97 }), 'DIMS_MISMATCH'],
    [
      'percentiles upside down',
      () => quantizeEmbeddings(embeddings, 'int8', { percentiles: [99, 1] }),
      'INVALID_ARGUMENT',
    ],
    [
      'an unknown scope',
      () => quantizeEmbeddings(embeddings, 'ternary', { scope: 'row' as never }),
      'INVALID_ARGUMENT',
    ],
    [
      'an unknown scale',
      () => quantizeEmbeddings(embeddings, 'ternary', { scale: 'int8' as never }),
      'INVALID_ARGUMENT',
    ],
    [
      'levels of another code',
      () => quantizeEmbeddings(embeddings, 'ternary', { levels: Levels.from(embeddings, 'int4') }),
      'INVALID_ARGUMENT',
    ],
    [
      'levels of other dims',
      () => quantizeEmbeddings([[1]], 'ternary', { levels: Levels.from(embeddings, 'ternary') }),
      'DIMS_MISMATCH',
    ],
    ['a single row without levels', () => quantizeEmbeddings([[1, 2]], 'ternary'), 'CALIBRATION_REQUIRED'],
    [
      'codes without their levels',
      () => dequantizeEmbeddings({ data: new Uint8Array(2), dims: [1, 2] }, { precision: 'ternary' }),
      'CALIBRATION_REQUIRED',
    ],
    ['levels that are none', () => Levels.fromJSON('{}'), 'INVALID_FILE'],
    [
      'a NaN in the embeddings',
      () =>
        QuantizedIndex.build([[1, Number.NaN]], { rotation: Rotation.hadamard(2), coarse: 'binary', rescore: 'none' }),
      'NOT_FINITE',
    ],
  ])('refuses %s', (_title, call, code) => {
    expect(thrownBy(call)).toMatchObject({ name: 'PackvecError', code })
  })
})
