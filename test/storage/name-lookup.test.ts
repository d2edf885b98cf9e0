import { afterEach, describe, expect, it, vi } from 'vitest'
import { numberLookup, textLookup } from '../../src/rows/name-lookup.js'

afterEach(() => vi.restoreAllMocks())

function rowsOf(lookup: ReturnType<typeof numberLookup>, name: number | string): number[] {
  const rows: number[] = []
  lookup.forEachRow(name, (row) => rows.push(row))
  return rows.sort((a, b) => a - b)
}

/** Numbers that met in one slot of a table whose hash everybody knew: multiples of the inverse of the golden ratio. */
function colliding(count: number): Uint32Array {
  const inverse = 0xe8b2f51
  return Uint32Array.from({ length: count }, (_, i) => Math.imul(i, inverse) >>> 0)
}

describe('a look-up of numbers', () => {
  it('finds every row of each, and none for a number that no row has', () => {
    const values = [Uint32Array.of(7, 0, 2 ** 32 - 1, 7), Uint32Array.of(), Uint32Array.of(0, 256, 7)]
    const lookup = numberLookup(values)
    expect(rowsOf(lookup, 7)).toEqual([0, 3, 6])
    expect(rowsOf(lookup, 0)).toEqual([1, 4])
    expect(rowsOf(lookup, 2 ** 32 - 1)).toEqual([2])
    for (const name of [1, 65_536, 'x']) expect(rowsOf(lookup, name)).toEqual([])
  })

  // Where they are not spread, a million of them take minutes, and the test its time.
  it('spreads ids that were chosen to meet, ids in a row and one id for all rows', () => {
    const count = 1_000_000
    for (const values of [colliding(count), Uint32Array.from({ length: count }, (_, i) => i), new Uint32Array(count)]) {
      const lookup = numberLookup([values])
      expect(rowsOf(lookup, values[count - 1]!)).toContain(count - 1)
    }
  })

  it('has another order of slots each time', () => {
    const random = vi.spyOn(Math, 'random')
    numberLookup([Uint32Array.of(1)])
    expect(random).toHaveBeenCalled()
  })
})

describe('a look-up of texts', () => {
  it('finds every row of each, also behind one that came twice', () => {
    const lookup = textLookup([
      ['a', 'b', 'a'],
      ['c', 'b', 'd'],
    ])
    expect(['a', 'b', 'c', 'd', 'e'].map((name) => rowsOf(lookup, name))).toEqual([[0, 2], [1, 4], [3], [5], []])
  })
})
