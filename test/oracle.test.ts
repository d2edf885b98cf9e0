import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type BuildOptions, init, QuantizedIndex, type SearchOptions } from '../src/index.js'
import { createPool, type Pool } from '../src/pool.js'
import { Rotation, randomRotation, svdRotation } from '../src/rotations.js'
import { encodeIndex, openIndex } from '../src/storage-node.js'
import { Oracle } from './file-oracle.js'
import { bundlePool } from './pool-bundle.js'
import { randomSource } from './random.js'
import { judge } from './verdict.js'

/** Indexes that are built, each searched a few times. */
const BUILDS = Number(process.env['ORACLE_BUILDS'] ?? (process.env['CI_FULL'] ? 3000 : 120))
const SEARCHES = 4
const SEED = Number(process.env['ORACLE_SEED'] ?? 20_261_125)
/** One in so many is searched in a pool too. */
const POOLED = 8
/** Numbers of builds in one test. */
const RUNS = 4

const PRECISIONS = ['int8', 'uint8', 'int4', 'quaternary', 'ternary', 'binary', 'ubinary', 'float32'] as const
type Random = () => number
const below = (random: Random, count: number) => Math.floor(random() * count)
const pick = <T>(random: Random, items: readonly T[]): T => items[below(random, items.length)]!
const normal = (random: Random) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())

let pool: Pool
const folder = mkdtempSync(join(tmpdir(), 'packvec-oracle-'))
beforeAll(async () => {
  pool = await createPool({ workers: 3, workerUrl: (await bundlePool()).url('pool-worker.js') })
})
afterAll(async () => {
  await pool.close()
  rmSync(folder, { recursive: true })
})
afterEach(() => init({ backend: 'wasm' }))

/** Results, and those of them to which two stages without rounding would add nothing. */
let judged = 0
let asGood = 0

interface Matrix {
  readonly data: Float32Array
  readonly dims: [rows: number, dims: number]
}

/** Rows of uneven lengths, with large, constant and empty dimensions, rows that are equal and rows of zeros. */
function rowsOf(random: Random, count: number, dims: number): Matrix {
  const spread = pick(random, [0, 0.3, 1, 3])
  const outliers = Array.from({ length: below(random, 3) }, () => [below(random, dims), pick(random, [8, 64, 1000])])
  const constants = Array.from({ length: below(random, 3) }, () => [below(random, dims), pick(random, [0, 1, -20])])
  const data = new Float32Array(count * dims)
  for (let row = 0; row < count; row++) {
    const values = data.subarray(row * dims, (row + 1) * dims)
    if (row > 0 && random() < 0.1) values.set(data.subarray(0, dims))
    else if (random() > 0.03) {
      const length = Math.exp(spread * normal(random)) / Math.sqrt(dims)
      for (let d = 0; d < dims; d++) values[d] = length * normal(random)
      for (const [d, factor] of outliers) values[d!]! *= factor!
      for (const [d, value] of constants) values[d!] = value!
    }
  }
  return { data, dims: [count, dims] }
}

function optionsOf(random: Random, corpus: Matrix, inputDims: number): BuildOptions {
  const coarse = pick(random, PRECISIONS)
  const rescore = random() < 0.5 ? 'none' : pick(random, PRECISIONS)
  const dims = random() < 0.2 && inputDims > 1 ? 1 + below(random, inputDims - 1) : inputDims
  const kind = random()
  const seed = below(random, 1000)
  const sample = { data: corpus.data, dims: corpus.dims }
  const rotation =
    kind < 0.1
      ? Rotation.hadamard(dims, { seed })
      : kind < 0.2
        ? randomRotation(dims, { seed })
        : kind < 0.3 && dims === inputDims && corpus.dims[0] > 1
          ? svdRotation(sample, { center: random() < 0.5 })
          : undefined
  return {
    coarse,
    rescore,
    ...(random() < 0.5 ? { scale: pick(random, [true, 'float32'] as const) } : {}),
    ...(dims === inputDims ? {} : { truncate: dims, renormalize: random() < 0.5 }),
    ...(rotation === undefined ? {} : { rotation }),
    onWarning() {},
  }
}

function searchOptionsOf(random: Random, rows: number): SearchOptions & { allowed?: Set<number> } {
  const share = pick(random, [0.01, 0.2, 0.9])
  const allowed =
    random() < 0.3 ? Array.from({ length: rows }, (_, row) => row).filter(() => random() < share) : undefined
  return {
    topK: random() < 0.1 ? rows + below(random, 5) + 1 : 1 + below(random, 20),
    ...(random() < 0.7 ? { scoring: pick(random, ['symmetric', 'asymmetric'] as const) } : {}),
    ...(random() < 0.4 ? { rescoreMultiplier: 1 + below(random, 10) / 2 } : {}),
    ...(allowed === undefined ? {} : { filter: allowed }),
  }
}

/** One random index and its searches, in memory, in a file and in the pool. */
async function tryBuild(seed: number): Promise<string[]> {
  const random = randomSource(seed)
  init({ backend: random() < 0.25 ? 'typescript' : 'wasm' })
  const dims = 1 + below(random, pick(random, [8, 40, 150]))
  const corpus = rowsOf(random, 2 + below(random, pick(random, [10, 200, 1500])), dims)
  const options = optionsOf(random, corpus, dims)
  const index = QuantizedIndex.build(corpus, options)
  const file = encodeIndex(index)
  const oracle = new Oracle(file)
  const path = join(folder, 'index.safetensors')
  writeFileSync(path, file)
  const places = [await openIndex(random() < 0.5 ? file : path, { load: pick(random, ['coarse', 'all'] as const) })]
  const pooled = seed % POOLED === 0 && index.backend === 'wasm' ? [await pool.open(file)] : []
  const wrong: string[] = []
  for (let i = 0; i < SEARCHES; i++) {
    const given = searchOptionsOf(random, index.size)
    const queries = rowsOf(random, random() < 0.1 ? 66 : 1 + below(random, 4), dims)
    const results = index.search(queries, given)
    const { rotation, onWarning, ...shown } = options
    const title = `seed ${seed}: ${index.size} x ${dims} ${JSON.stringify({ ...shown, rotation: rotation?.kind, ...given, filter: undefined })}`
    for (const [q, result] of results.entries()) {
      const query = queries.data.subarray(q * dims, (q + 1) * dims)
      const { fault, isAsGood } = judge(result, oracle, query, given)
      judged++
      if (isAsGood) asGood++
      if (fault !== undefined) wrong.push(`${title}, query ${q} on ${index.backend}: ${fault}`)
    }
    for (const place of [...places, ...pooled]) {
      const found = await place.search(queries, given)
      if (!isDeepStrictEqual(found, results)) wrong.push(`${title}: not the same in a ${place.constructor.name}`)
    }
  }
  for (const place of [...places, ...pooled]) await place.close()
  return wrong
}

describe(`${BUILDS} random indexes, searched ${SEARCHES} times each (seed ${SEED})`, () => {
  it.each(Array.from({ length: RUNS }, (_, run) => run))(
    'find what float64 over their decoded codes finds: part %i',
    async (run) => {
      const wrong: string[] = []
      for (let i = run; i < BUILDS && wrong.length < 10; i += RUNS) wrong.push(...(await tryBuild(SEED + i)))
      expect(wrong.slice(0, 10)).toEqual([])
    },
    3_600_000,
  )

  it('and lose next to nothing by the rounding of a first stage', () => {
    expect(judged).toBeGreaterThan(BUILDS)
    expect(asGood / judged).toBeGreaterThan(0.99)
  })
})
