import { describe, expect, test } from 'vitest'
import { dotScratchBytes } from '../../src/kernels/scratch-sizes.js'
import { Arena, BUILDS, randomBytes } from './open.js'

const TERNARY = 2
const QUATERNARY = 3

/** Rows of codes, `dims` a row, packed four a byte; what pads a row is zero. */
function pack(codes: ArrayLike<number>, dims: number, rowBytes: number): Uint8Array {
  const packed = new Uint8Array((codes.length / dims) * rowBytes)
  for (let i = 0; i < codes.length; i++) {
    const d = i % dims
    packed[Math.floor(i / dims) * rowBytes + (d >> 2)]! |= codes[i]! << (6 - 2 * (d & 3))
  }
  return packed
}

interface Search {
  readonly queries: ArrayLike<number>
  readonly codes: ArrayLike<number>
  readonly dims: number
  readonly rowBytes?: number
  readonly k: number
  readonly centre2: number
  readonly shift?: number
}

/** Searches with the build and the twin, compares every byte, and returns what was found. */
function search(
  arena: Arena,
  { queries, codes, dims, k, centre2, shift = 0, rowBytes = 8 * Math.ceil(dims / 32) }: Search,
) {
  const [queryCount, rowCount] = [queries.length / dims, codes.length / dims]
  const found = Math.min(k, rowCount)
  const queriesPtr = arena.clear().put(pack(queries, dims, rowBytes), shift)
  const codesPtr = arena.put(pack(codes, dims, rowBytes), shift)
  const scratchBytes = dotScratchBytes(queryCount, k)
  const scratchPtr = arena.space(scratchBytes, shift)
  const idsPtr = arena.space(4 * queryCount * found, shift)
  const scoresPtr = arena.space(4 * queryCount * found, shift)
  arena.agree(
    (kernels) =>
      kernels.dotPairsTopK(
        queriesPtr,
        queryCount,
        codesPtr,
        rowCount,
        rowBytes,
        k,
        centre2,
        dims,
        scratchPtr,
        idsPtr,
        scoresPtr,
      ),
    { scratch: [scratchPtr, scratchBytes] },
  )
  const scores = arena.words(scoresPtr, queryCount * found).map((score) => score | 0)
  return { ids: arena.words(idsPtr, queryCount * found), scores }
}

function randomCodes(count: number, centre2: number, seed: number): Uint8Array {
  return randomBytes(count, seed).map((byte) => byte % (centre2 + 1))
}

describe.each(BUILDS)('dotPairsTopK, %s build', (build) => {
  const arena = new Arena(build, 16 << 20)

  describe.each([
    ['ternary', TERNARY],
    ['quaternary', QUATERNARY],
  ])('%s codes', (_, centre2) => {
    test.each([1, 31, 32, 33, 64, 100, 384, 385, 768, 1024, 4096])(
      'ranks any number of rows of %i dimensions',
      (dims) => {
        for (const rowCount of [0, 1, 2, 3, 4, 5, 7, 8, 17, 65, 129]) {
          const codes = randomCodes(rowCount * dims, centre2, rowCount)
          const queries = randomCodes(dims, centre2, dims)
          search(arena, { queries, codes, dims, k: 10, centre2, shift: [0, 1, 4][rowCount % 3]! })
        }
      },
    )

    test.each([4095, 4096, 4097, 9001])('ranks %i rows, across tiles', (rowCount) => {
      const codes = randomCodes(rowCount * 40, centre2, rowCount)
      for (const k of [1, 10, 1000]) {
        search(arena, { queries: randomCodes(80, centre2, k), codes, dims: 40, k, centre2, shift: 1 })
      }
    })

    test.each([1, 2, 3, 17])('answers %i queries as it answers each alone', (queryCount) => {
      const codes = randomCodes(4500 * 64, centre2, 1)
      const queries = randomCodes(queryCount * 64, centre2, 2)
      const together = search(arena, { queries, codes, dims: 64, k: 100, centre2 })
      for (let q = 0; q < queryCount; q++) {
        const alone = search(arena, { queries: queries.slice(64 * q, 64 * q + 64), codes, dims: 64, k: 100, centre2 })
        expect(together.ids.slice(100 * q, 100 * q + 100)).toEqual(alone.ids)
      }
    })

    test('rows of the same score come by lower row', () => {
      const codes = new Array(9000 * 32).fill(1)
      for (const k of [1, 10, 1000, 8999, 9000]) {
        const { ids } = search(arena, { queries: new Array(32).fill(2), codes, dims: 32, k, centre2 })
        expect(ids).toEqual(Array.from({ length: k }, (_, i) => i))
      }
    })

    test('multiplies every pair of codes in every dimension', () => {
      const codeCount = centre2 + 1
      for (let d = 0; d < 33; d++) {
        for (let code = 0; code < codeCount; code++) {
          // One dimension varies; where codes are 0 on both sides a product is centre2 squared.
          const queries = new Array(33).fill(0).fill(code, d, d + 1)
          const codes = Array.from({ length: 33 * codeCount }, (_, i) => (i % 33 === d ? Math.floor(i / 33) : 0))
          const { ids, scores } = search(arena, { queries, codes, dims: 33, k: 4, centre2 })
          const product = (other: number) => (2 * code - centre2) * (2 * other - centre2)
          expect(scores).toEqual(ids.map((other) => 32 * centre2 ** 2 + product(other)))
        }
      }
    })

    test('padding adds nothing, however much there is', () => {
      const codes = randomCodes(50 * 20, centre2, 3)
      const queries = randomCodes(20, centre2, 4)
      const narrow = search(arena, { queries, codes, dims: 20, k: 50, centre2 })
      expect(search(arena, { queries, codes, dims: 20, k: 50, centre2, rowBytes: 96 })).toEqual(narrow)
    })
  })

  test('reaches both ends at 65,535 dimensions', () => {
    const dims = 65_535
    const codes = [...new Array(dims).fill(0), ...new Array(dims).fill(3), ...new Array(dims).fill(1)]
    const { ids, scores } = search(arena, { queries: new Array(dims).fill(3), codes, dims, k: 3, centre2: QUATERNARY })
    expect(ids).toEqual([1, 2, 0])
    expect(scores).toEqual([9 * dims, -3 * dims, -9 * dims])
  })
})
