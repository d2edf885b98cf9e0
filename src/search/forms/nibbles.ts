import type { SearchForm } from './form.js'
import { levelTerms } from './level-terms.js'
import { type NibbleCodes, tableRescorer, tableScan } from './table-form.js'

const codes: NibbleCodes = { bits: 4, width: 0.06, terms: levelTerms }

/** int4 has no scan of codes with codes: the query is decoded from its own codes and scanned as a float query. */
export const nibbleForm: SearchForm = {
  usualScoring: 'asymmetric',
  symmetricScore: 'float',
  decodesQueries: true,
  openScan: (store, column) => tableScan(store, column, codes),
  openRescorer: (store, column, exactOf) => tableRescorer(store, column, codes, exactOf),
}
