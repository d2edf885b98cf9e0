import { checkSameDims } from '../base/check.js'
import { PackvecError } from '../base/errors.js'
import { Encoder, type EncoderRegion, encoderSizes, stagedRowBytes } from '../codes/encoder.js'
import { planRegions, type Regions } from '../kernels/regions.js'
import { backend, openWorkspace, type Workspace } from '../kernels/workspace.js'
import { type Embeddings, toRows } from '../rows/matrix.js'

export type RotationRegion = 'rotationMatrix' | 'rotationBuffer' | 'rotationScratch'
export type RotationRegions = Readonly<Record<RotationRegion, number>>

/** A rotation loaded into a memory. */
export interface OpenRotation {
  /** Rotates staged rows (`stagedRowBytes(dims)` apart) in place; the padding of a row stays zero. */
  rotate(stagedPtr: number, rowCount: number): void
}

/** What `rotateAll` needs of a rotation. */
export interface Rotatable {
  readonly dims: number
  sizes(rows: number): Record<RotationRegion, number>
  open(workspace: Workspace, regions: RotationRegions, inverse: boolean): OpenRotation
}

interface Scratch {
  readonly owner: Rotatable
  readonly inverse: boolean
  readonly workspace: Workspace
  readonly encoder: Encoder
  readonly rotation: OpenRotation
}

let scratch: Scratch | undefined

/**
 * All rows rotated, through the one workspace that rotations outside an index share, a chunk at a time.
 * @throws PackvecError DIMS_MISMATCH, NOT_FINITE, and those of the shape
 */
export function rotateAll(
  owner: Rotatable,
  embeddings: Embeddings,
  argument: string,
  inverse: boolean,
): { data: Float32Array<ArrayBuffer>; rows: number; dims: number } {
  const { dims } = owner
  const source = toRows(embeddings, argument)
  const { rows } = source
  if (rows > 0) checkSameDims(argument, source.dims, dims, 'the rotation')
  const data = new Float32Array(rows * dims)
  if (rows === 0) return { data, rows, dims }
  const { encoder, workspace, rotation } = openScratch(owner, inverse)
  const stride = stagedRowBytes(dims) / 4
  const stagedPtr = encoder.stagedPtr(0)
  encoder.forEachChunk(source, argument, (first, count) => {
    rotation.rotate(stagedPtr, count)
    if (workspace.kernels.firstNonFinite(stagedPtr, count * stride) >= 0) {
      throw new PackvecError('NOT_FINITE', argument, `${argument} overflow float32 when rotated: scale them down`)
    }
    const staged = new Float32Array(workspace.buffer, stagedPtr, count * stride)
    for (let i = 0; i < count; i++) data.set(staged.subarray(i * stride, i * stride + dims), (first + i) * dims)
  })
  return { data, rows, dims }
}

/** The last rotation used stays loaded. */
function openScratch(owner: Rotatable, inverse: boolean): Scratch {
  const name = backend()
  if (scratch?.owner === owner && scratch.inverse === inverse && scratch.workspace.backend === name) return scratch
  const rows = Number.MAX_SAFE_INTEGER
  const sizes = { ...encoderSizes(owner.dims, rows, 0), ...owner.sizes(rows) }
  const regions: Regions<EncoderRegion | RotationRegion> = planRegions(sizes)
  let workspace = scratch?.workspace
  if (workspace?.backend === name && workspace.buffer.byteLength >= regions.end) {
    // Rows of other dims left values where the padding of these rows must be zero.
    new Uint8Array(workspace.buffer, regions.staging, sizes.staging).fill(0)
  } else {
    workspace = openWorkspace(regions.end)
  }
  const rotation = owner.open(workspace, regions, inverse)
  scratch = { owner, inverse, workspace, encoder: new Encoder(workspace, regions, owner.dims, rows), rotation }
  return scratch
}
