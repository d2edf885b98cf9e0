import { describe, expect, it, vi } from 'vitest'
import { decodeSafetensors } from '../src/formats/safetensors.js'
import { Calibration, Levels, QuantizedIndex } from '../src/index.js'
import { randomRotation } from '../src/rotations.js'
import { decodeIndex, encodeIndex } from '../src/storage.js'
import { Rotation } from '../src/transform/rotation.js'
import { sealed } from './format/sealed.js'
import { matrix, thrownBy } from './random.js'

const dims = 200
const { matrix: good } = randomRotation(dims, { seed: 3 })
const sealedRotation = (m: Float32Array, width = dims) =>
  Rotation.fromSealed({ kind: 'random', dims: width, seed: 3, rank: undefined, centre: undefined, matrix: m })

/** A copy with one change; rows 7 and 150 are none of those that are held against all others. */
function spoilt(change: (m: Float32Array, row: (i: number) => Float32Array) => void): Float32Array {
  const copy = good.slice()
  change(copy, (i) => copy.subarray(i * dims, (i + 1) * dims))
  return copy
}

describe('the matrix of a rotation in an index file', () => {
  it.each([1, 2, 3, 16, 17, 64, 200])('is taken where it is orthogonal, and rotates as ever, at %i dims', (width) => {
    const rotation = randomRotation(width, { seed: 1 })
    const rows = matrix(5, width, 2)
    expect(sealedRotation(rotation.matrix, width).apply(rows)).toEqual(rotation.apply(rows))
  })

  it.each<[string, Float32Array]>([
    ['one entry is another', spoilt((m) => (m[150 * dims + 3]! += 0.01))],
    ['a row is a copy of another', spoilt((_, row) => row(150).set(row(7)))],
    ['a row is zero', spoilt((_, row) => row(7).fill(0))],
    ['a row is twice as long', spoilt((_, row) => row(150).set(row(150).map((x) => 2 * x)))],
    [
      'a row is turned towards another',
      spoilt((_, row) => row(150).set(row(150).map((x, i) => 0.8 * x + 0.6 * row(7)[i]!))),
    ],
    ['all is zero', new Float32Array(dims * dims)],
    ['all is noise', matrix(dims, dims, 4).data],
  ])('is refused where %s', (_title, m) => {
    expect(thrownBy(() => sealedRotation(m)).message).toMatch(/^matrix must be orthogonal to 1e-5, got /)
  })

  it('is taken where its entries stray as far as they may', () => {
    // (1 + 4.4e-6)^2 = 1 + 8.8e-6.
    const stretched = good.map((x) => x * (1 + 4.4e-6))
    expect(Rotation.fromMatrix(stretched, dims, 'random').dims).toBe(dims)
    expect(sealedRotation(stretched).dims).toBe(dims)
  })

  it('is taken where only the sums in float32 stray', () => {
    // I - 2 v v^T with one large entry a row, and 2,000 small ones that add up.
    const width = 2000
    const v = Float64Array.from({ length: width }, (_, i) => Math.sin(1.3 * i))
    const square = v.reduce((sum, x) => sum + x * x, 0)
    const mirror = Float32Array.from({ length: width * width }, (_, at) => {
      const [i, j] = [Math.floor(at / width), at % width]
      return (i === j ? 1 : 0) - (2 * v[i]! * v[j]!) / square
    })
    expect(Rotation.fromMatrix(mirror, width, 'svd').dims).toBe(width)
    expect(sealedRotation(mirror, width).dims).toBe(width)
  })

  it('ends the reading of a file that has another one, however right its sums', () => {
    const rows = matrix(30, dims, 5)
    const file = encodeIndex(
      QuantizedIndex.build(rows, { rotation: Rotation.fromMatrix(good, dims, 'random', 3), onWarning() {} }),
    )
    const { tensors, metadata } = decodeSafetensors(file)
    const { buffer } = spoilt((_, row) => row(150).set(row(7)))
    const rotation = { dtype: 'F32', shape: [dims, dims], data: new Uint8Array(buffer) }
    const error = thrownBy(() => decodeIndex(sealed(new Map([...tensors, ['rotation', rotation]]), metadata)))
    expect(error).toMatchObject({ code: 'INVALID_FILE' })
    expect(error.message).toContain('orthogonal')
  })
})

describe('what was saved as JSON', () => {
  const text = (fields: object) => JSON.stringify({ version: 1, dims: 1e9, ...fields })
  it.each([
    ['a calibration', () => Calibration.fromJSON(text({ format: 'packvec-calibration', rows: 0, min: [], max: [] }))],
    [
      'levels',
      () =>
        Levels.fromJSON(
          text({ format: 'packvec-levels', precision: 'int4', scope: 'global', thresholds: [[], []], values: [[]] }),
        ),
    ],
    ['a rotation', () => Rotation.fromTensors({ ...Rotation.hadamard(2).toTensors(), dims: 1e9 })],
    [
      'a dense rotation',
      () => Rotation.fromTensors({ ...randomRotation(2).toTensors(), dims: 65_535, matrix: new Float32Array(4) }),
    ],
  ])('takes no memory that only its dims claim: %s', (_title, read) => {
    const made = vi.spyOn(globalThis, 'Float32Array')
    try {
      expect(['INVALID_FILE', 'TOO_LARGE', 'INVALID_ARGUMENT']).toContain(thrownBy(read).code)
      for (const [length] of made.mock.calls as unknown[][])
        if (typeof length === 'number') expect(length).toBeLessThan(1000)
    } finally {
      made.mockRestore()
    }
  })
})
