import { describe, expect, it } from 'vitest'
import { eigenScratchBytes, paddedF64, sweepBytes } from '../../src/kernels/linear-kernels.js'
import { covariance, f64, normals, onBoth, open, putMatrix } from './setup.js'

const SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 33, 100]

describe('tridiagonalise', () => {
  it.each(SIZES)('gives the bits of plain TypeScript at %i dims, in one call and row by row', (dims) => {
    const { matrix, vectors } = eigenScratchBytes(dims)
    const sizes = { matrix, vectors, diagonal: 8 * dims, offDiagonal: 8 * (dims - 1) }
    const runs = [dims, 1].map((rowsPerCall) =>
      onBoth(sizes, ['matrix', 'diagonal', 'offDiagonal'], ({ kernels, buffer, at }) => {
        putMatrix(new Float64Array(buffer, at.matrix, matrix / 8), covariance(dims + 3, dims, dims), dims)
        for (let row = dims - 1; row >= 0; row -= rowsPerCall) {
          const last = Math.max(0, row - rowsPerCall + 1)
          kernels.tridiagonalise(at.matrix, dims, row, last, at.diagonal, at.offDiagonal, at.vectors)
        }
      }),
    )
    const [whole, rows] = runs.map((arena) => new Uint8Array(arena.buffer, arena.at.matrix, matrix))
    expect(rows).toEqual(whole)
  })
})

describe('accumulateReflectors', () => {
  it.each(SIZES)('makes an orthogonal Z with A = Z^T T Z at %i dims, four reflectors at a time too', (dims) => {
    const { matrix, vectors } = eigenScratchBytes(dims)
    const sizes = { matrix, vectors, diagonal: 8 * paddedF64(dims), offDiagonal: 8 * paddedF64(dims) }
    const a = covariance(dims + 3, dims, dims)
    const end = 4 * Math.ceil(dims / 4)
    const runs = [end, 4].map((rowsPerCall) =>
      onBoth(sizes, ['matrix'], ({ kernels, buffer, at }) => {
        putMatrix(new Float64Array(buffer, at.matrix, matrix / 8), a, dims)
        kernels.tridiagonalise(at.matrix, dims, dims - 1, 0, at.diagonal, at.offDiagonal, at.vectors)
        for (let row = 0; row < end; row += rowsPerCall) {
          kernels.accumulateReflectors(at.matrix, dims, row, row + rowsPerCall, at.vectors)
        }
      }),
    )
    const [whole, fours] = runs.map((arena) => new Uint8Array(arena.buffer, arena.at.matrix, matrix))
    expect(fours).toEqual(whole)

    const arena = runs[0]!
    const stride = paddedF64(dims)
    const z = f64(arena, arena.at.matrix, stride * dims)
    const d = f64(arena, arena.at.diagonal, dims)
    const e = f64(arena, arena.at.offDiagonal, dims)
    for (let i = 0; i < dims; i++) {
      for (let j = 0; j < dims; j++) {
        let product = 0
        let dot = 0
        for (let r = 0; r < dims; r++) {
          dot += z[i * stride + r]! * z[j * stride + r]!
          product += z[r * stride + i]! * d[r]! * z[r * stride + j]!
          if (r === dims - 1) continue
          const [low, high] = [r * stride, (r + 1) * stride]
          product += e[r]! * (z[low + i]! * z[high + j]! + z[high + i]! * z[low + j]!)
        }
        expect(Math.abs(dot - (i === j ? 1 : 0))).toBeLessThan(1e-13)
        expect(Math.abs(product - a[i * dims + j]!)).toBeLessThan(1e-13)
      }
    }
  })
})

describe('recordSweeps and applySweeps', () => {
  it.each(SIZES)('give the bits of plain TypeScript at %i dims, however many sweeps a call records', (dims) => {
    const panelCount = Math.ceil(dims / 8)
    const panels = 64 * dims * panelCount
    const found = [1, 2, 7].map((limit) => {
      const sizes = { panels, d: 8 * dims, e: 8 * (dims - 1), state: 8, sweeps: limit * sweepBytes(dims) }
      const arena = onBoth(sizes, ['panels', 'd', 'e', 'state'], ({ kernels, buffer, at }) => {
        new Float64Array(buffer, at.d, dims).set(normals(dims, dims))
        new Float64Array(buffer, at.e, dims - 1).set(normals(dims - 1, 99))
        new Float64Array(buffer, at.panels, panels / 8).set(normals(panels / 8, 5))
        for (let recorded = limit; recorded === limit; ) {
          recorded = kernels.recordSweeps(dims, at.d, at.e, 0, at.state, at.sweeps, limit)
          // The last panels first, in a call of their own.
          const cut = panelCount >> 1
          kernels.applySweeps(at.panels + cut * 64 * dims, dims, panelCount - cut, at.sweeps, recorded)
          kernels.applySweeps(at.panels, dims, cut, at.sweeps, recorded)
        }
      })
      expect(new Uint32Array(arena.buffer, arena.at.state, 1)[0]).toBe(dims)
      return Float64Array.from(f64(arena, arena.at.panels, panels / 8))
    })
    expect(found[1]).toEqual(found[0])
    expect(found[2]).toEqual(found[0])
  })

  it('apply sweeps over other rows than their neighbours', () => {
    const dims = 40
    const ranges = [
      [0, 39],
      [1, 39],
      [1, 20],
      [25, 39],
      [38, 39],
      [3, 4],
      [0, 39],
      [2, 37],
      [0, 1],
    ] as const
    const sizes = { panels: 64 * dims * 2, sweeps: ranges.length * sweepBytes(dims) }
    onBoth(sizes, ['panels'], ({ kernels, buffer, at }) => {
      new Float64Array(buffer, at.panels, 16 * dims).set(normals(16 * dims, 1))
      ranges.forEach((range, i) => {
        const angles = normals(dims, i)
        const sweep = at.sweeps + i * sweepBytes(dims)
        new Uint32Array(buffer, sweep, 2).set(range)
        const rotations = new Float64Array(buffer, sweep + 16, 2 * dims).fill(Number.NaN)
        for (let row = range[0]; row < range[1]; row++) {
          rotations.set([Math.cos(angles[row]!), Math.sin(angles[row]!)], 2 * row)
        }
      })
      kernels.applySweeps(at.panels, dims, 2, at.sweeps, ranges.length)
    })
  })

  it.each(['wasm', 'typescript'] as const)('recordSweeps of %s gives up on a NaN', (backend) => {
    const arena = open(backend, { d: 64, e: 64, state: 64, sweeps: 200 * sweepBytes(8) })
    const { kernels, at } = arena
    f64(arena, at.d, 8).set(normals(8, 1))
    f64(arena, at.e, 7).fill(Number.NaN)
    expect(kernels.recordSweeps(8, at.d, at.e, 0, at.state, at.sweeps, 200)).toBe(-1)
  })
})
