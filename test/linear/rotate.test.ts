import { describe, expect, it } from 'vitest'
import { roundUp } from '../../src/kernels/regions.js'
import { rotateScratchBytes } from '../../src/kernels/rotate-kernels.js'
import { f32, normals, onBoth, open, putRows } from './setup.js'

const SIZES = [1, 2, 3, 5, 7, 16, 17, 33, 100, 384]

describe('rotateRows', () => {
  it.each(SIZES)('gives the bits of plain TypeScript at %i dims, in tiles of four rows and in single rows', (dims) => {
    for (const outDims of [dims, 17]) {
      const rowBytes = roundUp(4 * dims, 64)
      const outRowBytes = roundUp(4 * outDims, 64)
      for (const rowCount of [0, 1, 3, 4, 7, 70]) {
        const sizes = {
          rows: rowCount * rowBytes,
          matrix: (rowBytes / 4) * outRowBytes,
          out: rowCount * outRowBytes,
          scratch: rotateScratchBytes(rowBytes),
        }
        onBoth(sizes, ['out', 'rows', 'matrix'], (arena) => {
          const { at, kernels } = arena
          putRows(f32(arena, at.rows, sizes.rows / 4), normals(rowCount * dims, 1), dims, rowBytes)
          putRows(f32(arena, at.matrix, sizes.matrix / 4), normals(dims * outDims, 2), outDims, outRowBytes)
          kernels.rotateRows(at.rows, rowBytes, rowCount, at.matrix, at.out, outRowBytes, at.scratch)
        })
      }
    }
  })

  it('rotates more rows than one block of the cache as it rotates them one by one', () => {
    const [dims, rowBytes, rowCount] = [96, 384, 1501]
    const arena = open('wasm', {
      rows: rowCount * rowBytes,
      matrix: dims * rowBytes,
      out: rowCount * rowBytes,
      single: rowBytes,
      scratch: rotateScratchBytes(rowBytes),
    })
    const { at, kernels } = arena
    f32(arena, at.rows, rowCount * dims).set(normals(rowCount * dims, 3))
    f32(arena, at.matrix, dims * dims).set(normals(dims * dims, 4))
    kernels.rotateRows(at.rows, rowBytes, rowCount, at.matrix, at.out, rowBytes, at.scratch)
    for (let row = 0; row < rowCount; row++) {
      kernels.rotateRows(at.rows + row * rowBytes, rowBytes, 1, at.matrix, at.single, rowBytes, at.scratch)
      expect(f32(arena, at.out + row * rowBytes, dims)).toEqual(f32(arena, at.single, dims))
    }
  })

  it('multiplies rows from the left: the first matrix row is where the first axis goes', () => {
    const arena = open('wasm', { rows: 64, matrix: 1024, out: 64, scratch: rotateScratchBytes(64) })
    const { at, kernels } = arena
    f32(arena, at.rows, 2).set([10, 1])
    putRows(f32(arena, at.matrix, 256), [1, 2, 3, 4, 5, 6], 3, 64)
    kernels.rotateRows(at.rows, 64, 1, at.matrix, at.out, 64, at.scratch)
    expect([...f32(arena, at.out, 4)]).toEqual([14, 25, 36, 0])
  })
})

describe('hadamardRows', () => {
  const blocks = [
    [1, 1],
    [1, 5],
    [2, 1],
    [2, 7],
    [4, 1],
    [4, 25],
    [8, 3],
    [16, 1],
    [32, 3],
    [64, 2],
    [128, 3],
    [256, 1],
    [512, 2],
    [1024, 1],
    [4096, 1],
  ] as const

  it.each(blocks)(
    'gives the bits of plain TypeScript for blocks of %i, %i of them, and leaves the rest of a row',
    (size, count) => {
      const dims = size * count
      const rowBytes = roundUp(4 * dims, 64)
      const sizes = { rows: 5 * rowBytes, signs: 4 * dims }
      onBoth(sizes, ['rows', 'signs'], (arena) => {
        const { at, kernels } = arena
        f32(arena, at.rows, sizes.rows / 4).set(normals(sizes.rows / 4, size))
        f32(arena, at.signs, dims).set(normals(dims, count).map((x) => (x > 0 ? 1 : -1)))
        kernels.hadamardRows(at.rows, rowBytes, 5, size, count, at.signs, 1 / Math.sqrt(size))
      })
    },
  )

  it('is the matrix of the textbook', () => {
    const arena = open('wasm', { rows: 64, signs: 64 })
    const { at, kernels } = arena
    f32(arena, at.rows, 4).set([1, 2, 3, 4])
    f32(arena, at.signs, 4).set([1, 1, 1, -1])
    kernels.hadamardRows(at.rows, 64, 1, 4, 1, at.signs, 0.5)
    expect([...f32(arena, at.rows, 5)]).toEqual([1, 3, 2, -4, 0])
  })

  it('undone by itself and then the signs, and keeps dot products', () => {
    const [size, count, rowBytes] = [128, 3, 1536]
    const dims = size * count
    const arena = open('wasm', { rows: 2 * rowBytes, signs: 4 * dims, ones: 4 * dims })
    const { at, kernels } = arena
    const rows = f32(arena, at.rows, 2 * dims)
    const signs = f32(arena, at.signs, dims)
    f32(arena, at.ones, dims).fill(1)
    rows.set(normals(2 * dims, 8))
    signs.set(normals(dims, 9).map((x) => (x > 0 ? 1 : -1)))
    const before = Float32Array.from(rows)
    const dot = (x: Float32Array) => x.subarray(0, dims).reduce((sum, value, i) => sum + value * x[dims + i]!, 0)
    kernels.hadamardRows(at.rows, rowBytes, 2, size, count, at.signs, 1 / Math.sqrt(size))
    expect(Math.abs(dot(rows) - dot(before))).toBeLessThan(1e-4)
    expect(Math.max(...rows.map((x, i) => Math.abs(x - before[i]!)))).toBeGreaterThan(1)
    kernels.hadamardRows(at.rows, rowBytes, 2, size, count, at.ones, 1 / Math.sqrt(size))
    rows.forEach((x, i) => {
      expect(Math.abs(x * signs[i % dims]! - before[i]!)).toBeLessThan(2e-6)
    })
  })
})
