import { describe, expect, it } from 'vitest'
import { accuracy, meanAndDeviation, ndcg, pearson, recall, spearman } from '../../src/evaluation/metrics.js'
import { vote } from '../../src/evaluation/neighbours.js'

const x = [0.5, 2, 2, 3.5, -1, 7, 2, 0.25]
const y = [1, 3, 2, 2, 0, 9, 5, 1]

describe('correlations', () => {
  it('are those of scipy, with ties on both sides', () => {
    expect(spearman(x, y)).toBeCloseTo(0.8519167771102709, 12)
    expect(pearson(x, y)).toBeCloseTo(0.8901958070963875, 12)
  })

  it('do not depend on the order of the pairs', () => {
    const order = [6, 1, 2, 7, 0, 5, 3, 4]
    const shuffled = spearman(
      order.map((i) => x[i]!),
      order.map((i) => y[i]!),
    )
    expect(shuffled).toBeCloseTo(spearman(x, y), 12)
  })

  it('are not a number where one side is constant', () => {
    expect(spearman([1, 1, 1], [1, 2, 3])).toBeNaN()
    expect(pearson([1, 2, 3], [4, 4, 4])).toBeNaN()
  })
})

describe('ranking metrics', () => {
  it('recall counts the exact ids among as many found ones, in any order', () => {
    expect(recall([3, 1, 2, 9], [9, 3, 2])).toBeCloseTo(2 / 3)
    expect(recall([], [1, 2])).toBe(0)
  })

  it('ndcg is that of scikit-learn on graded relevance', () => {
    const grades = new Map([
      [1, 3],
      [2, 1],
      [7, 2],
      [9, 1],
    ])
    const found = [4, 1, 7, 0, 2, 3, 5, 6, 8, 9]
    expect(ndcg(found, grades, 10)).toBeCloseTo(0.6872762845448119, 12)
    expect(ndcg(found, grades, 3)).toBeCloseTo(0.6074915180456525, 12)
  })

  it('ndcg of a query without relevant rows is not a number', () => {
    expect(ndcg([1, 2], new Map([[1, 0]]), 10)).toBeNaN()
  })
})

describe('classes', () => {
  it('accuracy is the share of equal entries', () => {
    expect(accuracy([1, 2, 0, 1], [1, 0, 0, 2])).toBe(0.5)
  })

  it('mean and deviation are those of numpy', () => {
    expect(meanAndDeviation([1, 2, 4])).toEqual({ mean: 7 / 3, deviation: expect.closeTo(1.247219128924647, 12) })
  })

  it('the class with most neighbours wins, of equals the one with the nearest', () => {
    const labels = [0, 1, 1, 2, 2, 0]
    expect(vote([0, 1, 2], labels, 3)).toBe(1)
    expect(vote([3, 1, 2, 4], labels, 3)).toBe(2)
  })
})
