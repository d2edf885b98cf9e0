import type { Precision } from '../../codes/precision.js'
import { codeOf } from '../../codes/registry.js'
import type { CodeStore, StoredColumn } from '../code-store.js'
import { bitForm } from './bits.js'
import { byteForm } from './bytes.js'
import { floatForm } from './floats.js'
import type { Rescorer, Scan, Scoring, SearchForm } from './form.js'
import { nibbleForm } from './nibbles.js'
import { pairForm } from './pairs.js'

/** By family of codes. */
const forms = new Map<string, SearchForm>([
  ['floats', floatForm],
  ['bytes', byteForm],
  ['nibbles', nibbleForm],
  ['pairs', pairForm],
  ['bits', bitForm],
])

/** Says how codes of a family are searched, in this thread. */
export function registerForm(family: string, form: SearchForm): void {
  forms.set(family, form)
}

export function formOf(precision: Precision): SearchForm {
  const { family } = codeOf(precision)
  const form = forms.get(family)
  if (form === undefined) throw new Error(`codes of the family ${family} cannot be searched`)
  return form
}

/** The scan of all rows of a store, by codes of the family of `precision`. */
export function openScan(store: CodeStore, precision: Precision, scoring: Scoring): Scan {
  return formOf(precision).openScan(store, store.column(precision), scoring)
}

/** Exact scores of rows of a store; `exactOf`: see `SearchForm`. */
export function openRescorer(store: CodeStore, precision: Precision, exactOf?: Scan['exactOf']): Rescorer {
  const column = store.column(precision)
  const exact = formOf(precision).openRescorer(store, column, exactOf)
  return column.factorsPtr === 0 ? exact : withFactors(store, column, exact)
}

/** Multiplies each score by the factor of its row; the constant belongs to the decoded row, so it comes before. */
function withFactors(store: CodeStore, column: StoredColumn, exact: Rescorer): Rescorer {
  let constant = 0
  return {
    queryBytes: exact.queryBytes,
    prepare(stagedRow, queryPtr) {
      constant = exact.prepare(stagedRow, queryPtr)
      return 0
    },
    run(queryPtr, idsPtr, idCount, scoresPtr) {
      exact.run(queryPtr, idsPtr, idCount, scoresPtr)
      const { buffer } = store.workspace
      const ids = new Uint32Array(buffer, idsPtr, idCount)
      const scores = new Float32Array(buffer, scoresPtr, idCount)
      const factors = new Float32Array(buffer, column.factorsPtr, store.size)
      for (let i = 0; i < idCount; i++) scores[i] = (scores[i]! + constant) * factors[ids[i]!]!
    },
  }
}
