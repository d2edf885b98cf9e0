import { describe, fail, reading } from '../base/check.js'
import { PackvecError } from '../base/errors.js'
import type { FloatRows } from './floats.js'
import type { FittedTechnique } from './technique.js'
import type { EvaluationRow, EvaluationScoring, TaskSummary } from './types.js'

/** What one run of a task on one technique measures. */
export type Measurement = Omit<
  EvaluationRow,
  'task' | 'technique' | 'rotation' | 'retention' | 'sizeMultiplier' | 'cached'
>

export interface MeasureOptions {
  readonly scorings: readonly EvaluationScoring[]
  readonly multipliers: readonly number[]
}

/** A task whose input has been read and checked. */
export interface PreparedTask {
  readonly summary: Omit<TaskSummary, 'calibration'>
  /** All that the results depend on but technique, calibration and seed: arrays by content, settings as JSON. */
  readonly inputs: readonly (ArrayBufferView | string)[]
  /** The embeddings to calibrate on if the caller named none. */
  readonly ownCalibration: { readonly rows: FloatRows; readonly name: string; readonly isTestSet: boolean }
  measure(fitted: FittedTechnique, options: MeasureOptions): Measurement[]
}

/** Runs something and tells the milliseconds. */
export function timed<T>(run: () => T): { result: T; ms: number } {
  const begun = performance.now()
  const result = run()
  return { result, ms: performance.now() - begun }
}

/** Checks for one entry per row. @throws PackvecError INVALID_ARGUMENT with both numbers */
export function checkOnePerRow(list: ArrayLike<unknown>, argument: string, rows: number, owner: string): void {
  const length = reading(argument, () => list?.length)
  if (typeof length !== 'number') fail('INVALID_ARGUMENT', argument, 'a list', describe(list))
  if (length === rows) return
  const message = `${argument} has ${length} entries, ${owner} has ${rows} rows`
  throw new PackvecError('INVALID_ARGUMENT', argument, message)
}
