import { describe, fail, reading } from '../base/check.js'
import { PackvecError } from '../base/errors.js'
import type { Id } from './ids.js'

export type IdKind = 'numbers' | 'texts'

/**
 * Refuses what holds no ids. A string would be taken for its characters: `'12'` for the ids `'1'` and `'2'`.
 * @throws PackvecError INVALID_ARGUMENT
 */
export function checkIds(ids: unknown): void {
  const given = reading('ids', () => (ids instanceof String ? String(ids) : ids))
  const holds = typeof given === 'object' && given !== null
  if (holds && reading('ids', () => Symbol.iterator in given || Symbol.asyncIterator in given)) return
  const hint = typeof given === 'string' ? `; pass a single id as [${describe(given)}]` : ''
  fail('INVALID_ARGUMENT', 'ids', 'an array, a Set or another iterable of ids', `${describe(given)}${hint}`)
}

/**
 * The ids of so many rows. No more are taken: an array may claim billions, and an iterable need not end.
 * @throws PackvecError INVALID_ARGUMENT
 */
export function takeIds(ids: Iterable<Id>, rows: number): Id[] {
  checkIds(ids)
  return reading('ids', () => {
    const taken: Id[] = []
    for (const id of ids) {
      if (taken.length < rows) taken.push(id)
      else return failIdCount(rows, countOf(ids) ?? `more than ${rows}`)
    }
    if (taken.length < rows) failIdCount(rows, taken.length)
    return taken
  })
}

/** Refuses ids for an index without ids. @throws PackvecError INVALID_ARGUMENT */
export function failIdsGiven(): never {
  throw new PackvecError('INVALID_ARGUMENT', 'ids', 'ids: the index numbers its rows, so added rows cannot have ids')
}

/** Refuses rows without ids for an index that has ids of this kind. @throws PackvecError INVALID_ARGUMENT */
export function failIdsMissing(kind: IdKind, rows: number): never {
  const needed = `the index has ${kind === 'texts' ? 'text' : 'number'} ids, so every added row needs one`
  throw new PackvecError('INVALID_ARGUMENT', 'ids', `ids: ${needed}; got none for ${rows} rows`)
}

/** @throws PackvecError INVALID_ARGUMENT */
export function failIdCount(rows: number, got: number | string): never {
  throw new PackvecError('INVALID_ARGUMENT', 'ids', `ids: every row needs one id, so pass ${rows}; got ${got}`)
}

function countOf(ids: Iterable<Id>): number | undefined {
  const { length, size } = ids as { length?: number; size?: number }
  return length ?? size
}

/** The kind of an id; `kind` is that of those before. @throws PackvecError INVALID_ARGUMENT */
export function checkId(id: unknown, kind: IdKind | undefined, row: number): IdKind {
  const found = typeof id === 'number' ? 'numbers' : typeof id === 'string' ? 'texts' : undefined
  if (found === undefined || (kind !== undefined && kind !== found)) {
    return fail(
      'INVALID_ARGUMENT',
      'ids',
      kind ? `${kind}, as the other ids are` : 'numbers or texts',
      `${describe(id)} for row ${row}`,
    )
  }
  if (found === 'numbers' && !(Number.isInteger(id) && (id as number) >= 0 && (id as number) < 2 ** 32)) {
    fail('INVALID_ARGUMENT', 'ids', 'whole numbers below 2^32, or texts', `${describe(id)} for row ${row}`)
  }
  // UTF-8 has no half characters: two of them would become one text.
  if (found === 'texts' && /\p{Surrogate}/u.test(id as string)) {
    fail('INVALID_ARGUMENT', 'ids', 'well-formed texts', `${describe(id)} for row ${row}`)
  }
  return found
}
