import { describe, expect, it } from 'vitest'
import { fitLogistic, predictLogistic } from '../../src/evaluation/logistic.js'
import { accuracy } from '../../src/evaluation/metrics.js'
import { multiplyTransposed } from '../../src/evaluation/multiply.js'
import { classRows } from './setup.js'

const rows = (count: number, seed: number) => {
  const { data, dims } = classRows(count, 12, 4, seed)
  return { data, rows: dims[0], dims: dims[1] }
}
const train = rows(48, 1)
const test = rows(200, 2)
const labels = (count: number) => Array.from({ length: count }, (_, i) => i % 4)

describe('logistic regression', () => {
  it('reaches the accuracy, weights and intercepts of scikit-learn', () => {
    const model = fitLogistic(train, labels(48), 4)
    const close = (value: number) => expect.closeTo(value, 2)
    expect(Array.from(model.intercepts)).toEqual([-0.08866255, -0.00226248, 0.07882873, 0.01209631].map(close))
    const second = Array.from(model.weights.subarray(12, 16))
    expect(second).toEqual([-0.20497838, 0.90814082, -0.50503347, -0.60577392].map(close))
    expect(accuracy(predictLogistic(model, test), labels(200))).toBeCloseTo(0.775, 2)
  })

  it('gives rows without information the most frequent class', () => {
    const constant = { data: new Float32Array(6 * 3).fill(1), rows: 6, dims: 3 }
    const model = fitLogistic(constant, [0, 1, 1, 1, 2, 2], 3)
    expect(Array.from(predictLogistic(model, constant))).toEqual([1, 1, 1, 1, 1, 1])
  })
})

describe('multiplyTransposed', () => {
  it.each([
    [1, 1, 1],
    [4, 4, 3],
    [5, 7, 2],
    [8, 3, 5],
    [9, 13, 17],
  ])('multiplies %i x %i with inner %i, blocks and edges alike', (m, n, k) => {
    const a = Float64Array.from({ length: m * k }, (_, i) => (i % 11) - 4)
    const b = Float64Array.from({ length: n * k }, (_, i) => (i % 7) - 2)
    const out = new Float64Array(m * n + 1).fill(99)
    multiplyTransposed(a, b, out, m, n, k)
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0
        for (let p = 0; p < k; p++) sum += a[i * k + p]! * b[j * k + p]!
        expect(out[i * n + j], `${i}, ${j}`).toBe(sum)
      }
    }
    expect(out[m * n]).toBe(99)
  })
})
