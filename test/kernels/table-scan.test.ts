import { describe, expect, test } from 'vitest'
import { tableScratchBytes } from '../../src/kernels/scratch-sizes.js'
import { Arena, BUILDS, randomBytes } from './open.js'

interface Search {
  readonly tables: Uint8Array
  readonly codes: Uint8Array
  readonly rowBytes: number
  readonly k: number
  readonly shift?: number
}

/** Searches with the build and the twin, compares every byte, and returns what was found. */
function search(arena: Arena, { tables, codes, rowBytes, k, shift = 0 }: Search) {
  const [queryCount, rowCount] = [tables.length / (32 * rowBytes), codes.length / rowBytes]
  const found = Math.min(k, rowCount)
  const tablesPtr = arena.clear().put(tables, shift)
  const codesPtr = arena.put(codes, shift)
  const scratchBytes = tableScratchBytes(queryCount, k, rowBytes)
  const scratchPtr = arena.space(scratchBytes, shift)
  const idsPtr = arena.space(4 * queryCount * found, shift)
  const scoresPtr = arena.space(4 * queryCount * found, shift)
  arena.agree(
    (kernels) =>
      kernels.scanTableTopK(tablesPtr, queryCount, codesPtr, rowCount, rowBytes, k, scratchPtr, idsPtr, scoresPtr),
    { scratch: [scratchPtr, scratchBytes] },
  )
  return { ids: arena.words(idsPtr, queryCount * found), scores: arena.words(scoresPtr, queryCount * found) }
}

/** Tables of entries up to 63, or as large as a sum of 65,535 allows; four of 63 fill a byte but for 3. */
function randomTables(rowBytes: number, queryCount: number, seed: number): Uint8Array {
  const limit = Math.min(64, Math.floor(65_535 / (2 * rowBytes)) + 1)
  return randomBytes(32 * rowBytes * queryCount, seed).map((byte) => byte % limit)
}

describe.each(BUILDS)('scanTableTopK, %s build', (build) => {
  const arena = new Arena(build, 16 << 20)
  const WIDTHS = [8, 16, 24, 32, 40, 48, 64, 72, 96, 128, 136, 192, 384, 512, 1528, 1536, 1544, 8192]

  test.each(WIDTHS)('ranks any number of rows of %i bytes', (rowBytes) => {
    for (const rowCount of [0, 1, 2, 15, 16, 17, 31, 32, 33, 47, 48, 63, 64, 65, 129, 391]) {
      const codes = randomBytes(rowCount * rowBytes, rowBytes + rowCount)
      const tables = randomTables(rowBytes, 1, 5)
      search(arena, { tables, codes, rowBytes, k: 10, shift: [0, 1, 4][rowCount % 3]! })
    }
  })

  test.each([4095, 4096, 4097, 12_289])('ranks %i rows, across tiles', (rowCount) => {
    for (const rowBytes of [8, 24, 48, 96, 200]) {
      const codes = randomBytes(rowCount * rowBytes, rowBytes)
      for (const k of [1, 10, 1000])
        search(arena, { tables: randomTables(rowBytes, 2, 6), codes, rowBytes, k, shift: 1 })
    }
  })

  test.each([1, 2, 3, 17])('answers %i queries as it answers each alone', (queryCount) => {
    const codes = randomBytes(4500 * 48, 7)
    const tables = randomTables(48, queryCount, 8)
    const together = search(arena, { tables, codes, rowBytes: 48, k: 100 })
    for (let q = 0; q < queryCount; q++) {
      const alone = search(arena, { tables: tables.slice(1536 * q, 1536 * q + 1536), codes, rowBytes: 48, k: 100 })
      expect(together.ids.slice(100 * q, 100 * q + 100)).toEqual(alone.ids)
      expect(together.scores.slice(100 * q, 100 * q + 100)).toEqual(alone.scores)
    }
  })

  test('rows of the same score come by lower row', () => {
    const codes = new Uint8Array(9000 * 48).fill(0x5a)
    for (const k of [1, 10, 1000, 8999, 9000]) {
      const { ids } = search(arena, { tables: randomTables(48, 1, 1), codes, rowBytes: 48, k })
      expect(ids).toEqual(Array.from({ length: k }, (_, i) => i))
    }
  })

  test('heavy ties at the last place are broken by row', () => {
    const tables = randomTables(8, 1, 2).map((entry) => entry % 2)
    for (const k of [1, 7, 2600, 5000, 12_999]) {
      search(arena, { tables, codes: randomBytes(13_000 * 8, 9), rowBytes: 8, k })
    }
  })

  test('gives every row when k is greater than the number of rows', () => {
    for (const rowCount of [1, 17, 300, 4100]) {
      const codes = randomBytes(rowCount * 24, rowCount)
      const { ids } = search(arena, { tables: randomTables(24, 1, 3), codes, rowBytes: 24, k: 5000 })
      expect(ids.sort((a, b) => a - b)).toEqual(Array.from({ length: rowCount }, (_, i) => i))
    }
  })

  test('all entries 63 add up exactly at the widest row that 16 bits allow', () => {
    // 65,535 / 126 = 520.1 bytes.
    const { scores } = search(arena, {
      tables: new Uint8Array(32 * 520).fill(63),
      codes: randomBytes(99 * 520, 4),
      rowBytes: 520,
      k: 99,
    })
    expect(new Set(scores)).toEqual(new Set([126 * 520]))
  })

  test('the tables of two bytes share 255 between them in any way', () => {
    for (const four of [
      [255, 0, 0, 0],
      [0, 255, 0, 0],
      [1, 2, 250, 2],
      [0, 0, 0, 255],
      [64, 64, 64, 63],
    ]) {
      const tables = new Uint8Array(32 * 48).map((_, i) => Math.round((four[(i >> 4) % 4]! * (i % 16)) / 15))
      const { scores } = search(arena, { tables, codes: randomBytes(500 * 48, 3).fill(255, 0, 48), rowBytes: 48, k: 5 })
      expect(scores[0]).toBe(24 * 255)
    }
  })

  test('rows of 8,192 bytes reach a sum of 65,535 without overflow, wherever the large entries stand', () => {
    // 1,040 tables of 63 and one of 15 in even bytes, odd bytes or the last ones: sums of 65,535 and of 0.
    const places = [(n: number) => 4 * n, (n: number) => 4 * n + 3, (n: number) => 16_383 - n]
    for (const place of places) {
      const tables = new Uint8Array(32 * 8192)
      for (let n = 0; n < 1041; n++) tables.fill(n < 1040 ? 63 : 15, 16 * place(n) + 1, 16 * place(n) + 16)
      const codes = new Uint8Array(50 * 8192).map((_, i) => (Math.floor(i / 8192) % 3 === 0 ? 0x7f : 0))
      const { ids, scores } = search(arena, { tables, codes, rowBytes: 8192, k: 50 })
      expect(scores).toEqual([...new Array(17).fill(65_535), ...new Array(33).fill(0)])
      expect(ids[16]).toBe(48)
    }
  })

  test.each([1, 2])(
    'leaves no row early that is among the best, ties at the last place included, %i queries',
    (count) => {
      // Most of the sum stands in the last block, so that the first blocks in order of weight tell nearly all of it.
      const heavy = (i: number) => (i % 1536 >= 1280 ? 63 : 3)
      const tables = new Uint8Array(1536 * count).map((_, i) => ((i % 16) % 2 === (i % 3) % 2 ? heavy(i) : 0))
      const codes = randomBytes(5000 * 48, 12).map((byte, i) => (i % 48 < 40 ? byte : byte & (i % 7 ? 0x11 : 0xff)))
      // Copies of the best rows so far, further down: they tie and must come after.
      for (let row = 0; row < 300; row++) codes.copyWithin(48 * (4000 + row), 48 * 3 * row, 48 * 3 * row + 48)
      for (const k of [1, 2, 10, 100, 700]) search(arena, { tables, codes, rowBytes: 48, k })
    },
  )

  test('an empty table ranks all rows alike', () => {
    const { ids, scores } = search(arena, {
      tables: new Uint8Array(32 * 48),
      codes: randomBytes(500 * 48, 2),
      rowBytes: 48,
      k: 100,
    })
    expect(ids).toEqual(Array.from({ length: 100 }, (_, i) => i))
    expect(new Set(scores)).toEqual(new Set([0]))
  })

  test('looks every nibble of every row up in its own table', () => {
    // Row r holds code 9 in nibble r % 96 alone; the tables are 0 but for entry 9, which tells the nibble.
    const tables = new Uint8Array(32 * 48).map((_, i) => (i % 16 === 9 ? 1 + ((i >> 4) % 63) : 0))
    const codes = new Uint8Array(96 * 48)
    for (let row = 0; row < 96; row++) codes[row * 48 + (row >> 1)] = row % 2 ? 0x09 : 0x90
    const { ids, scores } = search(arena, { tables, codes, rowBytes: 48, k: 96 })
    expect(scores).toEqual(ids.map((row) => 1 + (row % 63)))
  })
})
