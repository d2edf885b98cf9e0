import { checkBoolean, checkCount, checkFunction, checkSignal } from '../base/check.js'
import type { OptionChecks } from '../base/options.js'
import { checkSeed } from '../base/random.js'
import { CODE_CHECKS, type CodeOptions } from '../codes/code-options.js'
import { checkPath } from '../files/path.js'
import { checkIds } from '../rows/check-ids.js'
import type { Id } from '../rows/ids.js'
import type { Embeddings } from '../rows/matrix.js'
import type { StageChoice } from '../search/build-plan.js'
import type { Rotation, RotationKind } from '../transform/rotation.js'
import { TRANSFORM_CHECKS, type TransformOptions } from '../transform/transform.js'
import type { ProgressListener } from './progress.js'

/** How a caller follows and stops work on an index file. */
export interface WorkOptions {
  /** Hears how far the work is, ten times a second at most. */
  readonly onProgress?: ProgressListener
  /** Ends the work with a PackvecError ABORTED; the file stays as it was. */
  readonly signal?: AbortSignal
}

export const WORK_CHECKS: OptionChecks<WorkOptions> = { onProgress: checkFunction, signal: checkSignal }

/** How a caller follows and stops a change of an index file, and how long the change waits for others. */
export interface WriteOptions extends WorkOptions {
  /**
   * Milliseconds to wait for another call or process that writes this file, 60,000 by default; 0 does not wait. The time
   * starts again with each earlier writer. Then the call ends with `LOCKED`, and nothing has changed.
   */
  readonly lockTimeout?: number
}

export const WRITE_CHECKS: OptionChecks<WriteOptions> = {
  ...WORK_CHECKS,
  lockTimeout: (value, name) => checkCount(value, name, 0),
}

/** Ids of rows, one after the other. A string is refused, though it is an iterable of strings. */
export type Ids = BatchIds | (AsyncIterable<Id> & object)

/** Ids of the rows of a batch. A string is refused, though it is an iterable of strings. */
export type BatchIds = Iterable<Id> & object

/** Some embeddings, with the ids of their rows if the index has ids. */
export interface Batch {
  readonly embeddings: Embeddings
  readonly ids?: BatchIds
}

/**
 * Where rows come from: `.npy` files (float16, float32, float64; rows x dims) by their paths, or batches of embeddings as
 * they come, one after the other.
 */
export type RowsInput = string | readonly string[] | Iterable<Embeddings | Batch> | AsyncIterable<Embeddings | Batch>

/** A rotation that the builder makes: 'svd' and 'itq' from the sample, 'hadamard' and 'random' from the seed. */
export interface RotationRequest {
  readonly kind: RotationKind
  /** Of hadamard, random and itq; 0 by default. */
  readonly seed?: number
  /** svd: about the mean of the sample. */
  readonly center?: boolean
}

export const ROTATION_CHECKS: OptionChecks<RotationRequest> = { kind: true, seed: checkSeed, center: checkBoolean }

/** What codes an index has. */
export interface CodingOptions extends CodeOptions, StageChoice, Omit<TransformOptions, 'rotation'> {
  /**
   * What ranges, levels, percentiles and fitted rotations are taken from where nobody gives them. 'all' (default): minima and
   * maxima of all rows, the others of at most 16,384 rows, evenly spaced, as `QuantizedIndex.build` does. `{ sample, seed }`:
   * all of them from so many rows, drawn at random.
   */
  readonly calibrateOn?: 'all' | { readonly sample: number; readonly seed?: number }
  readonly rotation?: Rotation | RotationRequest
}

export const CODING_CHECKS: OptionChecks<CodingOptions> = {
  ...CODE_CHECKS,
  ...TRANSFORM_CHECKS,
  coarse: true,
  rescore: true,
  calibrateOn: true,
  rotation: true,
}

export interface BuildIndexOptions extends CodingOptions, WriteOptions {
  /** Path of an index whose precisions, ranges, levels and rotation are taken; no option of codes goes with it. */
  readonly like?: string
  /** Ids of all rows, all numbers below 2^32 or all texts; row numbers by default. */
  readonly ids?: Ids
  /** Texts of your own to keep in the file. */
  readonly metadata?: Readonly<Record<string, string>>
}

export const BUILD_INDEX_CHECKS: OptionChecks<BuildIndexOptions> = {
  ...CODING_CHECKS,
  ...WRITE_CHECKS,
  like: checkPath,
  ids: checkIds,
  metadata: true,
}

export interface AppendOptions extends WriteOptions {
  /** Ids of the new rows, of the kind that the index has. */
  readonly ids?: Ids
  /** Leaves ranges as they are instead of widening them for the new rows: for files that are searched as one with others. */
  readonly keepRanges?: boolean
  /** Gets each warning as a sentence; `console.warn` by default. */
  readonly onWarning?: (message: string) => void
}

export const APPEND_CHECKS: OptionChecks<AppendOptions> = {
  ...WRITE_CHECKS,
  ids: checkIds,
  keepRanges: checkBoolean,
  onWarning: checkFunction,
}

export interface DeleteOptions extends WriteOptions {
  /** Passes over ids that the index does not have. */
  readonly ignoreMissing?: boolean
}

export const DELETE_CHECKS: OptionChecks<DeleteOptions> = { ...WRITE_CHECKS, ignoreMissing: checkBoolean }
