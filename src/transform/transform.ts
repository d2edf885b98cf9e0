import { checkBoolean, checkCount, checkSameDims, describe, fail, failNotFinite, reading } from '../base/check.js'
import { checkOptions, DIMS_CHECKS, type OptionChecks } from '../base/options.js'
import { type Embeddings, evenSample, numberOf, type RowSource, toRows } from '../rows/matrix.js'
import { givenCentre, meanOf, SAMPLE_ROWS } from './centre.js'
import type { RotatedEmbeddings, Rotation } from './rotation.js'

/** What happens to embeddings before they are encoded, in this order; queries go the same way. */
export interface Transform {
  /** Dimensions of the embeddings that come in. */
  readonly inputDims: number
  /** Dimensions kept: the first ones, as Matryoshka models train them. */
  readonly dims: number
  /** Whether the kept dimensions are brought to length 1. */
  readonly renormalize: boolean
  /** What is subtracted from rows before they are rotated; the rotation's own centre where this is undefined. */
  readonly centre?: Float32Array | undefined
  /** An orthogonal map of the kept dimensions. */
  readonly rotation: Rotation | undefined
}

/** What embeddings pass through before they are encoded, in this order; queries too. */
export interface TransformOptions {
  /** Keeps the first dimensions only (Matryoshka models). */
  readonly truncate?: number
  /** Brings the (truncated) embeddings to length 1, so that the dot product is the cosine. */
  readonly renormalize?: boolean
  /**
   * Subtracts the mean of the rows, or the numbers given, before rows are encoded: for bits of embeddings whose dimensions have
   * one sign in most rows. Scores are still those of the original embeddings.
   */
  readonly center?: boolean | ArrayLike<number>
  /** An orthogonal map that is applied to embeddings and queries; see `Rotation` and `packvec/rotations`. */
  readonly rotation?: Rotation
}

export const TRANSFORM_CHECKS: OptionChecks<TransformOptions> = {
  truncate: checkCount,
  renormalize: checkBoolean,
  center: true,
  rotation: true,
}

/**
 * Whether rows are shifted by the centre: what is encoded is, a query for decoded rows is not, a query to compare with codes is
 * where that brings it nearer to zero. Queries need not have the mean of the rows.
 */
export type Shift = 'centred' | 'as is' | 'if nearer'

/**
 * The rows as the codes see them: truncated, renormalised, shifted, rotated, a chunk at a time. Rows that have only the kept
 * dimensions already are taken as truncated.
 */
export function transformRows(source: RowSource, transform: Transform, shift: Shift, argument: string): RowSource {
  const { dims, renormalize, rotation } = transform
  const centre = shift === 'as is' ? undefined : centreOf(transform)
  if (source.dims === dims && !renormalize && rotation === undefined && centre === undefined) return source
  const half = centre && dot(centre, centre) / 2
  return {
    ...source,
    dims,
    copyRows(first, count, target, stride) {
      const whole = new Float32Array(count * source.dims)
      source.copyRows(first, count, whole, source.dims)
      const kept = new Float32Array(count * dims)
      for (let i = 0; i < count; i++) {
        const row = whole.subarray(i * source.dims, i * source.dims + dims)
        checkFinite(row, numberOf(source, first + i), argument)
        if (renormalize) normalize(row)
        if (centre !== undefined && (shift === 'centred' || dot(row, centre) >= half!)) {
          for (let d = 0; d < dims; d++) row[d]! -= centre[d]!
        }
        kept.set(row, i * dims)
      }
      const rotated = rotation === undefined ? kept : rotation.apply({ data: kept, dims: [count, dims] }).data
      for (let i = 0; i < count; i++) target.set(rotated.subarray(i * dims, (i + 1) * dims), i * stride)
    },
  }
}

/**
 * Embeddings as an index with these options encodes them: truncated, renormalised, less the centre if there is one (with
 * `center: true` the mean of these embeddings), rotated. Rows x dims, with the dimensions that are kept.
 * @param options.dims width of a row, if `embeddings` is a flat array of several rows
 * @throws PackvecError NOT_FINITE, DIMS_MISMATCH, and those of the shape
 */
export function transformEmbeddings(
  embeddings: Embeddings,
  options?: TransformOptions & { readonly dims?: number },
): RotatedEmbeddings {
  const { dims: width, ...given } = checkOptions(options, { ...TRANSFORM_CHECKS, ...DIMS_CHECKS })
  const source = toRows(embeddings, 'embeddings', width)
  const transform = centreOn(openTransform(source.dims, given), given, source, 'embeddings')
  const { rows, dims, copyRows } = transformRows(source, transform, 'centred', 'embeddings')
  const data = new Float32Array(rows * dims)
  for (let first = 0; first < rows; first += CHUNK_ROWS) {
    copyRows(first, Math.min(CHUNK_ROWS, rows - first), data.subarray(first * dims), dims)
  }
  return { data, rows, dims }
}

/** Rows transformed at a time, so that what comes in between stays small. */
const CHUNK_ROWS = 4096

/** Looked at before the rotation, which would spread one NaN over the row. */
function checkFinite(row: Float32Array, index: number, argument: string): void {
  for (let d = 0; d < row.length; d++) {
    if (!Number.isFinite(row[d])) failNotFinite(argument, row[d], index, d)
  }
}

function normalize(row: Float32Array): void {
  let square = 0
  for (const value of row) square += value * value
  if (square > 0) for (let d = 0; d < row.length; d++) row[d]! /= Math.sqrt(square)
}

/** Checks the options against the embeddings' dims. @throws PackvecError INVALID_ARGUMENT, DIMS_MISMATCH */
export function openTransform(inputDims: number, options: TransformOptions): Transform {
  const { truncate = inputDims, renormalize = false, rotation } = options
  const dims = checkCount(truncate, 'truncate')
  if (dims > inputDims)
    fail('DIMS_MISMATCH', 'truncate', `at most ${inputDims}, the dimensions of the embeddings`, String(dims))
  // Not instanceof: packvec/debug and packvec/rotations each bring the class.
  if (rotation !== undefined && !reading('rotation', () => isRotation(rotation))) {
    fail('INVALID_ARGUMENT', 'rotation', 'a Rotation', describe(rotation))
  }
  if (rotation !== undefined) checkSameDims('rotation', rotation.dims, dims, 'the embeddings')
  return { inputDims, dims, renormalize, rotation, centre: givenCentre(options.center, dims) }
}

/** The transform with the mean of a sample as its centre, if the options ask for it: truncated, not rotated. */
export function centreOn(
  transform: Transform,
  { center }: Pick<TransformOptions, 'center'>,
  sample: RowSource,
  argument: string,
): Transform {
  if (center !== true) return transform
  const rows = transformRows(evenSample(sample, SAMPLE_ROWS), { ...transform, rotation: undefined }, 'as is', argument)
  return { ...transform, centre: meanOf(rows) }
}

/** What is subtracted from the rows of an index. */
export function centreOf({ centre, rotation }: Transform): Float32Array | undefined {
  return centre ?? rotation?.centre
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let d = 0; d < b.length; d++) sum += a[d]! * b[d]!
  return sum
}

function isRotation(value: unknown): boolean {
  const { kind, dims, apply, open } = (value ?? {}) as Partial<Rotation>
  return (
    typeof kind === 'string' && typeof dims === 'number' && typeof apply === 'function' && typeof open === 'function'
  )
}

/** For each row of the source its dot with the centre, both unrotated. */
export function centreDots(source: RowSource, transform: Transform, centre: Float32Array): (row: number) => number {
  const unrotated = transformRows(source, { ...transform, rotation: undefined }, 'as is', 'query')
  const values = new Float32Array(transform.dims)
  return (row) => {
    unrotated.copyRows(row, 1, values, transform.dims)
    return values.reduce((sum, value, d) => sum + value * centre[d]!, 0)
  }
}
