import { describe, expect, test } from 'vitest'
import type { Kernels } from '../../src/kernels/kernels.js'
import { dotScratchBytes, hammingScratchBytes, tableScratchBytes } from '../../src/kernels/scratch-sizes.js'
import type { TopKKernel } from '../../src/kernels/search-kernels.js'
import { Arena, BUILDS, random, randomBytes } from './open.js'

/** A kernel that scans, over rows of 64 bytes: queries of its own form, codes, and what it needs beside them. */
interface Scan {
  readonly name: string
  readonly scan: (kernels: Kernels) => TopKKernel
  readonly queryBytes: number
  readonly scratchBytes: (queryCount: number, k: number) => number
  /** A query or codes from noise; codes have few different rows, so that ties are heavy. */
  readonly query: (noise: Uint8Array) => Uint8Array
  readonly codes?: (noise: Uint8Array) => Uint8Array
}

const ROW = 64
const asBytes = (array: Int16Array | Float32Array) => new Uint8Array(array.buffer)
const shorts = (noise: Uint8Array) => asBytes(Int16Array.from(noise.subarray(0, ROW), (byte) => byte - 128))
/** Whole numbers, so that float sums are exact in any order. */
const floats = (noise: Uint8Array) =>
  asBytes(Float32Array.from(noise.subarray(0, noise.length / 4), (byte) => byte % 4))
const asIs = (noise: Uint8Array) => noise

const SCANS: readonly Scan[] = [
  ...(['hammingTopK', 'hammingTopKLanes'] as const).map((name) => ({
    name,
    scan: (kernels: Kernels) => kernels[name],
    queryBytes: ROW,
    scratchBytes: (queryCount: number, k: number) => hammingScratchBytes(queryCount, k, ROW),
    query: asIs,
  })),
  ...(['dotI8TopK', 'dotU8TopK'] as const).map((name) => ({
    name,
    scan: (kernels: Kernels) => kernels[name],
    queryBytes: 2 * ROW,
    scratchBytes: dotScratchBytes,
    query: shorts,
  })),
  ...([2, 3] as const).map((centre2) => ({
    name: `dotPairsTopK, ${centre2 === 2 ? 'ternary' : 'quaternary'}`,
    scan:
      (kernels: Kernels): TopKKernel =>
      (queries, queryCount, codes, rows, rowBytes, k, scratch, ids, scores, allowed) =>
        kernels.dotPairsTopK(
          queries,
          queryCount,
          codes,
          rows,
          rowBytes,
          k,
          centre2,
          256,
          scratch,
          ids,
          scores,
          allowed,
        ),
    queryBytes: ROW,
    scratchBytes: dotScratchBytes,
    // No pair of bits is 3, which ternary codes do not have.
    query: (noise: Uint8Array) => noise.map((byte) => byte & 0xaa),
    codes: (noise: Uint8Array) => noise.map((byte) => byte & 0x55),
  })),
  {
    name: 'dotF32TopK',
    scan: (kernels) => kernels.dotF32TopK,
    queryBytes: ROW,
    scratchBytes: dotScratchBytes,
    query: floats,
    codes: (noise) => asBytes(Float32Array.from({ length: noise.length / 4 }, (_, i) => noise[i]! % 4)),
  },
  {
    name: 'scanTableTopK',
    scan: (kernels) => kernels.scanTableTopK,
    queryBytes: 32 * ROW,
    scratchBytes: (queryCount, k) => tableScratchBytes(queryCount, k, ROW),
    query: (noise) => noise.map((byte) => byte & 63),
  },
]

/** `distinct` different rows in random order. */
function tiedCodes(rowCount: number, distinct: number, seed: number): Uint8Array {
  const rows = randomBytes(distinct * ROW, seed)
  const next = random(seed)
  const codes = new Uint8Array(rowCount * ROW)
  for (let row = 0; row < rowCount; row++) {
    const from = (next() % distinct) * ROW
    codes.set(rows.subarray(from, from + ROW), row * ROW)
  }
  return codes
}

/** A bit a row, the first in the lowest bit; what lies behind the last row is set, and must not matter. */
function filterOf(rowCount: number, isAllowed: (row: number) => boolean): Uint8Array {
  const bits = new Uint8Array(Math.ceil(rowCount / 8)).fill(rowCount % 8 ? 0xff << (rowCount % 8) : 0, -1)
  for (let row = 0; row < rowCount; row++) if (isAllowed(row)) bits[row >> 3]! |= 1 << (row & 7)
  return bits
}

describe.each(BUILDS.flatMap((build) => SCANS.map((scan) => [scan.name, build, scan] as const)))(
  '%s with a filter, %s build',
  (_name, build, { scan, queryBytes, scratchBytes, query, codes: codesOf = asIs }) => {
    const arena = new Arena(build, 2 << 20)

    /** Scans with the build and its twin, compares every byte, and returns row numbers and scores. */
    function search(queries: Uint8Array, codes: Uint8Array, k: number, bits: Uint8Array | undefined, shift = 0) {
      const [queryCount, rowCount] = [queries.length / queryBytes, codes.length / ROW]
      const found = queryCount * Math.min(k, rowCount)
      const queriesPtr = arena.clear().put(queries, shift)
      const codesPtr = arena.put(codes, shift)
      const scratch = scratchBytes(queryCount, k)
      const scratchPtr = arena.space(scratch, shift)
      const idsPtr = arena.space(4 * found, shift)
      const scoresPtr = arena.space(4 * found, shift)
      const allowedPtr = bits && arena.put(bits, shift)
      arena.agree(
        (kernels) =>
          scan(kernels)(queriesPtr, queryCount, codesPtr, rowCount, ROW, k, scratchPtr, idsPtr, scoresPtr, allowedPtr),
        { scratch: [scratchPtr, scratch] },
      )
      return { ids: arena.words(idsPtr, found), scores: arena.words(scoresPtr, found) }
    }

    /** The allowed rows alone, and their numbers among all rows. */
    function pick(codes: Uint8Array, bits: Uint8Array) {
      const rows = Array.from({ length: codes.length / ROW }, (_, row) => row)
      const allowed = rows.filter((row) => (bits[row >> 3]! >> (row & 7)) & 1)
      const alone = new Uint8Array(allowed.length * ROW)
      for (const [i, row] of allowed.entries()) alone.set(codes.subarray(row * ROW, (row + 1) * ROW), i * ROW)
      return { allowed, alone }
    }

    function queriesOf(count: number, seed: number): Uint8Array {
      const queries = new Uint8Array(count * queryBytes)
      for (let i = 0; i < count; i++) {
        const noise = randomBytes(Math.max(queryBytes, 256 * ROW), seed + i)
        queries.set(query(noise).subarray(0, queryBytes), i * queryBytes)
      }
      return queries
    }

    test.each([1, 7, 9, 31, 33, 65, 4095, 4097, 8200])(
      'finds among %i rows what it finds among the allowed ones alone',
      (rowCount) => {
        const queries = queriesOf(2, rowCount)
        const next = random(rowCount)
        const one = next() % rowCount
        const codes = codesOf(tiedCodes(rowCount, 40, rowCount))
        for (const [i, isAllowed] of [
          () => true,
          (row: number) => row === one,
          (row: number) => row === rowCount - 1,
          () => next() % 2 === 0,
          () => next() % 100 === 0,
          (row: number) => row >= rowCount / 2,
        ].entries()) {
          const bits = filterOf(rowCount, isAllowed)
          const { allowed, alone } = pick(codes, bits)
          if (allowed.length === 0) continue
          for (const k of [1, 10, 300]) {
            const { ids, scores } = search(queries, alone, k, undefined)
            const expected = { ids: ids.map((id) => allowed[id]!), scores }
            expect(search(queries, codes, Math.min(k, allowed.length), bits, [0, 1, 4][i % 3])).toEqual(expected)
          }
        }
      },
    )

    test('takes no address and address 0 as no filter', () => {
      const codes = codesOf(tiedCodes(70, 9, 5))
      const queries = queriesOf(1, 6)
      const all = filterOf(70, () => true)
      expect(search(queries, codes, 70, undefined)).toEqual(search(queries, codes, 70, all))
    })

    if (build !== 'debug') return

    test('says that k is more than the rows allowed', () => {
      const codes = codesOf(tiedCodes(100, 9, 5))
      const bits = filterOf(100, (row) => row < 3)
      expect(() => search(queriesOf(1, 6), codes, 4, bits)).toThrow(
        /abort: k must be at most the number of allowed rows/,
      )
    })
  },
)
