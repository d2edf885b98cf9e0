import { describe, expect, test } from 'vitest'
import {
  bestScratchBytes,
  dotScratchBytes,
  hammingScratchBytes,
  tableScratchBytes,
} from '../../src/kernels/scratch-sizes.js'
import { Arena, BUILDS, random, randomFloats } from './open.js'

describe.each(BUILDS)('selectBest, %s build', (build) => {
  const arena = new Arena(build, 1 << 20)

  /** Selects with the build and the twin, compares every byte (the input's too), and returns what was selected. */
  function select(ids: ArrayLike<number>, scores: ArrayLike<number>, k: number, { shift = 0, inPlace = false } = {}) {
    const found = Math.min(k, ids.length)
    const idsPtr = arena.clear().put(Uint32Array.from(ids), shift)
    const scoresPtr = arena.put(Float32Array.from(scores), shift)
    const scratchBytes = bestScratchBytes(k)
    const scratchPtr = arena.space(scratchBytes, shift)
    const outIds = inPlace ? idsPtr : arena.space(4 * found, shift)
    const outScores = inPlace ? scoresPtr : arena.space(4 * found, shift)
    arena.agree((kernels) => kernels.selectBest(idsPtr, scoresPtr, ids.length, k, scratchPtr, outIds, outScores), {
      scratch: [scratchPtr, scratchBytes],
    })
    return { ids: arena.words(outIds, found), scores: arena.floats(outScores, found) }
  }

  /** Distinct ids, in no order, over the whole of uint32. */
  const shuffledIds = (count: number, seed: number) => [...new Set(Array.from({ length: count }, random(seed)))]

  test('writes the k best, best first', () => {
    expect(select([7, 3, 9, 1], [0.5, -2, 8, 0.25], 3)).toEqual({ ids: [9, 7, 1], scores: [8, 0.5, 0.25] })
  })

  test.each([0, 1, 2, 3, 7, 40, 400, 4001])('selects from %i pairs for any k', (count) => {
    const ids = shuffledIds(count, count + 1)
    for (const k of [1, 2, 5, 10, 100, 399, 400, 401, 5000]) {
      const shift = [0, 1, 4][k % 3]!
      const apart = select(ids, randomFloats(ids.length, k), k, { shift })
      expect(select(ids, randomFloats(ids.length, k), k, { shift, inPlace: true })).toEqual(apart)
    }
  })

  test('equal scores come by lower id, whatever the order of the pairs', () => {
    const ids = [4_000_000_000, 12, 2_147_483_648, 0, 4_294_967_295, 5]
    const scores = ids.map(() => -1.5)
    expect(select(ids, scores, 4).ids).toEqual([0, 5, 12, 2_147_483_648])
    expect(select([...ids].reverse(), scores, 4).ids).toEqual([0, 5, 12, 2_147_483_648])
  })

  test('heavy ties at the last place are broken by id', () => {
    const ids = shuffledIds(1000, 3)
    const next = random(4)
    const scores = ids.map(() => (next() % 5) - 2)
    for (const k of [1, 100, 199, 200, 201, 999]) select(ids, scores, k)
  })

  test('-0 and 0 are one score, written as 0', () => {
    const { ids, scores } = select([4, 3, 2, 1], [-0, 0, -0, 0], 3)
    expect(ids).toEqual([1, 2, 3])
    expect(scores.map((score) => Object.is(score, 0))).toEqual([true, true, true])
  })

  test('orders scores of every size, infinities and subnormals among them', () => {
    const { MAX_VALUE } = Number
    const falling = [MAX_VALUE, 3e38, 1, 1e-38, 1e-45, 0, -1e-45, -1e-38, -1, -3e38, -MAX_VALUE]
    const ids = falling.map((_, i) => i)
    expect(select([...ids].reverse(), [...falling].reverse(), ids.length).ids).toEqual(ids)
  })

  test('scores that only rise and scores that only fall', () => {
    const ids = Array.from({ length: 300 }, (_, i) => i)
    expect(select(ids, ids, 20).ids).toEqual(ids.slice(-20).reverse())
    const fallen = ids.map((id) => -id)
    expect(select(ids, fallen, 20).ids).toEqual(ids.slice(0, 20))
  })
})

test('the scratch of a scan for k rows holds the scratch of selecting k', () => {
  for (const k of [1, 10, 100_000]) {
    const scans = [hammingScratchBytes(1, k, 8), dotScratchBytes(1, k), tableScratchBytes(1, k, 8)]
    expect(bestScratchBytes(k)).toBeLessThanOrEqual(Math.min(...scans))
  }
})
