import { throwIfAborted } from '../base/abort.js'
import { checkOneOf, reading } from '../base/check.js'
import { checkOptions } from '../base/options.js'
import type { RowSource } from '../rows/matrix.js'
import { itqRotationAsync } from '../transform/fit/itq.js'
import { randomRotation } from '../transform/fit/random-rotation.js'
import { svdRotationAsync } from '../transform/fit/svd.js'
import { Rotation } from '../transform/rotation.js'
import { type Transform, transformRows } from '../transform/transform.js'
import { ROTATION_CHECKS, type RotationRequest } from './options.js'

/** The rotation that was given, or makes the one that was asked for. */
export async function openRotation(
  rotation: Rotation | RotationRequest,
  kept: Transform,
  sample: () => Promise<RowSource>,
  signal: AbortSignal | undefined,
): Promise<Rotation> {
  const isMade = (one: Rotation | RotationRequest): one is Rotation => reading('rotation', () => 'apply' in one)
  // What is no rotation is refused where it is put into the transform.
  if (typeof rotation === 'object' && rotation !== null && isMade(rotation)) return rotation
  const { kind, seed = 0, center = false } = checkOptions(rotation as RotationRequest, ROTATION_CHECKS, 'rotation')
  checkOneOf(kind, ['svd', 'hadamard', 'random', 'itq'], 'rotation.kind')
  const { dims } = kept
  if (kind === 'hadamard') return Rotation.hadamard(dims, { seed })
  if (kind === 'random') return randomRotation(dims, { seed })
  const rows = transformRows(await sample(), kept, 'centred', 'embeddings')
  const data = new Float32Array(rows.rows * dims)
  rows.copyRows(0, rows.rows, data, dims)
  const matrix = { data, dims: [rows.rows, dims] }
  try {
    if (kind === 'itq') return await itqRotationAsync(matrix, { seed, signal })
    return await svdRotationAsync(matrix, { center, signal })
  } catch (error) {
    throwIfAborted(signal)
    throw error
  }
}
