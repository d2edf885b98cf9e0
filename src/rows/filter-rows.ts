import { clearBehind, copyBits, countBits, isSetBehind, setBit } from '../base/bits.js'
import { describe, fail } from '../base/check.js'
import { invalid } from '../base/invalid.js'
import { type Allowed, allowedRows, type Filter, type FilterRows } from './filter.js'
import type { Id } from './ids.js'
import type { NameLookup } from './name-lookup.js'

/** A `Filter` over the rows of a file, or of several in their order; bits count deleted rows too. */
export type StoredFilter = Filter

/** The rows that names stand for. @throws PackvecError INVALID_ARGUMENT where one is no name of this kind */
export function rowsNamed(names: ArrayLike<unknown>, kind: 'numbers' | 'texts', lookup: NameLookup, rows: number) {
  const bits = new Uint8Array(Math.ceil(rows / 8))
  const allow = (row: number) => setBit(bits, row)
  for (let i = 0; i < names.length; i++) {
    const name = names[i]
    const fits = kind === 'texts' ? typeof name === 'string' : Number.isInteger(name) && (name as number) >= 0
    if (!fits) fail('INVALID_ARGUMENT', 'filter', EXPECTED[kind], `${describe(name)} at position ${i}`)
    lookup.forEachRow(name as Id, allow)
  }
  return { bits }
}

const EXPECTED = {
  numbers: 'numbers, as the ids of this index are',
  texts: 'texts, as the ids of this index are',
} as const

/** The fault of a file that marks more rows as deleted than it has. */
export const BITS_BEHIND = 'tensor deleted marks rows beyond the last one'

/** A filter over all rows, cut into those of each shard, without the deleted rows. */
export function allowedInShards(
  filter: FilterRows | undefined,
  shards: readonly { readonly rows: number; readonly live: Allowed | undefined }[],
): (Allowed | undefined)[] {
  const rows = shards.reduce((sum, shard) => sum + shard.rows, 0)
  const allowed = allowedRows(filter, rows, 'the index')
  let first = 0
  return shards.map(({ rows, live }) => {
    const from = first
    first += rows
    if (allowed === undefined) return live
    const bits = new Uint8Array(Math.ceil(rows / 8))
    copyBits(allowed.bits, from, bits, 0, rows)
    if (live !== undefined) for (let i = 0; i < bits.length; i++) bits[i]! &= live.bits[i]!
    return { bits, count: countBits(bits) }
  })
}

/** The rows that are not deleted. @throws PackvecError INVALID_FILE */
export function liveRows(deleted: Uint8Array, rows: number): Allowed {
  if (isSetBehind(deleted, rows)) throw invalid('source', BITS_BEHIND)
  const bits = deleted.map((byte) => ~byte)
  clearBehind(bits, rows)
  return { bits, count: countBits(bits) }
}
