import { rotateScratchBytes } from '../kernels/rotate-kernels.js'
import type { Workspace } from '../kernels/workspace.js'
import type { OpenRotation, RotationRegion, RotationRegions } from './rotate-all.js'

/** Rows rotated at a time, out of place and back: they are in the cache when they are copied. */
const BUFFER_ROWS = 64

export function denseSizes(rowBytes: number, rows: number): Record<RotationRegion, number> {
  return {
    rotationMatrix: rowBytes * (rowBytes / 4),
    rotationBuffer: rowBytes * Math.max(1, Math.min(rows, BUFFER_ROWS)),
    rotationScratch: rotateScratchBytes(rowBytes),
  }
}

/** Loads a matrix (dims x dims), transposed for the inverse; the rotation then works in place on rows of `rowBytes`. */
export function openDense(
  { kernels, buffer }: Workspace,
  { rotationMatrix, rotationBuffer, rotationScratch }: RotationRegions,
  matrix: Float32Array,
  dims: number,
  rowBytes: number,
  inverse: boolean,
): OpenRotation {
  const bytes = new Uint8Array(buffer)
  const stride = rowBytes / 4
  const loaded = new Float32Array(buffer, rotationMatrix, stride * stride).fill(0)
  for (let row = 0; row < dims; row++) {
    for (let column = 0; column < dims; column++) {
      loaded[row * stride + column] = matrix[inverse ? column * dims + row : row * dims + column]!
    }
  }
  return {
    rotate(stagedPtr, rowCount) {
      for (let first = 0; first < rowCount; first += BUFFER_ROWS) {
        const count = Math.min(BUFFER_ROWS, rowCount - first)
        const ptr = stagedPtr + first * rowBytes
        kernels.rotateRows(ptr, rowBytes, count, rotationMatrix, rotationBuffer, rowBytes, rotationScratch)
        bytes.copyWithin(ptr, rotationBuffer, rotationBuffer + count * rowBytes)
      }
    },
  }
}
