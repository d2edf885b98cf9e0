import { singularValues } from '../transform/fit/singular-values.js'
import type { FloatRows } from './floats.js'

/** Singular values of rows, not centred, largest first: `dims` of them, zeros behind where there are fewer rows. */
export function allSingularValues({ data, rows, dims }: FloatRows): Float64Array {
  const values = new Float64Array(dims)
  values.set(singularValues({ data, dims: [rows, dims] }))
  return values
}
