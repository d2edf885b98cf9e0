import { describe, expect, test } from 'vitest'
import { dotScratchBytes, tableScratchBytes } from '../../src/kernels/scratch-sizes.js'
import { Arena, BUILDS, random, randomBytes, randomFloats } from './open.js'

interface Search {
  readonly kernel: 'scanTableTopK' | 'dotI8TopK' | 'dotU8TopK'
  readonly queryCount: number
  readonly rowCount: number
  readonly rowBytes: number
  readonly k: number
  readonly factors: Float32Array
  /** Unit, high and low of all queries. */
  readonly bound: readonly [number, number, number]
  readonly allowed?: Uint8Array
  readonly codes?: Uint8Array
}

function search(arena: Arena, options: Search) {
  const { kernel, queryCount, rowCount, rowBytes, k, factors, bound, allowed } = options
  const found = Math.min(k, rowCount)
  const isTable = kernel === 'scanTableTopK'
  const limit = Math.min(64, Math.floor(65_535 / (2 * rowBytes)) + 1)
  const queries = isTable
    ? randomBytes(32 * rowBytes * queryCount, 5).map((byte) => byte % limit)
    : new Int16Array(rowBytes * queryCount).map((_, i) => ((i * 7919) % 4001) - 2000)
  const queriesPtr = arena.clear().put(queries)
  const codesPtr = arena.put(options.codes ?? randomBytes(rowCount * rowBytes, rowBytes + rowCount))
  const factorsPtr = arena.put(factors)
  const records = Float32Array.from({ length: 4 * queryCount }, (_, i) => (i % 4 < 3 ? bound[i % 4]! : 0))
  const boundsPtr = arena.put(records)
  const allowedPtr = allowed === undefined ? 0 : arena.put(allowed)
  const bytes = isTable ? tableScratchBytes(queryCount, k, rowBytes) : dotScratchBytes(queryCount, k)
  const scratchPtr = arena.space(bytes)
  const idsPtr = arena.space(4 * queryCount * found)
  const scoresPtr = arena.space(4 * queryCount * found)
  arena.agree(
    (kernels) =>
      kernels[kernel](
        ...([queriesPtr, queryCount, codesPtr, rowCount, rowBytes, k, scratchPtr, idsPtr, scoresPtr] as const),
        ...([allowedPtr, factorsPtr, boundsPtr, 0] as const),
      ),
    { scratch: [scratchPtr, bytes] },
  )
  return { ids: arena.words(idsPtr, queryCount * found), scores: arena.floats(scoresPtr, queryCount * found) }
}

const KERNELS = ['scanTableTopK', 'dotI8TopK', 'dotU8TopK'] as const
/** Factors of rows: of one size, spread over a few powers of ten, some of them 0, some below 0, all 0. */
const FACTORS: readonly (readonly [string, (value: number, row: number) => number])[] = [
  ['near 1', (value) => 1 + value / 4],
  ['of all sizes', (value) => 10 ** (6 * value)],
  ['some of them 0', (value, row) => (row % 3 === 0 ? 0 : 1 + value)],
  ['some below 0', (value, row) => (row % 5 === 0 ? -1 : 1) * (1.5 + value)],
  ['all 0', () => 0],
]

describe.each(BUILDS)('scans with factors, %s build', (build) => {
  const arena = new Arena(build, 16 << 20)

  describe.each(KERNELS)('%s', (kernel) => {
    test.each(FACTORS)('ranks rows by bounds, factors %s', (_, factor) => {
      for (const rowCount of [1, 3, 17, 300, 4097, 9001]) {
        const factors = randomFloats(rowCount, rowCount).map(factor)
        for (const rowBytes of [16, 208]) {
          for (const [unit, high, low] of [
            [0.01, 0.5, 0.25],
            [1, -3000, -3001],
            [0, 0, -1],
          ] as const) {
            const options = { kernel, rowCount, rowBytes, factors, bound: [unit, high, low] as const }
            search(arena, { ...options, queryCount: 1, k: 10 })
            search(arena, { ...options, queryCount: 3, k: 100 })
          }
        }
      }
    })

    test('leaves out the rows of a filter', () => {
      const rowCount = 5000
      const next = random(3)
      const allowed = new Uint8Array(Math.ceil(rowCount / 8)).map(() => next() & next())
      const factors = randomFloats(rowCount, 8).map((value) => 2 + value)
      const bound = [0.1, 2, 1] as const
      const { ids } = search(arena, { kernel, queryCount: 2, rowCount, rowBytes: 48, k: 50, factors, bound, allowed })
      expect(ids.every((id) => (allowed[id >> 3]! >> (id & 7)) & 1)).toBe(true)
    })

    test('rows of the same bound come by lower row', () => {
      const rowCount = 9000
      const codes = new Uint8Array(rowCount * 48).fill(0x5a)
      const factors = new Float32Array(rowCount).map((_, row) => (row % 2 ? 2 : 1))
      const bound = [1, 10_000_000, 9_000_000] as const
      const { ids } = search(arena, { kernel, queryCount: 1, rowCount, rowBytes: 48, k: 700, factors, bound, codes })
      expect(ids).toEqual(Array.from({ length: 700 }, (_, i) => 2 * i + 1))
    })
  })

  test('a least sum that sums are counted from comes with every score', () => {
    const codes = randomBytes(50 * 48, 1)
    const queriesPtr = arena.clear().put(new Int16Array(48).fill(255))
    const codesPtr = arena.put(codes)
    const scratchPtr = arena.space(dotScratchBytes(1, 50))
    const [idsPtr, scoresPtr] = [arena.space(200), arena.space(200)]
    const start = -(2 ** 31)
    arena.agree(
      (kernels) =>
        kernels.dotU8TopK(queriesPtr, 1, codesPtr, 50, 48, 50, scratchPtr, idsPtr, scoresPtr, 0, 0, 0, start),
      { scratch: [scratchPtr, dotScratchBytes(1, 50)] },
    )
    const sums = Array.from({ length: 50 }, (_, row) => {
      return 255 * codes.subarray(48 * row, 48 * row + 48).reduce((sum, code) => sum + code, 0)
    })
    expect(arena.words(scoresPtr, 50).map((bits) => (bits | 0) - start)).toEqual(sums.sort((a, b) => b - a))
  })
})
