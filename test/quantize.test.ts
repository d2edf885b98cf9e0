import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Calibration, dequantizeEmbeddings, type Precision, quantizeEmbeddings } from '../src/index.js'
import { matrix, thrownBy, unitRows } from './random.js'

/** The definition, one value at a time: `numpy.packbits(x > 0)`. */
function packedBits(data: Float32Array, dims: number): Uint8Array {
  const rowBytes = Math.ceil(dims / 8)
  const codes = new Uint8Array((data.length / dims) * rowBytes)
  for (let i = 0; i < data.length; i++) {
    const d = i % dims
    if (data[i]! > 0) codes[Math.floor(i / dims) * rowBytes + (d >> 3)]! |= 0x80 >> (d & 7)
  }
  return codes
}

function buckets(data: Float32Array, calibration: Calibration): Uint8Array {
  const { dims, ranges, steps } = calibration
  return Uint8Array.from(data, (value, i) => {
    const d = i % dims
    const bucket = Math.floor(Math.fround(Math.fround(value - ranges[d]!) / steps[d]!))
    return Math.min(Math.max(bucket, 0), 255)
  })
}

describe('quantizeEmbeddings', () => {
  it('meets the definitions for any dims from 1 to 4,200', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4200 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer(),
        (dims, rows, seed) => {
          const data = unitRows(rows, dims, seed)
          const embeddings = { data, dims: [rows, dims] }
          const calibration = Calibration.from(matrix(20, dims, seed + 1))
          expect(quantizeEmbeddings(embeddings, 'ubinary').data).toEqual(packedBits(data, dims))
          const uint8 = quantizeEmbeddings(embeddings, 'uint8', { ranges: calibration })
          expect(uint8.data).toEqual(buckets(data, calibration))
          const int8 = quantizeEmbeddings(embeddings, 'int8', { ranges: calibration })
          expect(int8.data).toEqual(Int8Array.from(uint8.data, (code) => code - 128))
          const binary = quantizeEmbeddings(embeddings, 'binary')
          expect(binary.data).toEqual(Int8Array.from(packedBits(data, dims), (code) => code - 128))
          expect(quantizeEmbeddings(embeddings, 'float32').data).toEqual(data)
          expect(binary).toMatchObject({ rows, dims, rowBytes: Math.ceil(dims / 8), precision: 'binary' })
        },
      ),
      { numRuns: 40 },
    )
  })

  it('gives the same codes for every kind of input', () => {
    const data = unitRows(6, 37, 3)
    const rows = Array.from({ length: 6 }, (_, i) => data.subarray(i * 37, (i + 1) * 37))
    const padded = new Float32Array(data.length + 1)
    padded.set(data, 1)
    const bytes = Buffer.alloc(data.byteLength + 4)
    bytes.set(new Uint8Array(data.buffer), 4)
    const slice = new Float32Array(bytes.buffer, bytes.byteOffset + 4, data.length)
    const inputs = [
      { data, dims: [6, 37] },
      { data: padded.subarray(1), dims: [6, 37] },
      { data: slice, dims: [6, 37] },
      { data: Float64Array.from(data), dims: [6, 37] },
      { data: Array.from(data), dims: [6, 37] },
      { data, dims: 37 },
      rows,
      rows.map((row) => Array.from(row)),
      rows.map((row) => Float64Array.from(row)),
    ]
    for (const precision of ['int8', 'ubinary', 'float32'] as const) {
      const calibrationEmbeddings = matrix(200, 37, 4)
      const expected = quantizeEmbeddings(inputs[0]!, precision, { calibrationEmbeddings }).data
      for (const input of inputs) {
        expect(quantizeEmbeddings(input, precision, { calibrationEmbeddings }).data).toEqual(expected)
      }
      const flat = quantizeEmbeddings(data, precision, { calibrationEmbeddings, dims: 37 })
      expect(flat.data).toEqual(expected)
      expect(flat.rows).toBe(6)
    }
  })

  it('takes a Float32Array or a list of numbers as one row', () => {
    expect(quantizeEmbeddings([1, -1, 1, 0], 'ubinary')).toMatchObject({ rows: 1, dims: 4 })
    expect([...quantizeEmbeddings(new Float32Array([1, -1, 1, 0]), 'ubinary').data]).toEqual([0b10100000])
  })

  it('treats row i alike wherever it stands', () => {
    const embeddings = unitRows(40, 100, 9)
    const ranges = Calibration.from({ data: embeddings, dims: [40, 100] })
    const all = quantizeEmbeddings({ data: embeddings, dims: [40, 100] }, 'int8', { ranges })
    const order = Array.from({ length: 40 }, (_, i) => (i * 7) % 40)
    const shuffled = order.map((row) => embeddings.subarray(row * 100, (row + 1) * 100))
    const codes = quantizeEmbeddings(shuffled, 'int8', { ranges })
    order.forEach((row, i) => {
      expect(codes.data.subarray(i * 100, (i + 1) * 100)).toEqual(all.data.subarray(row * 100, (row + 1) * 100))
    })
  })

  it('leaves no trace of earlier rows in the padding of rows of other dims', () => {
    quantizeEmbeddings(matrix(50, 64, 1), 'ubinary')
    const row = new Float32Array(9).fill(-1)
    expect([...quantizeEmbeddings(row, 'ubinary').data]).toEqual([0, 0])
  })

  it('shares one calibration among a list of matrices', () => {
    const [a, b] = [matrix(60, 8, 1), matrix(70, 8, 2)]
    const both = { data: new Float32Array([...a.data, ...b.data]), dims: [130, 8] }
    const together = quantizeEmbeddings(both, 'int8')
    const listed = quantizeEmbeddings([a, b], 'int8')
    expect(listed.map((codes) => codes.rows)).toEqual([60, 70])
    expect([...listed[0]!.data, ...listed[1]!.data]).toEqual([...together.data])
    const nested = [
      [
        [1, 2],
        [3, 4],
      ],
      [[5, 6]],
    ]
    expect(quantizeEmbeddings(nested, 'ubinary').map((codes) => codes.rows)).toEqual([2, 1])
  })

  it('gives zero rows of codes for zero rows', () => {
    for (const precision of ['float32', 'int8', 'uint8', 'binary', 'ubinary'] as Precision[]) {
      const codes = quantizeEmbeddings({ data: new Float32Array(0), dims: [0, 24] }, precision)
      expect(codes).toMatchObject({ rows: 0, dims: 24 })
      expect(codes.data.length).toBe(0)
    }
    expect(quantizeEmbeddings([], 'int8').rows).toBe(0)
  })

  it('warns of ranges from fewer than 100 rows, and only then', () => {
    const warnings: string[] = []
    const onWarning = (message: string) => warnings.push(message)
    quantizeEmbeddings(matrix(99, 4, 1), 'uint8', { onWarning })
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toContain('uint8 quantization buckets based on 99 embeddings')
    quantizeEmbeddings(matrix(100, 4, 1), 'uint8', { onWarning })
    quantizeEmbeddings(matrix(5, 4, 1), 'uint8', { onWarning, calibrationEmbeddings: matrix(5, 4, 1) })
    quantizeEmbeddings(matrix(5, 4, 1), 'binary', { onWarning })
    expect(warnings).toHaveLength(1)
  })
})

describe('dequantizeEmbeddings', () => {
  it('decodes to values that quantize to the same codes', () => {
    for (const precision of ['float32', 'int8', 'uint8', 'binary', 'ubinary'] as Precision[]) {
      const codes = quantizeEmbeddings(matrix(120, 31, 5), precision)
      const decoded = dequantizeEmbeddings(codes)
      expect(decoded).toMatchObject({ rows: 120, dims: 31, precision: 'float32' })
      if (precision === 'int8' || precision === 'uint8') {
        // The lower edge of a bucket may round to just below it.
        const step = codes.calibration!.steps
        const { ranges } = codes.calibration!
        decoded.data.forEach((value, i) => {
          const d = i % 31
          const code = Number(codes.data[i]) + (precision === 'int8' ? 128 : 0)
          expect(value).toBe(Math.fround(code * step[d]! + ranges[d]!))
        })
      } else {
        expect(quantizeEmbeddings(decoded, precision).data).toEqual(codes.data)
      }
    }
  })

  it('reads codes that came as an array with its shape', () => {
    const codes = quantizeEmbeddings(matrix(3, 20, 5), 'ubinary')
    const bare = { data: codes.data, dims: [3, 3] }
    const decoded = dequantizeEmbeddings(bare, { precision: 'ubinary', dims: 20 })
    expect(decoded.data).toEqual(dequantizeEmbeddings(codes).data)
    expect(dequantizeEmbeddings(bare, { precision: 'ubinary' }).dims).toBe(24)
  })
})

describe('bad input', () => {
  it.each([null, undefined, 'abc', 7, {}, [], new Uint8Array(3)])('%j is refused where codes are expected', (codes) => {
    for (const precision of [undefined, 'ubinary'] as const) {
      expect(thrownBy(() => dequantizeEmbeddings(codes as never, { precision }))).toMatchObject({
        name: 'PackvecError',
      })
    }
  })

  const good = matrix(3, 4, 1)
  const cases: [string, () => unknown, string, string][] = [
    [
      'NaN',
      () =>
        quantizeEmbeddings(
          [
            [1, 2],
            [3, Number.NaN],
          ],
          'ubinary',
        ),
      'NOT_FINITE',
      'NaN at row 1, dimension 1',
    ],
    [
      'infinity',
      () => quantizeEmbeddings([[1, -Infinity]], 'float32'),
      'NOT_FINITE',
      '-Infinity at row 0, dimension 1',
    ],
    ['a double beyond float32', () => quantizeEmbeddings([[1e300]], 'ubinary'), 'NOT_FINITE', 'row 0, dimension 0'],
    [
      'ragged rows',
      () => quantizeEmbeddings([[1, 2], [3]], 'ubinary'),
      'RAGGED_ROWS',
      'embeddings[1] must be 2 values',
    ],
    [
      'a flat array that is no whole number of rows',
      () => quantizeEmbeddings([1, 2, 3], 'ubinary', { dims: 2 }),
      'RAGGED_ROWS',
      '3 values',
    ],
    ['zero dims', () => quantizeEmbeddings([[], []], 'ubinary'), 'ZERO_DIMS', 'at least 1 dimension'],
    ['zero dims in a tensor', () => quantizeEmbeddings({ data: [], dims: [2, 0] }, 'ubinary'), 'ZERO_DIMS', 'dims'],
    ['an unknown precision', () => quantizeEmbeddings(good, 'int9' as 'int8'), 'INVALID_ARGUMENT', '"int9"'],
    [
      'a tensor of three dims',
      () => quantizeEmbeddings({ data: good.data, dims: [1, 3, 4] }, 'ubinary'),
      'INVALID_ARGUMENT',
      '1,3,4',
    ],
    [
      'a tensor with too few values',
      () => quantizeEmbeddings({ data: [1], dims: [2, 2] }, 'ubinary'),
      'INVALID_ARGUMENT',
      '4 values',
    ],
    ['a string', () => quantizeEmbeddings('abc' as never, 'ubinary'), 'INVALID_ARGUMENT', '"abc"'],
    ['null', () => quantizeEmbeddings(null as never, 'ubinary'), 'INVALID_ARGUMENT', 'null'],
    [
      'text among numbers',
      () => quantizeEmbeddings([[1, '2' as never]], 'ubinary'),
      'INVALID_ARGUMENT',
      '"2" at row 0',
    ],
    ['a hole', () => quantizeEmbeddings([[1, undefined as never]], 'ubinary'), 'INVALID_ARGUMENT', 'undefined'],
    [
      'quantized input',
      () => quantizeEmbeddings(quantizeEmbeddings(good, 'ubinary') as never, 'int8'),
      'QUANTIZED_INPUT',
      'must be float',
    ],
    ['bytes', () => quantizeEmbeddings(Buffer.from([1, 2]) as never, 'ubinary'), 'QUANTIZED_INPUT', 'must be float'],
    [
      'bigints',
      () => quantizeEmbeddings(new BigInt64Array(2) as never, 'ubinary'),
      'INVALID_ARGUMENT',
      'BigInt64Array',
    ],
    [
      'a single row without ranges',
      () => quantizeEmbeddings([[1, 2]], 'int8'),
      'CALIBRATION_REQUIRED',
      'single embedding',
    ],
    [
      'ranges of other dims',
      () => quantizeEmbeddings(good, 'int8', { ranges: [[0], [1]] }),
      'DIMS_MISMATCH',
      '4 dimensions',
    ],
    [
      'ranges upside down',
      () =>
        quantizeEmbeddings(good, 'int8', {
          ranges: [
            [1, 0, 0, 0],
            [0, 1, 1, 1],
          ],
        }),
      'INVALID_RANGES',
      'dimension 0',
    ],
    [
      'an empty calibration',
      () => quantizeEmbeddings(good, 'int8', { calibrationEmbeddings: [] }),
      'EMPTY',
      'at least 1 row',
    ],
    [
      'a NaN in the calibration',
      () => quantizeEmbeddings(good, 'int8', { calibrationEmbeddings: [[0, 0, 0, Number.NaN]] }),
      'NOT_FINITE',
      'calibrationEmbeddings',
    ],
    [
      'an unknown rounding',
      () => quantizeEmbeddings(good, 'int8', { rounding: 'up' as 'floor' }),
      'INVALID_ARGUMENT',
      'rounding',
    ],
    [
      'matrices of different dims',
      () => quantizeEmbeddings([[[1, 2]], [[1]]], 'ubinary'),
      'DIMS_MISMATCH',
      'embeddings[1]',
    ],
    [
      'int8 codes without ranges',
      () => dequantizeEmbeddings({ data: new Int8Array(4), dims: [1, 4] }, { precision: 'int8' }),
      'CALIBRATION_REQUIRED',
      'ranges',
    ],
    [
      'codes of the wrong width',
      () => dequantizeEmbeddings({ data: new Uint8Array(4), dims: [1, 4] }, { precision: 'ubinary', dims: 20 }),
      'WRONG_WIDTH',
      '4 bytes',
    ],
    [
      'codes of the wrong sign',
      () => dequantizeEmbeddings({ data: new Uint8Array(4), dims: [1, 4] }, { precision: 'binary' }),
      'INVALID_ARGUMENT',
      'Int8Array',
    ],
  ]
  it.each(cases)('%s is refused by name', (_title, call, code, part) => {
    const error = thrownBy(call)
    expect(error).toMatchObject({ name: 'PackvecError', code })
    expect(error.message).toContain(part)
    expect(quantizeEmbeddings([1, -1], 'ubinary').data[0]).toBe(0x80)
  })
})
