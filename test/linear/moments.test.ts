import { describe, expect, it } from 'vitest'
import {
  matrixF64Bytes,
  momentScratchBytes,
  multiplyScratchBytes,
  paddedF64,
} from '../../src/kernels/linear-kernels.js'
import { roundUp } from '../../src/kernels/regions.js'
import { f32, f64, normals, onBoth, open, putMatrix, putRows } from './setup.js'

const SIZES = [1, 2, 3, 5, 7, 16, 17, 33, 100, 384]

/** The moments of `rowCount` rows, added in calls of the given numbers of rows, as the lower triangle and the sums. */
function moments(dims: number, calls: number[], seed: number): { triangle: number[]; sums: number[] } {
  const rowCount = calls.reduce((a, b) => a + b, 0)
  const rowBytes = roundUp(4 * dims, 64)
  const arena = open('wasm', {
    rows: rowCount * rowBytes,
    moments: matrixF64Bytes(dims, dims),
    sums: 8 * paddedF64(dims),
    scratch: momentScratchBytes(dims),
  })
  const { at, kernels } = arena
  putRows(f32(arena, at.rows, (rowCount * rowBytes) / 4), normals(rowCount * dims, seed), dims, rowBytes)
  let first = 0
  for (const count of calls) {
    kernels.addMoments(at.rows + first * rowBytes, rowBytes, count, dims, at.moments, at.sums, at.scratch)
    first += count
  }
  return {
    triangle: lowerTriangle(f64(arena, at.moments, paddedF64(dims) * dims), dims),
    sums: [...f64(arena, at.sums, dims)],
  }
}

function lowerTriangle(matrix: Float64Array, dims: number): number[] {
  const stride = paddedF64(dims)
  return Array.from({ length: dims }, (_, i) => [...matrix.subarray(i * stride, i * stride + i + 1)]).flat()
}

describe('addMoments', () => {
  it.each(SIZES)('gives the bits of plain TypeScript at %i dims, one row and many', (dims) => {
    const rowBytes = roundUp(4 * dims, 64)
    for (const rowCount of [0, 1, 2, 65, 130]) {
      const triangles: number[][] = []
      const sizes = {
        rows: rowCount * rowBytes,
        moments: matrixF64Bytes(dims, dims),
        sums: 8 * paddedF64(dims),
        scratch: momentScratchBytes(dims),
      }
      onBoth(sizes, ['rows', 'sums'], (arena) => {
        const { at, kernels } = arena
        putRows(f32(arena, at.rows, sizes.rows / 4), normals(rowCount * dims, dims + rowCount), dims, rowBytes)
        kernels.addMoments(at.rows, rowBytes, rowCount, dims, at.moments, at.sums, at.scratch)
        triangles.push(lowerTriangle(f64(arena, at.moments, paddedF64(dims) * dims), dims))
      })
      expect(triangles[0]).toEqual(triangles[1])
    }
  })

  it('does not depend on how the rows are cut into calls, to the last bit', () => {
    const whole = moments(37, [300], 1)
    expect(moments(37, [1, 63, 64, 65, 107], 1)).toEqual(whole)
    expect(moments(37, Array<number>(300).fill(1), 1)).toEqual(whole)
  })

  it('is X^T X', () => {
    const dims = 6
    const x = Float32Array.from(normals(70 * dims, 5))
    const { triangle, sums } = moments(dims, [70], 5)
    for (let i = 0, entry = 0; i < dims; i++) {
      let sum = 0
      for (let r = 0; r < 70; r++) sum += x[r * dims + i]!
      expect(sums[i]).toBeCloseTo(sum, 12)
      for (let j = 0; j <= i; j++) {
        let product = 0
        for (let r = 0; r < 70; r++) product += x[r * dims + i]! * x[r * dims + j]!
        expect(triangle[entry++]).toBeCloseTo(product, 12)
      }
    }
  })
})

describe('multiplyF64', () => {
  const shapes = [
    [1, 1, 1],
    [1, 5, 2],
    [3, 2, 7],
    [5, 1, 3],
    [7, 64, 5],
    [16, 65, 17],
    [33, 129, 9],
    [100, 33, 100],
  ] as const

  it.each(shapes)('gives the bits of plain TypeScript for %i x %i times k = %i, transposed or not', (n, m, k) => {
    for (const transposeA of [0, 1] as const) {
      const products: number[][] = []
      const sizes = {
        a: transposeA ? matrixF64Bytes(m, n) : matrixF64Bytes(n, m),
        b: matrixF64Bytes(m, k),
        out: matrixF64Bytes(n, k),
        scratch: multiplyScratchBytes(n, k),
      }
      onBoth(sizes, ['a', 'b'], (arena) => {
        const { at, kernels } = arena
        putMatrix(f64(arena, at.a, sizes.a / 8), normals(n * m, n), transposeA ? n : m)
        putMatrix(f64(arena, at.b, sizes.b / 8), normals(m * k, k), k)
        // What stood in the result before, NaN too, does not matter.
        f64(arena, at.out, sizes.out / 8).fill(Number.NaN)
        kernels.multiplyF64(at.a, at.b, at.out, n, m, k, transposeA, at.scratch)
        const out = f64(arena, at.out, sizes.out / 8)
        products.push(Array.from({ length: n * k }, (_, i) => out[Math.floor(i / k) * paddedF64(k) + (i % k)]!))
      })
      expect(products[0]).toEqual(products[1])
    }
  })

  it('is the product of the textbook', () => {
    const arena = open('wasm', { a: 512, b: 512, out: 512, scratch: multiplyScratchBytes(2, 2) })
    const { at, kernels } = arena
    putMatrix(f64(arena, at.a, 64), [1, 2, 3, 4, 5, 6], 3)
    putMatrix(f64(arena, at.b, 64), [7, 8, 9, 10, 11, 12], 2)
    kernels.multiplyF64(at.a, at.b, at.out, 2, 3, 2, 0, at.scratch)
    expect([...f64(arena, at.out, 2), ...f64(arena, at.out + 64, 2)]).toEqual([58, 64, 139, 154])
    putMatrix(f64(arena, at.a, 64), [1, 4, 2, 5, 3, 6], 2)
    kernels.multiplyF64(at.a, at.b, at.out, 2, 3, 2, 1, at.scratch)
    expect([...f64(arena, at.out, 2), ...f64(arena, at.out + 64, 2)]).toEqual([58, 64, 139, 154])
  })
})
