import type { CodeColumn } from '../codes/column.js'
import type { RowGrowth } from '../search/build-plan.js'
import type { IndexExtras } from '../search/row-records.js'
import type { Stages } from '../search/stages.js'
import type { Transform } from '../transform/transform.js'
import type { RowMap } from './row-map.js'

/** What an index is made of, beside its codes. */
export interface Content {
  /** How the workers call the index. */
  readonly number: number
  readonly stages: Stages
  readonly transform: Transform
  map: RowMap
  readonly growth: RowGrowth
  /** What the file of the index says of its rows beside. */
  readonly extras: IndexExtras | undefined
  /** Codebooks widen with the rows. */
  columns: readonly CodeColumn[]
}
