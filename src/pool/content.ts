import type { CodeColumn } from '../codes/column.js'
import type { RowGrowth } from '../search/build-plan.js'
import type { Recipe } from '../search/recipe.js'
import type { IndexExtras } from '../search/row-records.js'
import type { RowMap } from './row-map.js'

/** What an index is made of, beside its codes. */
export interface Content extends Recipe {
  /** How the workers call the index. */
  readonly number: number
  map: RowMap
  readonly growth: RowGrowth
  /** What the file of the index says of its rows beside. */
  readonly extras: IndexExtras | undefined
  /** Codebooks widen with the rows. */
  columns: readonly CodeColumn[]
}
