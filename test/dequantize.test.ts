import { describe, expect, it } from 'vitest'
import { dequantizeEmbeddings, PRECISIONS, quantizeEmbeddings } from '../src/index.js'
import { matrix } from './random.js'

const [ROWS, DIMS] = [120, 19]
const floats = matrix(ROWS, DIMS, 5)

describe('dequantizeEmbeddings of float32', () => {
  const { data } = floats

  it.each([
    ['a matrix', { data, dims: [ROWS, DIMS] }, ROWS, DIMS],
    ['a matrix of so many dims', { data, dims: DIMS }, ROWS, DIMS],
    ['one vector', { data: data.slice(0, DIMS), dims: [DIMS] }, 1, DIMS],
    ['no rows', { data: new Float32Array(0), dims: [0, DIMS] }, 0, DIMS],
    ['a view at an odd place', { data: data.subarray(3, 3 + 2 * DIMS), dims: [2, DIMS] }, 2, DIMS],
  ])('copies { data, dims }: %s', (_, codes, rows, dims) => {
    for (const given of [{}, { dims }]) {
      const decoded = dequantizeEmbeddings(codes, { precision: 'float32', ...given })
      expect(decoded).toMatchObject({ rows, dims, rowBytes: 4 * dims, precision: 'float32' })
      expect(decoded.data).toEqual(codes.data)
      expect(decoded.data.buffer).not.toBe(codes.data.buffer)
    }
  })

  it('refuses other dims than the rows have', () => {
    const call = () => dequantizeEmbeddings(floats, { precision: 'float32', dims: DIMS - 1 })
    expect(call).toThrow(/rows of 76 bytes, float32 codes of 18 dimensions have 72/)
  })
})

describe('dequantizeEmbeddings', () => {
  it.each(PRECISIONS)('takes %s codes as { data, dims } as it takes those of quantizeEmbeddings', (precision) => {
    const codes = quantizeEmbeddings(floats, precision)
    const { data, rows, rowBytes, calibration, levels } = codes
    const elements = rowBytes / data.BYTES_PER_ELEMENT
    const given = { precision, dims: DIMS, ...(calibration && { ranges: calibration }), ...(levels && { levels }) }
    const decoded = dequantizeEmbeddings({ data, dims: [rows, elements] }, given)
    expect(decoded).toEqual(dequantizeEmbeddings(codes))
    expect(dequantizeEmbeddings({ data, dims: elements }, given)).toEqual(decoded)
  })

  it('takes levels for codes of levels and ranges for the others, where both are given', () => {
    const codes = quantizeEmbeddings(floats, 'int8')
    const { levels } = quantizeEmbeddings(floats, 'int4')
    expect(dequantizeEmbeddings(codes, { levels: levels! })).toEqual(dequantizeEmbeddings(codes))
  })

  it('refuses rows that were counted but are not there, without going through them', () => {
    const codes = { ...quantizeEmbeddings(floats, 'int8'), rows: 2 ** 40, dims: 0, rowBytes: 0, data: new Int8Array(0) }
    expect(() => dequantizeEmbeddings(codes)).toThrow(/codes.dims must be a whole number of at least 1, got 0/)
  })
})
