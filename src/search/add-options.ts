import type { OptionChecks } from '../base/options.js'
import { failIdsGiven } from '../rows/check-ids.js'
import type { Id } from '../rows/ids.js'
import type { IndexExtras } from './row-records.js'

/** Options of adding rows to an index. */
export interface AddOptions {
  /** Dimensions of a row, for flat arrays. */
  readonly dims?: number
  /**
   * For an index that was loaded from a file with ids: one for each row, numbers or texts as the file has them, which no
   * other row has, unless it is deleted. Indexes without ids number their rows.
   */
  readonly ids?: Iterable<Id>
}

export const ADD_CHECKS: OptionChecks<AddOptions> = { dims: true, ids: true }

/** Checks the ids of rows that are to be added; the function it gives adds them. @throws PackvecError INVALID_ARGUMENT */
export function extendIds(extras: IndexExtras | undefined, rows: number, ids: AddOptions['ids']): () => void {
  if (extras !== undefined) return extras.extend(rows, ids)
  if (ids !== undefined) failIdsGiven()
  return () => {}
}
