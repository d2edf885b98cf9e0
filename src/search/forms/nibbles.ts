import { levelTerms } from './level-terms.js'
import { tableForm } from './table-form.js'

/** int4 has no scan of codes with codes: the query is decoded from its own codes and scanned as a float query. */
export const nibbleForm = /* @__PURE__ */ tableForm(
  { bits: 4, width: 0.06, terms: levelTerms },
  { usualScoring: 'asymmetric', symmetricScore: 'float', decodesQueries: true },
)
