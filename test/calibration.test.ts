import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Calibration, dequantizeEmbeddings, QuantizedIndex, quantizeEmbeddings } from '../src/index.js'
import { encodeIndex } from '../src/storage.js'
import { matrix, thrownBy, unitRows } from './random.js'

describe('Calibration', () => {
  it('gives the minimum and maximum of each dimension', () => {
    const { ranges, rows, dims } = Calibration.from([
      [1, -2, 0.5],
      [-3, 4, 0.5],
    ])
    expect([...ranges]).toEqual([-3, -2, 0.5, 1, 4, 0.5])
    expect([rows, dims]).toEqual([2, 3])
  })

  it('gives the same bits whatever the batching, the order of batches and merges', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 70 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer(),
        fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
        (dims, rows, seed, batches) => {
          const data = unitRows(rows, dims, seed)
          data[0] = -0
          data[data.length - 1] = 0
          const whole = Calibration.from({ data, dims: [rows, dims] })
          const parts: Calibration[] = []
          const inOrder = new Calibration(dims)
          for (let first = 0, i = 0; first < rows; i++) {
            const count = Math.min(batches[i % batches.length]!, rows - first)
            const batch = { data: data.subarray(first * dims, (first + count) * dims), dims: [count, dims] }
            inOrder.add(batch)
            parts.unshift(Calibration.from(batch))
            first += count
          }
          const merged = parts.reduce((sum, part) => sum.merge(part), new Calibration(dims))
          for (const other of [inOrder, merged]) {
            expect(new Uint8Array(other.ranges.buffer)).toEqual(new Uint8Array(whole.ranges.buffer))
            expect(other.rows).toBe(rows)
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  it('does not depend on which zero came first', () => {
    const forward = Calibration.from([[0], [-0]]).ranges
    const backward = Calibration.from([[-0], [0]]).ranges
    expect(new Uint8Array(forward.buffer)).toEqual(new Uint8Array(backward.buffer))
  })

  it('is saved as JSON and read back with the same bits', () => {
    const calibration = Calibration.from(matrix(50, 33, 7))
    const read = Calibration.fromJSON(JSON.stringify(calibration))
    expect(read.ranges).toEqual(calibration.ranges)
    expect(read.rows).toBe(50)
    const embeddings = matrix(5, 33, 8)
    expect(quantizeEmbeddings(embeddings, 'int8', { ranges: read }).data).toEqual(
      quantizeEmbeddings(embeddings, 'int8', { ranges: calibration }).data,
    )
  })

  it('takes ranges as two rows, as a tensor, as another calibration', () => {
    const rows = Calibration.fromRanges([
      [-1, -2],
      [1, 2],
    ])
    const tensor = Calibration.fromRanges({ data: new Float32Array([-1, -2, 1, 2]), dims: [2, 2] })
    expect(rows.ranges).toEqual(tensor.ranges)
    expect(Calibration.fromRanges(rows).ranges).toEqual(rows.ranges)
  })

  it('goes on without changing the codes that were made with it', () => {
    const calibration = Calibration.from([[-1], [1]])
    const codes = quantizeEmbeddings([[0.5], [0.25]], 'int8', { ranges: calibration })
    const index = QuantizedIndex.build([[0.5], [0.25]], { coarse: 'int8', ranges: calibration })
    const before = [dequantizeEmbeddings(codes).data, index.search([1]), encodeIndex(index)]
    calibration.add([[100]])
    expect([dequantizeEmbeddings(codes).data, index.search([1]), encodeIndex(index)]).toEqual(before)
  })

  it('is unchanged by a batch with a NaN, and works on', () => {
    const calibration = Calibration.from([
      [1, 2],
      [3, 4],
    ])
    const error = thrownBy(() =>
      calibration.add([
        [100, 100],
        [5, Number.NaN],
      ]),
    )
    expect(error).toMatchObject({ name: 'PackvecError', code: 'NOT_FINITE', argument: 'embeddings' })
    expect(error.message).toContain('NaN at row 1, dimension 1')
    expect([...calibration.ranges]).toEqual([1, 2, 3, 4])
    expect([...calibration.add([[0, 5]]).ranges]).toEqual([0, 2, 3, 5])
  })

  it('refuses what is no calibration, by name', () => {
    const two = Calibration.from(matrix(3, 2, 1))
    const cases: [() => unknown, string][] = [
      [() => Calibration.from([]), 'EMPTY'],
      [() => new Calibration(4).ranges, 'EMPTY'],
      [() => new Calibration(0), 'ZERO_DIMS'],
      [() => two.add([[1, 2, 3]]), 'DIMS_MISMATCH'],
      [() => two.merge(Calibration.from(matrix(3, 4, 1))), 'DIMS_MISMATCH'],
      [() => Calibration.fromRanges([[1], [0]]), 'INVALID_RANGES'],
      [() => Calibration.fromRanges([[Number.NaN], [1]]), 'INVALID_RANGES'],
      [() => Calibration.fromRanges([[-3e38], [3e38]]), 'INVALID_RANGES'],
      [() => Calibration.fromRanges([[0], [1], [2]]), 'INVALID_RANGES'],
      [() => Calibration.fromJSON('{'), 'INVALID_FILE'],
      [() => Calibration.fromJSON('{}'), 'INVALID_FILE'],
      [() => Calibration.fromJSON('null'), 'INVALID_FILE'],
      [() => Calibration.fromJSON({ ...two.toJSON(), version: 2 as 1 }), 'UNSUPPORTED'],
      [() => Calibration.fromJSON({ ...two.toJSON(), min: [1] }), 'INVALID_FILE'],
      [() => Calibration.fromJSON({ ...two.toJSON(), rows: -1 }), 'INVALID_FILE'],
    ]
    for (const [call, code] of cases) expect(thrownBy(call)).toMatchObject({ name: 'PackvecError', code })
    expect(
      thrownBy(() =>
        Calibration.fromRanges([
          [0, 1],
          [1, 0],
        ]),
      ).message,
    ).toContain('got 1 and 0 at dimension 1')
  })
})
