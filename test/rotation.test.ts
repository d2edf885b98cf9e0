import { afterEach, describe, expect, it } from 'vitest'
import { encoderSizes, stagedRowBytes } from '../src/codes/encoder.js'
import { planRegions } from '../src/kernels/regions.js'
import { backend, init, openWorkspace } from '../src/kernels/workspace.js'
import { randomRotation } from '../src/rotations.js'
import { Rotation, type RotationTensors } from '../src/transform/rotation.js'
import { orthogonality } from './linear/setup.js'
import { matrix, thrownBy } from './random.js'

const SIZES = [1, 2, 3, 7, 17, 100, 384, process.env['CI_FULL'] ? 1000 : 500]
const first = backend()
afterEach(() => init({ backend: first }))

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, x, i) => sum + x * b[i]!, 0)
}

const kinds = [
  ['hadamard', (dims: number, seed: number) => Rotation.hadamard(dims, { seed })],
  ['random', (dims: number, seed: number) => randomRotation(dims, { seed })],
] as const

describe.each(kinds)('a %s rotation', (kind, make) => {
  it.each(SIZES)('is orthogonal to 1e-6 and keeps dot products at %i dims', (dims) => {
    const rotation = make(dims, 3)
    expect(rotation).toMatchObject({ kind, dims, seed: 3 })
    expect(orthogonality(rotation)).toBeLessThan(1e-6)
    const embeddings = matrix(70, dims, 1)
    const { data, rows } = rotation.apply(embeddings)
    expect([rows, data.length]).toEqual([70, 70 * dims])
    for (let i = 0; i < 69; i++) {
      const pair = (x: Float32Array) =>
        dot(x.subarray(i * dims, (i + 1) * dims), x.subarray((i + 1) * dims, (i + 2) * dims))
      expect(Math.abs(pair(data) - pair(embeddings.data))).toBeLessThan(2e-6)
    }
  })

  it.each(SIZES)('multiplies rows by its matrix, and is undone by its inverse, at %i dims', (dims) => {
    const rotation = make(dims, 9)
    const m = rotation.matrix
    const embeddings = matrix(3, dims, 4)
    const { data } = rotation.apply(embeddings)
    for (let i = 0; i < 3 * dims; i++) {
      let sum = 0
      for (let d = 0; d < dims; d++) sum += embeddings.data[i - (i % dims) + d]! * m[d * dims + (i % dims)]!
      expect(Math.abs(data[i]! - sum)).toBeLessThan(1e-6)
    }
    const back = rotation.applyInverse({ data, dims: [3, dims] }).data
    back.forEach((x, i) => {
      expect(Math.abs(x - embeddings.data[i]!)).toBeLessThan(1e-6)
    })
  })

  it.each([7, 96, 130])('gives the same bits in wasm and in TypeScript at %i dims', (dims) => {
    const embeddings = matrix(80, dims, 2)
    const [wasm, typescript] = (['wasm', 'typescript'] as const).map((name) => {
      init({ backend: name })
      const rotation = make(dims, 11)
      return [rotation.matrix, rotation.apply(embeddings).data, rotation.applyInverse(embeddings).data]
    })
    expect(typescript).toEqual(wasm)
  })

  it('depends on its seed alone', () => {
    expect(make(50, 1).matrix).toEqual(make(50, 1).matrix)
    expect(make(50, 1).matrix).not.toEqual(make(50, 2).matrix)
    expect(make(50, 0).matrix).not.toEqual(make(50, 0xffffffff).matrix)
  })

  it('gives a row the same bits alone as among others', () => {
    const embeddings = matrix(201, 100, 6)
    const rotation = make(100, 5)
    const { data } = rotation.apply(embeddings)
    for (const row of [0, 63, 64, 200]) {
      const alone = rotation.apply(embeddings.data.subarray(row * 100, (row + 1) * 100))
      expect(alone.rows).toBe(1)
      expect(alone.data).toEqual(data.slice(row * 100, (row + 1) * 100))
    }
  })

  it('is read back from its tensors as the same map', () => {
    const rotation = make(33, 8)
    const saved = rotation.toTensors()
    expect(saved.matrix === undefined).toBe(kind === 'hadamard')
    const again = Rotation.fromTensors(structuredClone(saved))
    expect(again).toMatchObject({ kind, dims: 33, seed: 8 })
    expect(again.matrix).toEqual(rotation.matrix)
  })

  it.each([
    [7, 3],
    [100, 70],
    [384, 1],
  ])('rotates staged rows in place inside an index of %i dims, %i rows at a time', (dims, rows) => {
    const rotation = make(dims, 2)
    const rowBytes = stagedRowBytes(dims)
    const regions = planRegions({ ...Rotation.sizes(dims, rotation.kind, rows), staging: rows * rowBytes, canary: 64 })
    const workspace = openWorkspace(regions.end)
    const staged = new Float32Array(workspace.buffer, regions.staging, (rows * rowBytes) / 4 + 16)
    const embeddings = matrix(rows, dims, 3)
    for (let i = 0; i < rows; i++) {
      staged.set(embeddings.data.subarray(i * dims, (i + 1) * dims), (i * rowBytes) / 4)
    }
    staged.fill(7, (rows * rowBytes) / 4)
    rotation.open(workspace, regions).rotate(regions.staging, rows)
    const expected = rotation.apply(embeddings).data
    for (let i = 0; i < rows; i++) {
      const row = staged.subarray((i * rowBytes) / 4, ((i + 1) * rowBytes) / 4)
      expect(row.slice(0, dims)).toEqual(expected.slice(i * dims, (i + 1) * dims))
      expect(row.subarray(dims).every((x) => x === 0)).toBe(true)
    }
    expect(staged.subarray((rows * rowBytes) / 4).every((x) => x === 7)).toBe(true)
  })

  it('leaves its regions inside what it asked for', () => {
    const dims = 100
    const rotation = make(dims, 2)
    const sizes = Rotation.sizes(dims, kind, 5)
    const regions = planRegions({
      rotationMatrix: sizes.rotationMatrix,
      canary1: 64,
      rotationBuffer: sizes.rotationBuffer,
      canary2: 64,
      rotationScratch: sizes.rotationScratch,
      canary3: 64,
      ...encoderSizes(dims, 5, 0),
    })
    const workspace = openWorkspace(regions.end)
    const bytes = new Uint8Array(workspace.buffer)
    const guards = [regions.canary1, regions.canary2, regions.canary3].map((ptr) =>
      bytes.subarray(ptr, ptr + 64).fill(0xa5),
    )
    for (const inverse of [false, true]) rotation.open(workspace, regions, inverse).rotate(regions.staging, 5)
    for (const guard of guards) expect(guard.every((byte) => byte === 0xa5)).toBe(true)
  })
})

describe('a hadamard rotation', () => {
  it.each([17, 31, 33, 100, 127, 255, 384, 640, 1000, 1024])('spreads every unit vector over all %i dims', (dims) => {
    const m = Rotation.hadamard(dims, { seed: 4 }).matrix
    for (let row = 0; row < dims; row++) {
      const squares = m.slice(row * dims, (row + 1) * dims).map((x) => x * x)
      // 1 / sum of fourth powers counts the dims that share the energy: a third of them where values are normal.
      expect(1 / squares.reduce((sum, x) => sum + x * x, 0)).toBeGreaterThan(dims / 8)
      expect(Math.max(...squares)).toBeLessThan(30 / dims)
      for (const [from, to] of [
        [0, 0.25],
        [0.25, 0.5],
        [0.5, 0.75],
        [0.75, 1],
      ] as const) {
        const part = squares.slice(Math.round(from * dims), Math.round(to * dims))
        expect(part.reduce((sum, x) => sum + x, 0)).toBeGreaterThan(0.02)
      }
    }
  })

  it('is the map that saved indexes rely on', () => {
    // By numpy: windows of scipy.linalg.hadamard(4) and (32), signs of xoshiro128**, a shift of half a window.
    const m = Rotation.hadamard(6, { seed: 1 }).matrix
    expect([...m.subarray(0, 6)]).toEqual([0.75, -0.25, 0.25, 0, -0.25, 0.5])
    const wide = Rotation.hadamard(40, { seed: 7 }).matrix
    const expected = [-0.040402913, -0.136373782, -0.003791261, 0.092179608, -0.040402913, 0.040402913]
    for (const [i, value] of expected.entries()) expect(Math.abs(wide[11 * 40 + i]! - value)).toBeLessThan(1e-7)
  })

  it('does not change what it rotates', () => {
    const embeddings = matrix(4, 20, 1)
    const before = embeddings.data.slice()
    Rotation.hadamard(20).apply(embeddings)
    expect(embeddings.data).toEqual(before)
  })
})

describe('Rotation.fromMatrix', () => {
  const quarter = Float32Array.of(0, 1, -1, 0)

  it('says where axes go: row i of the matrix is the image of axis i', () => {
    const rotation = Rotation.fromMatrix(quarter, 2, 'svd')
    expect([...rotation.apply([3, 5]).data]).toEqual([-5, 3])
    expect([...rotation.applyInverse([3, 5]).data]).toEqual([5, -3])
  })

  it('holds a copy, and gives copies', () => {
    const given = quarter.slice()
    const centre = Float32Array.of(1, 2)
    const rotation = Rotation.fromMatrix(given, 2, 'svd', undefined, { rank: 1, centre })
    given.fill(9)
    centre.fill(9)
    rotation.matrix.fill(7)
    rotation.centre!.fill(7)
    expect(rotation.matrix).toEqual(quarter)
    expect(rotation.toTensors()).toEqual({
      kind: 'svd',
      dims: 2,
      seed: undefined,
      rank: 1,
      matrix: quarter,
      centre: Float32Array.of(1, 2),
    })
  })

  it('refuses what is no rotation', () => {
    const refuse = (m: unknown, dims: number, kind = 'svd') =>
      thrownBy(() => Rotation.fromMatrix(m as Float32Array, dims, kind as 'svd'))
    const stretched = refuse(Float32Array.of(1, 0, 0, 1.0001), 2)
    expect(stretched.code).toBe('INVALID_ARGUMENT')
    expect(stretched.message).toMatch(/^matrix must be orthogonal to 1e-5, got 1.0002.* dot product of rows 1 and 1$/)
    expect(refuse(Float32Array.of(1, 0, 0.1, 1), 2).message).toMatch(/rows 0 and 1/)
    expect(refuse(new Float32Array(4), 2).code).toBe('INVALID_ARGUMENT')
    expect(refuse(quarter, 3).message).toBe('matrix must be a Float32Array of 3 x 3 values, got Float32Array(4)')
    expect(refuse([0, 1, 1, 0], 2).code).toBe('INVALID_ARGUMENT')
    expect(refuse(Float32Array.of(1, 0, 0, Number.NaN), 2).code).toBe('NOT_FINITE')
    expect(refuse(quarter, 2, 'hadamard').code).toBe('INVALID_ARGUMENT')
    expect(refuse(quarter, 0).code).toBe('INVALID_ARGUMENT')
    const saved = { ...Rotation.hadamard(4).toTensors(), kind: 'pca' } as unknown as RotationTensors
    expect(thrownBy(() => Rotation.fromTensors(saved)).code).toBe('INVALID_ARGUMENT')
  })

  it('takes the transpose of U where embeddings are columns, and refuses a block of the factor of the rows', () => {
    // X = U S V^T of 3 rows in 2 dims: the rotation is V (2 x 2); a 2 x 2 block of U (3 x 3) keeps nothing.
    const s = Math.SQRT1_2
    expect(Rotation.fromMatrix(Float32Array.of(s, s, s, -s), 2, 'svd').dims).toBe(2)
    const block = Float32Array.of(2 / 3, -1 / 3, 2 / 3, 2 / 3)
    expect(thrownBy(() => Rotation.fromMatrix(block, 2, 'svd')).message).toMatch(/orthogonal/)
  })
})

describe('bad input', () => {
  const rotation = Rotation.hadamard(8)

  it('is refused by name, and the next call works', () => {
    const refuse = (x: unknown) => thrownBy(() => rotation.apply(x as number[]))
    expect(refuse([1, 2, 3])).toMatchObject({ code: 'DIMS_MISMATCH', argument: 'embeddings' })
    expect(refuse([1, 2, 3]).message).toBe('embeddings have 3 dimensions, the rotation has 8')
    expect(
      refuse([
        [1, 2, 3, 4, 5, 6, 7, 8],
        [1, 2, 3, 4, Number.NaN, 6, 7, 8],
      ]).message,
    ).toMatch(/row 1, dimension 4$/)
    expect(refuse(Float32Array.of(3e38, 3e38, 3e38, 3e38, 3e38, 3e38, 3e38, 3e38)).code).toBe('NOT_FINITE')
    expect(refuse('text').code).toBe('INVALID_ARGUMENT')
    expect(refuse(new Int8Array(8)).code).toBe('QUANTIZED_INPUT')
    expect(rotation.apply([]).data).toEqual(new Float32Array(0))
    expect(orthogonality(rotation)).toBeLessThan(1e-6)
  })

  it.each([0, -1, 1.5, Number.NaN, '8', 70_000])('dims of %s are refused', (dims) => {
    expect(thrownBy(() => Rotation.hadamard(dims as number)).argument).toBe('dims')
  })

  it.each([-1, 0.5, 2 ** 32, Number.NaN, '1'])('a seed of %s is refused', (seed) => {
    expect(thrownBy(() => Rotation.hadamard(8, { seed: seed as number })).code).toBe('INVALID_ARGUMENT')
  })
})

describe('rotations of different dims, one after the other', () => {
  it('share a memory without a trace of each other', () => {
    const embeddings = [300, 20, 65].map((dims) => matrix(40, dims, dims))
    const rotations = [300, 20, 65].flatMap((dims) => [randomRotation(dims), Rotation.hadamard(dims)])
    const run = () => rotations.map((r, i) => r.apply(embeddings[i >> 1]!).data)
    const forward = run()
    expect(run()).toEqual(forward)
    const backward = [...rotations].reverse().map((r, i) => r.apply(embeddings[(5 - i) >> 1]!).data)
    expect(backward.reverse()).toEqual(forward)
  })
})
