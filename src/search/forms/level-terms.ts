import type { Levels } from '../../codes/levels.js'
import type { StoredColumn } from '../code-store.js'
import type { WriteTerms } from './nibble-table.js'

/** Codes with levels add the query's value times their level. */
export function levelTerms({ column }: StoredColumn): WriteTerms {
  const { table } = column.book as Levels
  return (value, d, terms) => {
    for (let code = 0; code < table.length; code++) terms[code] = value * table[code]![d]!
  }
}
