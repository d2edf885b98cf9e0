import { describe, expect, test } from 'vitest'
import { hammingScratchBytes } from '../../src/kernels/scratch-sizes.js'
import { Arena, BUILDS, randomBytes } from './open.js'

const FORMS = ['hammingTopK', 'hammingTopKLanes'] as const
type Form = (typeof FORMS)[number]

interface Search {
  readonly queries: Uint8Array
  readonly codes: Uint8Array
  readonly rowBytes: number
  readonly k: number
  readonly shift?: number
}

/** Searches with the build and the twin, compares every byte, and returns what was found. */
function searchWith(form: Form, arena: Arena, { queries, codes, rowBytes, k, shift = 0 }: Search) {
  const [queryCount, rowCount] = [queries.length / rowBytes, codes.length / rowBytes]
  const found = Math.min(k, rowCount)
  const queriesPtr = arena.clear().put(queries, shift)
  const codesPtr = arena.put(codes, shift)
  const scratchBytes = hammingScratchBytes(queryCount, k, rowBytes)
  const scratchPtr = arena.space(scratchBytes, shift)
  const idsPtr = arena.space(4 * queryCount * found, shift)
  const distancesPtr = arena.space(4 * queryCount * found, shift)
  arena.agree(
    (kernels) =>
      kernels[form](queriesPtr, queryCount, codesPtr, rowCount, rowBytes, k, scratchPtr, idsPtr, distancesPtr),
    { scratch: [scratchPtr, scratchBytes] },
  )
  return { ids: arena.words(idsPtr, queryCount * found), distances: arena.words(distancesPtr, queryCount * found) }
}

/** Rows of `rowBytes` bytes whose first `ones(row)` bits are set. */
function rowsWithBits(rowCount: number, rowBytes: number, ones: (row: number) => number): Uint8Array {
  const codes = new Uint8Array(rowCount * rowBytes)
  for (let row = 0; row < rowCount; row++) {
    const count = ones(row)
    codes.fill(0xff, row * rowBytes, row * rowBytes + (count >> 3))
    if (count % 8) codes[row * rowBytes + (count >> 3)] = 0xff00 >> (count % 8)
  }
  return codes
}

describe.each(BUILDS.flatMap((build) => FORMS.map((form) => [form, build] as const)))('%s, %s build', (form, build) => {
  const arena = new Arena(build, 16 << 20)
  const search = (arena: Arena, task: Search) => searchWith(form, arena, task)
  const WIDTHS = [8, 16, 24, 32, 40, 48, 56, 64, 72, 96, 120, 128, 136, 192, 200, 488, 496, 504, 512, 992, 1000, 8192]

  test.each(WIDTHS)('finds the nearest of rows of %i bytes for any number of rows', (rowBytes) => {
    for (const rowCount of [0, 1, 2, 3, 5, 7, 8, 9, 31, 33, 127, 128, 129, 391]) {
      const codes = randomBytes(rowCount * rowBytes, rowBytes + rowCount)
      search(arena, { queries: randomBytes(rowBytes, 5), codes, rowBytes, k: 10, shift: [0, 1, 4][rowCount % 3]! })
    }
  })

  test.each([4095, 4096, 4097, 12_289])('finds the nearest of %i rows, across tiles', (rowCount) => {
    for (const rowBytes of [8, 24, 48, 64, 96, 128, 192, 512]) {
      const codes = randomBytes(rowCount * rowBytes, rowBytes)
      for (const k of [1, 10, 1000])
        search(arena, { queries: randomBytes(2 * rowBytes, 6), codes, rowBytes, k, shift: 1 })
    }
  })

  test.each([1, 2, 3, 17])('answers %i queries as it answers each alone', (queryCount) => {
    const codes = randomBytes(4500 * 48, 7)
    const queries = randomBytes(queryCount * 48, 8)
    const together = search(arena, { queries, codes, rowBytes: 48, k: 100 })
    for (let q = 0; q < queryCount; q++) {
      const alone = search(arena, { queries: queries.slice(48 * q, 48 * q + 48), codes, rowBytes: 48, k: 100 })
      expect(together.ids.slice(100 * q, 100 * q + 100)).toEqual(alone.ids)
    }
  })

  test('rows at the same distance come by lower row', () => {
    const codes = new Uint8Array(9000 * 48).fill(0x0f)
    for (const k of [1, 10, 1000, 8999, 9000]) {
      const { ids, distances } = search(arena, { queries: new Uint8Array(48), codes, rowBytes: 48, k })
      expect(ids).toEqual(Array.from({ length: k }, (_, i) => i))
      expect(new Set(distances)).toEqual(new Set([192]))
    }
  })

  test('heavy ties at the last place are broken by row', () => {
    const next = randomBytes(13_000, 9)
    const codes = rowsWithBits(13_000, 8, (row) => next[row]! % 5)
    for (const k of [1, 7, 2600, 2601, 5000, 12_999])
      search(arena, { queries: new Uint8Array(8), codes, rowBytes: 8, k })
  })

  test('a query equal to more than k rows finds the first k of them', () => {
    const codes = rowsWithBits(9000, 48, (row) => (row % 3 === 2 ? 0 : 5))
    const { ids } = search(arena, { queries: new Uint8Array(48), codes, rowBytes: 48, k: 10 })
    expect(ids).toEqual([2, 5, 8, 11, 14, 17, 20, 23, 26, 29])
  })

  test('gives every row when k is greater than the number of rows', () => {
    for (const rowCount of [1, 9, 300, 4100]) {
      const codes = randomBytes(rowCount * 24, rowCount)
      const { ids } = search(arena, { queries: randomBytes(24, 3), codes, rowBytes: 24, k: 5000 })
      expect(ids.sort((a, b) => a - b)).toEqual(Array.from({ length: rowCount }, (_, i) => i))
    }
  })

  test.each([1, 10, 1000])('accepts every row of an order that gets nearer and nearer, k = %i', (k) => {
    const codes = rowsWithBits(5000, 640, (row) => 5100 - row)
    const { ids } = search(arena, { queries: new Uint8Array(640), codes, rowBytes: 640, k })
    expect(ids).toEqual(Array.from({ length: k }, (_, i) => 4999 - i))
  })

  test('compacts its candidates without losing a tie', () => {
    // Distances fall slowly while each is repeated, so that many candidates are pushed out and many stand at the threshold.
    const codes = rowsWithBits(40_000, 48, (row) => 384 - Math.floor(row / 150))
    for (const k of [1, 100, 149, 150, 151, 300]) search(arena, { queries: new Uint8Array(48), codes, rowBytes: 48, k })
  })

  test('fills its scratch to the last byte without passing it', () => {
    // As long as 2,048 rows are equal and the next ones nearer, every row is accepted: 2k and then a whole tile.
    const codes = rowsWithBits(8192, 8, (row) => 40 - (row >> 11))
    const { ids } = search(arena, { queries: new Uint8Array(16), codes, rowBytes: 8, k: 2048 })
    expect(ids.slice(2048)).toEqual(Array.from({ length: 2048 }, (_, i) => 6144 + i))
  })

  test('counts 65,535 differing bits', () => {
    const codes = rowsWithBits(99, 8192, (row) => 65_535 - 8 * (row % 3))
    const { distances } = search(arena, { queries: new Uint8Array(8192), codes, rowBytes: 8192, k: 99 })
    expect(distances).toEqual(Array.from({ length: 99 }, (_, i) => 65_519 + 8 * Math.floor(i / 33)))
  })

  test('sees a difference in every byte of a row', () => {
    for (const rowBytes of [24, 48, 64, 96, 128, 192, 200]) {
      const codes = new Uint8Array(rowBytes * rowBytes)
      for (let row = 0; row < rowBytes; row++) codes[row * rowBytes + row] = 1 << (row % 8)
      const queries = new Uint8Array(rowBytes).map((_, byte) => 1 << (byte % 8))
      const { distances } = search(arena, { queries, codes, rowBytes, k: rowBytes })
      expect(new Set(distances)).toEqual(new Set([rowBytes - 1]))
    }
  })

  test('counts every bit of rows that fill blocks of 31 vectors, and of those just longer', () => {
    for (const rowBytes of [488, 496, 504, 512, 520, 992, 1000, 1008]) {
      const codes = rowsWithBits(9, rowBytes, (row) => 8 * rowBytes - row)
      const { distances } = search(arena, { queries: new Uint8Array(rowBytes), codes, rowBytes, k: 9 })
      expect(distances).toEqual(Array.from({ length: 9 }, (_, i) => 8 * rowBytes - 8 + i))
    }
  })
})
