import type { RowSource } from '../rows/matrix.js'
import { centreDots, centreOf, type Transform, transformRows } from '../transform/transform.js'
import type { Queries } from './queries.js'

/** Queries as the codes of an index see them. @internal */
export function transformQueries(source: RowSource, transform: Transform): Queries {
  const rows = transformRows(source, transform, 'as is', 'query')
  const centre = centreOf(transform)
  if (centre === undefined) return { rows }
  // Rows were shifted before they were rotated: query · row = query' · row' + query · centre.
  const centred = transformRows(source, transform, transform.centre === undefined ? 'centred' : 'if nearer', 'query')
  return { rows, centred, offset: centreDots(source, transform, centre) }
}
