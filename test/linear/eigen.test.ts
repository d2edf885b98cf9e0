import { EigenvalueDecomposition, Matrix } from 'ml-matrix'
import { describe, expect, it } from 'vitest'
import { eigenDecompose, eigenSteps } from '../../src/transform/fit/eigen.js'
import { thrownBy } from '../random.js'
import { covariance, normals, openEigen } from './setup.js'

function decompose(matrix: ArrayLike<number>, dims: number, backend: 'wasm' | 'typescript' = 'wasm') {
  const { kernels, buffer, at } = openEigen(backend, dims, matrix)
  return eigenDecompose(kernels, buffer, at, dims)
}

/** Largest entry of A V - V L over the Frobenius norm of A, and of V^T V - I. */
function errors(matrix: Float64Array, dims: number, values: Float64Array, vectors: Float64Array) {
  const norm = Math.sqrt(matrix.reduce((sum, x) => sum + x * x, 0)) || 1
  let residual = 0
  let orthogonality = 0
  for (let i = 0; i < dims; i++) {
    const v = vectors.subarray(i * dims, (i + 1) * dims)
    for (let r = 0; r < dims; r++) {
      let image = 0
      let dot = 0
      for (let c = 0; c < dims; c++) {
        image += matrix[r * dims + c]! * v[c]!
        dot += vectors[r * dims + c]! * v[c]!
      }
      residual = Math.max(residual, Math.abs(image - values[i]! * v[r]!) / norm)
      orthogonality = Math.max(orthogonality, Math.abs(dot - (r === i ? 1 : 0)))
    }
  }
  return { residual, orthogonality }
}

const fromEntry = (dims: number, entry: (row: number, column: number) => number) =>
  Float64Array.from({ length: dims * dims }, (_, i) => entry(Math.floor(i / dims), i % dims))
const diagonal = (values: readonly number[]) => fromEntry(values.length, (r, c) => (r === c ? values[r]! : 0))
const indefinite = (dims: number) => {
  const x = normals(dims * dims, dims)
  return fromEntry(dims, (r, c) => x[r * dims + c]! + x[c * dims + r]!)
}
const rankOne = (dims: number) => {
  const x = normals(dims, 6)
  return fromEntry(dims, (r, c) => x[r]! * x[c]!)
}
/** Q diag(values) Q with Q = I - 2 x x^T / |x|². */
const reflected = (values: readonly number[]) => {
  const dims = values.length
  const x = normals(dims, 9)
  const square = x.reduce((sum, value) => sum + value * value, 0)
  const q = (r: number, c: number) => (r === c ? 1 : 0) - (2 * x[r]! * x[c]!) / square
  return fromEntry(dims, (r, c) => values.reduce((sum, value, i) => sum + value * q(r, i) * q(c, i), 0))
}
const scaled = (matrix: Float64Array, factor: number) => matrix.map((x) => x * factor)

const cases: [string, number, Float64Array][] = [
  ...[1, 2, 3, 5, 7, 8, 9, 16, 17, 33, 100].map((n): [string, number, Float64Array] => [
    'a covariance',
    n,
    covariance(2 * n + 1, n, n),
  ]),
  ['the covariance of an embedding model', 384, covariance(500, 384, 3, 0.01)],
  ...[2, 3, 17, 64, 130].map((n): [string, number, Float64Array] => ['an indefinite matrix', n, indefinite(n)]),
  ['fewer rows than dims', 60, covariance(11, 60, 4)],
  ['rank 1', 1, rankOne(1)],
  ['rank 1', 2, rankOne(2)],
  ['rank 1', 50, rankOne(50)],
  ['all entries 1', 40, fromEntry(40, () => 1)],
  ['zero', 1, new Float64Array(1)],
  ['zero', 2, new Float64Array(4)],
  ['zero', 33, new Float64Array(33 * 33)],
  ['identity', 1, diagonal([1])],
  ['identity', 34, diagonal(Array<number>(34).fill(1))],
  ['diagonal', 35, diagonal(Array.from({ length: 35 }, (_, i) => ((i * 17) % 35) - 10))],
  ['diagonal over 30 orders of magnitude', 20, diagonal(Array.from({ length: 20 }, (_, i) => 10 ** (1.5 * i - 15)))],
  ['eigenvalues repeated', 48, reflected(Array.from({ length: 48 }, (_, i) => (i < 20 ? 3 : i < 40 ? 1 : 0)))],
  ['eigenvalues closer than rounding', 30, reflected(Array.from({ length: 30 }, (_, i) => 1 + i * 1e-16))],
  ['eigenvalues over 16 orders of magnitude', 40, reflected(Array.from({ length: 40 }, (_, i) => 10 ** (-i * 0.4)))],
  ['tridiagonal already', 41, fromEntry(41, (r, c) => (r === c ? Math.abs(r - 20) : Math.abs(r - c) === 1 ? 1 : 0))],
  ['two blocks', 30, fromEntry(30, (r, c) => (Math.floor(r / 15) === Math.floor(c / 15) ? 1 / (1 + r + c) : 0))],
  ['only its anti-diagonal', 31, fromEntry(31, (r, c) => (r + c === 30 ? 1 : 0))],
  ['entries around 1e-30', 33, scaled(covariance(50, 33, 7), 1e-30)],
  ['entries around 1e30', 33, scaled(covariance(50, 33, 7), 1e30)],
  ['entries around 1e-300', 17, scaled(indefinite(17), 1e-300)],
  ['entries around 1e300', 17, scaled(indefinite(17), 1e300)],
  ['one large entry among tiny ones', 24, fromEntry(24, (r, c) => (r === 7 && c === 7 ? 1 : 1e-170 / (1 + r + c)))],
  ['a decay that underflows when squared', 60, fromEntry(60, (r, c) => 10 ** (-5 * (r + c)))],
]

describe('eigenDecompose', () => {
  it.each(cases)('solves %s at %i dims, with the same bits in wasm and in TypeScript', (name, dims, matrix) => {
    const { values, vectors } = decompose(matrix, dims)
    const twin = decompose(matrix, dims, 'typescript')
    expect([...twin.values]).toEqual([...values])
    expect([...twin.vectors]).toEqual([...vectors])
    expect([...values]).toEqual([...values].sort((a, b) => b - a))
    // Squares of such numbers leave the range: the errors are looked at as if the entries were around 1.
    const factor = name.includes('1e300') ? 1e-300 : name.includes('1e-300') ? 1e300 : 1
    const found = errors(
      scaled(matrix, factor),
      dims,
      values.map((x) => x * factor),
      vectors,
    )
    expect(found.orthogonality).toBeLessThan(1e-13)
    expect(found.residual).toBeLessThan(1e-14)
    for (let i = 0; i < dims; i++) {
      const v = [...vectors.subarray(i * dims, (i + 1) * dims)]
      const magnitudes = v.map(Math.abs)
      expect(v[magnitudes.indexOf(Math.max(...magnitudes))]).toBeGreaterThan(0)
    }
  })

  it('finds orthogonal vectors of the smallest numbers there are, and values to their unit', () => {
    const entries = fromEntry(5, (r, c) => r + c + 1)
    const { values, vectors } = decompose(scaled(entries, Number.MIN_VALUE), 5)
    expect(errors(entries, 5, values, vectors).orthogonality).toBeLessThan(1e-13)
    decompose(entries, 5).values.forEach((value, i) => {
      expect(Math.abs(values[i]! / Number.MIN_VALUE - value)).toBeLessThanOrEqual(1)
    })
  })

  it('agrees with ml-matrix at 64 dims', () => {
    const matrix = covariance(100, 64, 12)
    const { values, vectors } = decompose(matrix, 64)
    const oracle = new EigenvalueDecomposition(
      new Matrix(64, 64).apply(function (this: Matrix, r, c) {
        this.set(r, c, matrix[r * 64 + c]!)
      }),
      { assumeSymmetric: true },
    )
    const order = oracle.realEigenvalues
      .map((_, i) => i)
      .sort((a, b) => oracle.realEigenvalues[b]! - oracle.realEigenvalues[a]!)
    order.forEach((column, i) => {
      expect(Math.abs(values[i]! - oracle.realEigenvalues[column]!)).toBeLessThan(1e-13)
      const v = oracle.eigenvectorMatrix.getColumn(column)
      const dot = v.reduce((sum, x, d) => sum + x * vectors[i * 64 + d]!, 0)
      expect(Math.abs(Math.abs(dot) - 1)).toBeLessThan(1e-12)
    })
  })

  it('agrees with numpy.linalg.eigvalsh at 384 dims', () => {
    const matrix = fromEntry(384, (r, c) => {
      const [low, high] = [Math.min(r, c), Math.max(r, c)]
      return (((high * 7919 + low * 104729 + high * low * 31) % 1009) - 504) / 1009
    })
    const { values } = decompose(matrix, 384)
    const expected = [
      [0, 10.518253672033643],
      [1, 10.224413682877172],
      [5, 9.916573907255358],
      [190, 0.09651316228001998],
      [193, -0.040509743857953],
      [381, -10.167152511775889],
      [383, -10.607043700536291],
    ] as const
    for (const [i, value] of expected) expect(Math.abs(values[i]! - value)).toBeLessThan(1e-12)
  })

  it('looks at the lower triangle only', () => {
    const matrix = covariance(40, 19, 2)
    const lower = fromEntry(19, (r, c) => (c > r ? Number.NaN : matrix[r * 19 + c]!))
    expect(decompose(lower, 19)).toEqual(decompose(matrix, 19))
  })

  it('tells a fraction that grows to 1, and stops where the listener throws', () => {
    const matrix = covariance(300, 200, 5)
    const { kernels, buffer, at } = openEigen('wasm', 200, matrix)
    const fractions: number[] = []
    eigenDecompose(kernels, buffer, at, 200, (fraction) => fractions.push(fraction))
    expect(fractions.length).toBeGreaterThan(10)
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b))
    expect(fractions[0]).toBeGreaterThan(0)
    expect(fractions.at(-1)).toBe(1)

    let heard = 0
    const again = openEigen('wasm', 200, matrix)
    const stopped = thrownBy(() =>
      eigenDecompose(again.kernels, again.buffer, again.at, 200, () => {
        if (++heard === 5) throw new RangeError('enough')
      }),
    )
    expect(stopped.message).toBe('enough')
    expect(heard).toBe(5)
  })

  it('goes on where it stopped, whatever else runs in between', () => {
    const matrix = covariance(90, 80, 5)
    const runs = [0, 1].map(() => {
      const { kernels, buffer, at } = openEigen('wasm', 80, matrix)
      return eigenSteps(kernels, buffer, at, 80)
    })
    const results: unknown[] = []
    while (results.length < 2) {
      for (const run of runs) {
        const next = run.next()
        if (next.done && next.value) results.push(next.value)
      }
    }
    expect(results[0]).toEqual(results[1])
    expect(results[0]).toEqual(decompose(matrix, 80))
  })

  it.each([Number.NaN, Infinity, -Infinity])('refuses a matrix that holds %d', (bad) => {
    const matrix = covariance(20, 9, 1)
    matrix[4 * 9 + 2] = bad
    const error = thrownBy(() => decompose(matrix, 9))
    expect(error.code).toBe('NOT_FINITE')
    expect(error.message).toBe(`matrix must be finite, got ${bad} in row 4, column 2`)
  })
})
