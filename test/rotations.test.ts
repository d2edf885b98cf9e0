import { existsSync, readFileSync } from 'node:fs'
import { Matrix, SVD } from 'ml-matrix'
import { afterEach, describe, expect, it } from 'vitest'
import { logarithm, seededNormals, seededWords } from '../src/base/random.js'
import { decodeNpy } from '../src/formats/npy.js'
import { backend, init, openModule } from '../src/kernels/workspace.js'
import {
  eigenvalues,
  itqRotation,
  itqRotationAsync,
  Moments,
  Rotation,
  randomRotation,
  singularValues,
  svdRotation,
  svdRotationAsync,
} from '../src/rotations.js'
import { normals, orthogonality } from './linear/setup.js'
import { matrix, thrownBy } from './random.js'

const first = backend()

/** numpy.linalg.svd of examples/data/banking77_test.npy in float64: position and value. */
const NUMPY_PLAIN = [
  [0, 11.176954855502636],
  [1, 6.2928945559192275],
  [2, 5.242343371679507],
  [50, 1.3230575098344886],
  [200, 0.32955459797018477],
  [381, 3.349456154830659e-8],
] as const

/** The same about the mean. */
const NUMPY_CENTRED = [
  [0, 6.334749644652721],
  [1, 5.456496723497105],
  [2, 5.0488747286520725],
  [50, 1.3218845874236516],
  [200, 0.329357177310965],
  [381, 2.368898289136035e-8],
] as const

afterEach(() => init({ backend: first }))

/** rows x dims of float32 whose dims have falling energy, mixed by a random rotation. */
function sample(rows: number, dims: number, seed: number, decay = 0.05) {
  const falls = Float64Array.from({ length: dims }, (_, d) => Math.exp(-decay * d))
  const data = Float32Array.from(normals(rows * dims, seed), (x, i) => x * falls[i % dims]!)
  return { ...Rotation.hadamard(dims, { seed }).apply({ data, dims: [rows, dims] }), dims: [rows, dims] }
}

function npy(path: string): { data: Float32Array; dims: number[] } {
  return decodeNpy(readFileSync(path)) as { data: Float32Array; dims: number[] }
}

/** Mean square of each dimension. */
function energy(data: Float32Array, dims: number): Float64Array {
  const sums = new Float64Array(dims)
  for (let i = 0; i < data.length; i++) sums[i % dims]! += data[i]! * data[i]!
  return sums.map((sum) => sum / (data.length / dims))
}

describe('svdRotation', () => {
  it.each([1, 2, 3, 7, 17, 100, 384, process.env['CI_FULL'] ? 1000 : 500])(
    'is orthogonal and gathers the energy in falling order at %i dims',
    (dims) => {
      const x = sample(dims + 40, dims, dims, 4 / dims)
      const rotation = svdRotation(x)
      expect(rotation).toMatchObject({ kind: 'svd', dims, rank: dims, seed: undefined, centre: undefined })
      expect(orthogonality(rotation)).toBeLessThan(1e-6)
      const found = energy(rotation.apply(x).data, dims)
      const values = eigenvalues(x)
      found.forEach((value, i) => {
        expect(Math.abs(value - values[i]!)).toBeLessThan(1e-6 * values[0]!)
      })
      expect([...values]).toEqual([...values].sort((a, b) => b - a))
    },
  )

  it('is V of the SVD by ml-matrix, up to signs', () => {
    const [rows, dims] = [40, 9]
    const x = sample(rows, dims, 5, 0.3)
    const { matrix: m } = svdRotation(x)
    const oracle = new SVD(
      new Matrix(Array.from({ length: rows }, (_, r) => [...x.data.slice(r * dims, (r + 1) * dims)])),
    )
    for (let i = 0; i < dims; i++) {
      const v = oracle.rightSingularVectors.getColumn(i)
      const column = v.map((_, d) => m[d * dims + i]!)
      const sign = Math.sign(v.reduce((sum, value, d) => sum + value * column[d]!, 0))
      column.forEach((value, d) => {
        expect(Math.abs(value - sign * v[d]!)).toBeLessThan(1e-6)
      })
      const largest = column.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a))
      expect(largest).toBeGreaterThan(0)
    }
    singularValues(x).forEach((value, i) => {
      expect(Math.abs(value / oracle.diagonal[i]! - 1)).toBeLessThan(1e-12)
    })
  })

  it('takes moments about the mean where asked, and gives the mean', () => {
    const x = sample(200, 12, 3)
    const shifted = { data: x.data.map((value, i) => Math.fround(value + (i % 12))), dims: x.dims }
    const rotation = svdRotation(shifted, { center: true })
    expect(rotation.rank).toBe(12)
    const { data } = rotation.apply(shifted)
    const mean = rotation.apply(rotation.centre!).data
    const about = energy(
      data.map((value, i) => value - mean[i % 12]!),
      12,
    )
    eigenvalues(shifted, { center: true }).forEach((value, i) => {
      expect(Math.abs(value - about[i]!)).toBeLessThan(1e-5)
    })
    expect(svdRotation(shifted).matrix).not.toEqual(rotation.matrix)
  })

  it.each([
    ['fewer rows than dims', sample(11, 30, 1), 11, 10],
    ['one row', sample(1, 30, 2), 1, 0],
    ['constant rows', { data: new Float32Array(300).fill(0.3), dims: [10, 30] }, 1, 0],
    ['zeros', { data: new Float32Array(300), dims: [10, 30] }, 0, 0],
    ['a repeated row', { data: Float32Array.from({ length: 600 }, (_, i) => Math.sin(i % 30)), dims: [20, 30] }, 1, 0],
  ] as const)('works on %s, and says the rank', (_name, x, rank, centredRank) => {
    for (const center of [false, true]) {
      const rotation = svdRotation(x as typeof x & { dims: number[] }, { center })
      expect(rotation.rank).toBe(center ? centredRank : rank)
      expect(orthogonality(rotation)).toBeLessThan(1e-6)
    }
  })

  it('gives the same bits in wasm and in TypeScript, and from moments in parts', () => {
    const x = sample(300, 50, 8)
    const [wasm, typescript] = (['wasm', 'typescript'] as const).map((name) => {
      init({ backend: name })
      return [svdRotation(x).matrix, singularValues(x), svdRotation(x, { center: true }).toTensors()]
    })
    expect(typescript).toEqual(wasm)
    const parts = new Moments(50)
    for (const [from, to] of [
      [0, 1],
      [1, 130],
      [130, 300],
    ] as const) {
      parts.add({ data: x.data.subarray(from * 50, to * 50), dims: [to - from, 50] })
    }
    expect(svdRotation(parts).matrix).toEqual(wasm![0])
  })

  it('tells its progress, and stops at an AbortSignal', async () => {
    const x = sample(2000, 150, 8)
    const fractions: number[] = []
    const done = await svdRotationAsync(x, { onProgress: (fraction) => fractions.push(fraction) })
    expect(done.matrix).toEqual(svdRotation(x).matrix)
    expect(fractions.length).toBeGreaterThan(5)
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b))
    expect(fractions.at(-1)).toBeCloseTo(1, 12)

    for (const run of [svdRotationAsync, itqRotationAsync]) {
      const controller = new AbortController()
      let heard = 0
      const onProgress = () => {
        if (++heard === 3) controller.abort()
      }
      await expect(run(x, { onProgress, signal: controller.signal })).rejects.toMatchObject({ name: 'AbortError' })
      expect(heard).toBe(3)
    }
    const gone = AbortSignal.abort(new RangeError('enough'))
    expect(thrownBy(() => svdRotation(x, { signal: gone })).message).toBe('enough')
    await expect(svdRotationAsync([[1, Number.NaN]])).rejects.toMatchObject({ code: 'NOT_FINITE' })
  })

  it('lets timers run while it works', async () => {
    let ticks = 0
    const timer = setInterval(() => ticks++, 1)
    await svdRotationAsync(sample(3000, 384, 8))
    clearInterval(timer)
    expect(ticks).toBeGreaterThan(1)
  })
})

describe('singular values', () => {
  it('are those of numpy on real embeddings, centred or not', () => {
    const x = npy('examples/data/banking77_test.npy')
    for (const [center, expected] of [
      [false, NUMPY_PLAIN],
      [true, NUMPY_CENTRED],
    ] as const) {
      const values = singularValues(x, { center })
      for (const [i, value] of expected) expect(Math.abs(values[i]! / value - 1)).toBeLessThan(1e-9)
    }
  })

  const shared = new URL('../../shared', import.meta.url).pathname
  const missing = !existsSync(`${shared}/oracles/techniques/singular_values_nq_dev.npy`)
  const reason = missing ? ' (skipped: ../shared is not there)' : ''
  it.skipIf(missing)(`are those of numpy on nq_dev of ../shared, but for the zeros${reason}`, () => {
    const expected = npy(`${shared}/oracles/techniques/singular_values_nq_dev.npy`).data
    const x = npy(`${shared}/data/minilm/nq_dev.npy`)
    const values = singularValues(x)
    expect(values.length).toBe(expected.length)
    values.forEach((value, i) => {
      if (expected[i]! > 1e-9 * expected[0]!) expect(Math.abs(value / expected[i]! - 1)).toBeLessThan(1e-8)
      else expect(value).toBeLessThan(1e-13 * expected[0]!)
    })
    expect(svdRotation(x).rank).toBe(381)
  })

  it('keep their digits where squares would lose them', () => {
    const dims = 12
    const expected = Float64Array.from({ length: dims }, (_, i) => 10 ** -i)
    const data = new Float32Array(40 * dims)
    // Axes as rows, so that the float32 values are the singular values, rounded once.
    for (let i = 0; i < dims; i++) data[(3 * i + 1) * dims + ((5 * i) % dims)] = expected[i]!
    const values = singularValues({ data, dims: [40, dims] })
    values.forEach((value, i) => {
      expect(Math.abs(value / Math.fround(expected[i]!) - 1)).toBeLessThan(1e-12)
    })
  })

  it('of mixed columns are right over ten orders of magnitude', () => {
    const [rows, dims] = [60, 20]
    const x = sample(rows, dims, 4, 1.2)
    const oracle = new SVD(
      new Matrix(Array.from({ length: rows }, (_, r) => [...x.data.slice(r * dims, (r + 1) * dims)])),
    )
    singularValues(x).forEach((value, i) => {
      expect(Math.abs(value / oracle.diagonal[i]! - 1)).toBeLessThan(1e-7)
    })
  })

  it('are as many as the smaller side', () => {
    expect(singularValues(sample(5, 30, 1)).length).toBe(5)
    expect([...singularValues([[3, 4]])]).toEqual([5])
    expect([...singularValues({ data: new Float32Array(6), dims: [3, 2] })]).toEqual([0, 0])
  })
})

describe('Moments', () => {
  const x = sample(500, 21, 9)
  const part = (from: number, to: number) => ({ data: x.data.subarray(from * 21, to * 21), dims: [to - from, 21] })

  it('do not depend on the cuts, and agree in any order of merging', () => {
    const whole = Moments.from(x)
    const batches = new Moments(21).add(part(0, 7)).add([]).add(part(7, 500))
    expect(batches.toTensors()).toEqual(whole.toTensors())
    const [a, b, c] = [part(0, 100), part(100, 101), part(101, 500)].map((rows) => Moments.from(rows))
    const copy = (moments: Moments) => Moments.fromTensors(structuredClone(moments.toTensors()))
    expect(copy(a!).merge(b!).toTensors()).toEqual(copy(b!).merge(a!).toTensors())
    const merged = [copy(a!).merge(b!).merge(c!), copy(c!).merge(a!).merge(b!), copy(a!).merge(copy(b!).merge(c!))]
    for (const moments of merged) {
      expect(moments.rows).toBe(500)
      moments.products().forEach((value, i) => {
        expect(Math.abs(value - whole.products()[i]!)).toBeLessThan(1e-11)
      })
    }
  })

  it('are the mean and X^T X', () => {
    const moments = Moments.from([
      [1, 2],
      [3, 5],
    ])
    expect([...moments.mean]).toEqual([2, 3.5])
    expect([...moments.products()]).toEqual([10, 17, 17, 29])
    expect([...moments.products({ center: true })]).toEqual([2, 3, 3, 4.5])
  })

  it('stay as they were when a batch is bad', () => {
    const moments = Moments.from(x)
    const before = moments.toTensors()
    const bad = { data: new Float32Array(21 * 9000).fill(1), dims: [9000, 21] }
    bad.data[21 * 8999 + 4] = Number.POSITIVE_INFINITY
    const error = thrownBy(() => moments.add(bad))
    expect(error.code).toBe('NOT_FINITE')
    expect(error.message).toBe('embeddings must be finite in float32, got Infinity at row 8999, dimension 4')
    expect(thrownBy(() => moments.add([1, 2])).code).toBe('DIMS_MISMATCH')
    expect(thrownBy(() => moments.merge(new Moments(20))).code).toBe('DIMS_MISMATCH')
    expect(thrownBy(() => moments.merge({} as Moments)).code).toBe('INVALID_ARGUMENT')
    expect(moments.toTensors()).toEqual(before)
    expect(moments.add(part(0, 2)).rows).toBe(502)
  })

  it('refuse what is empty, and tensors that do not fit', () => {
    const saved = Moments.from(x).toTensors()
    expect(thrownBy(() => new Moments(3).mean).code).toBe('EMPTY')
    expect(thrownBy(() => new Moments(0)).argument).toBe('dims')
    expect(thrownBy(() => Moments.fromTensors({ ...saved, dims: 20 })).code).toBe('INVALID_ARGUMENT')
    expect(thrownBy(() => Moments.fromTensors({ ...saved, rows: -1 })).code).toBe('INVALID_ARGUMENT')
    const infinite = saved.sums.map((sum) => sum / 0)
    expect(thrownBy(() => Moments.fromTensors({ ...saved, sums: infinite })).code).toBe('NOT_FINITE')
  })
})

describe('randomRotation', () => {
  it('is uniform: entries have mean 0 and mean square 1 / dims, also on the diagonal', () => {
    const dims = 4
    const sums = new Float64Array(16)
    const squares = new Float64Array(16)
    for (let seed = 0; seed < 2000; seed++) {
      const { matrix: m } = randomRotation(dims, { seed })
      m.forEach((value, i) => {
        sums[i]! += value / 2000
        squares[i]! += (value * value) / 2000
      })
    }
    // Four deviations of the mean of 2,000.
    for (const mean of sums) expect(Math.abs(mean)).toBeLessThan(0.045)
    for (const mean of squares) expect(Math.abs(mean - 0.25)).toBeLessThan(0.02)
  })

  it('rests on a generator that is the same everywhere', () => {
    const words = seededWords(1)
    expect([words(), words(), words()]).toEqual([2442144158, 3238099751, 3819917871])
    for (const x of [1, 0.5, 1e-12, 0.999999, Math.SQRT1_2, 1.5, 2, 1e300, 3e-308]) {
      expect(Math.abs(logarithm(x) - Math.log(x))).toBeLessThanOrEqual(4e-16 * Math.abs(Math.log(x)))
    }
    const normal = seededNormals(7)
    const values = Array.from({ length: 100_000 }, normal)
    const moment = (k: number) => values.reduce((sum, x) => sum + x ** k, 0) / values.length
    expect(Math.abs(moment(1))).toBeLessThan(0.02)
    expect(Math.abs(moment(2) - 1)).toBeLessThan(0.03)
    expect(Math.abs(moment(4) - 3)).toBeLessThan(0.2)
  })
})

describe('itqRotation', () => {
  /** Mean squared distance of unit rows to the corners of the cube in a unit ball. */
  const loss = (rotation: Rotation, x: { data: Float32Array; dims: number[] }) => {
    const { data, rows, dims } = rotation.apply(x)
    const corner = 1 / Math.sqrt(dims)
    return data.reduce((sum, z) => sum + ((z > 0 ? corner : -corner) - z) ** 2, 0) / rows
  }

  it('loses less to signs than the singular basis and than chance, and the less the longer it runs', () => {
    const x = npy('examples/data/banking77_test.npy')
    const some = { data: x.data.subarray(0, 400 * 384), dims: [400, 384] }
    const short = itqRotation(some, { iterations: 3 })
    const long = itqRotation(some, { iterations: 12 })
    expect(orthogonality(long)).toBeLessThan(1e-6)
    const chance = randomRotation(384)
    const lost = loss(short, some)
    expect(lost).toBeLessThan(loss(chance, some) - 0.02)
    expect(lost).toBeLessThan(loss(svdRotation(some), some))
    expect(loss(long, some)).toBeLessThan(lost)
    // Also on rows it has not seen.
    const rest = { data: x.data.subarray(400 * 384), dims: [x.dims[0]! - 400, 384] }
    expect(loss(long, rest)).toBeLessThan(loss(chance, rest))
  })

  it.each([1, 2, 3, 7, 17, 100])('is orthogonal at %i dims, whatever the sample', (dims) => {
    const constant = { data: new Float32Array(10 * dims).fill(0.3), dims: [10, dims] }
    const zero = { data: new Float32Array(10 * dims), dims: [10, dims] }
    for (const x of [sample(700, dims, 3), sample(3, dims, 4), constant, zero]) {
      const rotation = itqRotation(x, { iterations: 8, seed: 5 })
      expect(rotation).toMatchObject({ kind: 'itq', dims, seed: 5 })
      expect(orthogonality(rotation)).toBeLessThan(1e-6)
    }
  })

  it('never loses more after a round than before it', () => {
    const x = { ...matrix(300, 24, 6) }
    const losses = [0, 1, 2, 4, 8, 16].map((iterations) => loss(itqRotation(x, { iterations }), x))
    for (let i = 1; i < losses.length; i++) expect(losses[i]!).toBeLessThan(losses[i - 1]! + 1e-6)
  })

  it('gives the same bits for the same seed, in wasm and in TypeScript', () => {
    const x = sample(600, 40, 2)
    const [wasm, typescript] = (['wasm', 'typescript'] as const).map((name) => {
      init({ backend: name })
      return itqRotation(x, { iterations: 5, seed: 3 }).matrix
    })
    expect(typescript).toEqual(wasm)
    expect(itqRotation(x, { iterations: 5, seed: 4 }).matrix).not.toEqual(wasm)
  })
})

describe('a bad sample', () => {
  const calls = [svdRotation, itqRotation, singularValues, eigenvalues, Moments.from] as const
  it.each(calls.map((call) => [call.name, call] as const))('is refused by %s', (_name, call) => {
    const refuse = (x: unknown) => thrownBy(() => call(x as number[][]))
    expect(refuse([]).code).toBe('EMPTY')
    expect(
      refuse([
        [1, 2],
        [3, Number.NaN],
      ]),
    ).toMatchObject({ code: 'NOT_FINITE', argument: 'sample' })
    expect(refuse([[1, 2], [3]]).code).toBe('RAGGED_ROWS')
    expect(refuse(undefined).code).toBe('INVALID_ARGUMENT')
  })

  it('has no moments before its first row', () => {
    expect(thrownBy(() => svdRotation(new Moments(4))).code).toBe('EMPTY')
    expect(thrownBy(() => eigenvalues(new Moments(4))).code).toBe('EMPTY')
  })

  it('a bad number of iterations is refused', () => {
    expect(thrownBy(() => itqRotation([[1, 2]], { iterations: -1 })).argument).toBe('iterations')
  })
})

describe('a host that does not compile the bytes of the linear algebra', () => {
  it('runs it in plain TypeScript, and says so', () => {
    const opened = openModule(
      100_000,
      () => Uint8Array.of(1, 2, 3),
      (buffer) => buffer.byteLength,
    )
    expect(opened).toMatchObject({ backend: 'typescript', kernels: 131_072 })
  })
})
