import { clearBehind, countBits, setBit } from '../base/bits.js'
import { describe, fail, reading } from '../base/check.js'
import { PackvecError } from '../base/errors.js'
import type { Id } from './ids.js'

/**
 * The rows that a search may find: their ids, in any order, or a bit for each row: row i is allowed if
 * `bits[i >>> 3] >> (i & 7) & 1`. `bits` has ceil(rows / 8) bytes; bits after the last row do not count. A bare Uint8Array
 * is refused, for it could mean either. Ids are the numbers of existing rows. If a file has ids of the user's, numbers or texts,
 * they are those, and ids that no row has are ignored: a row may have been deleted.
 */
export type Filter = readonly Id[] | Uint32Array | ReadonlySet<Id> | { readonly bits: Uint8Array }

/** A copy of a filter, not yet held against a number of rows. */
export type FilterRows = { readonly ids: readonly Id[] | Uint32Array } | { readonly bits: Uint8Array<ArrayBuffer> }

/** Rows that a scan may find, in the bits of `Filter`; none is set after the last row. */
export interface Allowed {
  readonly bits: Uint8Array
  /** Number of set bits. */
  readonly count: number
}

const EXPECTED = 'ids (an array of numbers, a Uint32Array or a Set) or { bits: Uint8Array }'

/** Copies a filter, so that what the caller does with it later changes nothing. @throws PackvecError INVALID_ARGUMENT */
export function copyFilter(filter: Filter): FilterRows {
  return reading('filter', () => copyOf(filter))
}

function copyOf(filter: Filter): FilterRows {
  if (filter instanceof Uint32Array) return { ids: filter.slice() }
  if (Array.isArray(filter)) return { ids: copyIds(filter) }
  if (filter instanceof Set) return { ids: [...filter] }
  const bits = (filter as { readonly bits?: unknown } | null)?.bits
  if (bits instanceof Uint8Array) return { bits: new Uint8Array(bits) }
  if (bits === undefined) return fail('INVALID_ARGUMENT', 'filter', EXPECTED, describe(filter))
  return fail('INVALID_ARGUMENT', 'filter', EXPECTED, `{ bits: ${describe(bits)} }`)
}

/** The ids, up to the first invalid one: the look-up refuses that one. An array may claim billions. */
function copyIds(ids: readonly number[]): number[] {
  const copy: number[] = []
  for (let i = 0; i < ids.length; i++) {
    const id: unknown = ids[i]
    copy.push(id as number)
    if (typeof id !== 'number' && typeof id !== 'string') break
  }
  return copy
}

/** The rows that a filter allows among `rows`. `owner` is whose rows they are. @throws PackvecError INVALID_ARGUMENT */
export function allowedRows(filter: FilterRows | undefined, rows: number, owner: string): Allowed | undefined {
  if (filter === undefined) return undefined
  const bits = 'bits' in filter ? checkBits(filter.bits, rows, owner) : bitsOf(filter.ids, rows, owner)
  return { bits, count: countBits(bits) }
}

function checkBits(bits: Uint8Array<ArrayBuffer>, rows: number, owner: string): Uint8Array<ArrayBuffer> {
  const byteLength = Math.ceil(rows / 8)
  if (bits.length !== byteLength) {
    const message = `filter.bits must be ${byteLength} bytes long for the ${rows} rows of ${owner}, got ${bits.length}`
    throw new PackvecError('INVALID_ARGUMENT', 'filter', message)
  }
  clearBehind(bits, rows)
  return bits
}

function bitsOf(ids: readonly Id[] | Uint32Array, rows: number, owner: string): Uint8Array<ArrayBuffer> {
  const bits = new Uint8Array(Math.ceil(rows / 8))
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i]!
    if (!(typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < rows)) {
      const message = `filter must hold row numbers below ${rows}, the rows of ${owner}, got ${describe(id)} at position ${i}`
      throw new PackvecError('INVALID_ARGUMENT', 'filter', message)
    }
    setBit(bits, id)
  }
  return bits
}
