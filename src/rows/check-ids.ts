import { describe, fail, reading } from '../base/check.js'
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
  const hint = typeof given === 'string' ? `; one id is given as [${describe(given)}]` : ''
  fail('INVALID_ARGUMENT', 'ids', 'an array, a Set or another iterable of ids', `${describe(given)}${hint}`)
}

/**
 * The ids of so many rows. No more are taken: an array may claim billions, and an iterable need not end.
 * @param expected what they should have been, where there are more or fewer
 * @throws PackvecError INVALID_ARGUMENT
 */
export function takeIds(ids: Iterable<Id>, rows: number, expected: string): Id[] {
  checkIds(ids)
  return reading('ids', () => {
    const taken: Id[] = []
    for (const id of ids) {
      if (taken.length < rows) taken.push(id)
      else return fail('INVALID_ARGUMENT', 'ids', expected, `${countOf(ids) ?? `more than ${rows}`} ids`)
    }
    if (taken.length < rows) fail('INVALID_ARGUMENT', 'ids', expected, `${taken.length} ids`)
    return taken
  })
}

function countOf(ids: Iterable<Id>): number | undefined {
  const { length, size } = ids as { length?: number; size?: number }
  return length ?? size
}

/** The kind of an id; `kind` is that of those before. @throws PackvecError INVALID_ARGUMENT */
export function checkId(id: unknown, kind: IdKind | undefined, row: number): IdKind {
  const found = typeof id === 'number' ? 'numbers' : typeof id === 'string' ? 'texts' : undefined
  if (found === undefined || (kind !== undefined && kind !== found)) {
    return fail('INVALID_ARGUMENT', 'ids', kind ?? 'numbers or texts', `${describe(id)} for row ${row}`)
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
