import type { Precision } from '../codes/precision.js'
import { codeOf, USUAL } from '../codes/registry.js'
import { FEW_ROWS, type Listener, squaresOf, tell, warnOfRows } from '../codes/suitability.js'
import { type RowSource, toRows } from '../rows/matrix.js'
import { centreOf, transformRows } from '../transform/transform.js'
import { follows } from './growth.js'
import type { Recipe } from './recipe.js'

/** Codes of so few bits do not keep lengths. */
const SHORT_BITS = 2
/** Standard deviation of lengths, as a part of their mean, from which bits rank badly (measured: recall 0.83 instead of 0.98). */
const UNEVEN = 0.1
/** Tells of rows that the codes of an index keep badly, and what helps; `look` is a sample of the rows as they came. */
export function warnOfIndex(
  look: RowSource,
  { transform, stages, columns }: Recipe,
  rows: number,
  onWarning: Listener,
): void {
  const { coarse, rescore } = stages
  const bits = [coarse, rescore].find((precision) => precision !== 'none' && codeOf(precision).bits === 1)
  const ranged = columns.find(follows)
  const hint = 'Pass center: true, which subtracts the mean'
  const encoded = held(transformRows(look, transform, 'centred', 'embeddings'))
  warnOfRows(encoded, { bits: bits as Precision | undefined, ranged, rows, hint }, onWarning)
  const short = codeOf(coarse).bits <= SHORT_BITS
  // One stage of codes with factors keeps lengths; candidates of two are found without them.
  if (!short || (rescore === 'none' && columns[0]!.scale !== undefined) || look.rows < FEW_ROWS) return
  const plain = { ...transform, rotation: undefined }
  const whole = centreOf(transform) ? transformRows(look, plain, 'as is', 'embeddings') : encoded
  const uneven = deviation(withoutEnds(lengthsOf(whole)))
  if (uneven > UNEVEN) {
    tell(
      onWarning,
      `the lengths of the rows differ (standard deviation ${Math.round(100 * uneven)} % of the mean): the dot product counts ` +
        `them, ${coarse} codes do not keep them. Pass renormalize: true to rank by cosine, or coarse: '${USUAL.rescore}'`,
    )
  }
}

/** Rows copied once. */
function held({ rows, dims, copyRows }: RowSource): RowSource {
  const data = new Float32Array(rows * dims)
  copyRows(0, rows, data, dims)
  return toRows({ data, dims: [rows, dims] }, 'embeddings')
}

function lengthsOf({ rows, dims, copyRows }: RowSource): Float64Array {
  const values = new Float32Array(rows * dims)
  copyRows(0, rows, values, dims)
  return squaresOf(values, rows, dims).map(Math.sqrt)
}

/** All but the few smallest and largest: one odd row of those looked at says nothing about the others. */
function withoutEnds(values: Float64Array): Float64Array {
  const ends = Math.ceil(values.length / 50)
  return values.slice().sort().subarray(ends, -ends)
}

function deviation(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
  return mean > 0 ? Math.sqrt(square) / mean : 0
}
