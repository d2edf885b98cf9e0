import { seededWords } from '../base/random.js'
import type { Workspace } from '../kernels/workspace.js'
import type { OpenRotation, RotationRegion, RotationRegions } from './rotate-all.js'

/** A randomised Hadamard map: which window of a row each step transforms, and with which signs. */
export interface HadamardPlan {
  readonly dims: number
  /** Width of every window: the largest power of two up to `dims`, so more than half of them. */
  readonly blockDims: number
  /** First dimension of each step's window. */
  readonly offsets: readonly number[]
  /** +1 and -1: `blockDims` a step. */
  readonly signs: Float32Array
}

/**
 * Two rounds; a round transforms the first `blockDims` dimensions of a row, then the last: the windows overlap, so that
 * both sides mix. Where `dims` is a power of two they are one window, transformed once a round. Between the rounds a row
 * is shifted cyclically by half a window, so that what one half of it holds meets both windows: after the second
 * round each dimension has 0.75 to 1.18 of an equal share of the energy of any unit vector, whatever the dims, where disjoint
 * blocks of the binary expansion of `dims` would leave some dimensions alone. Random signs make the sums of the second
 * round near normal; a single round maps sparse vectors to few values, many of them zero.
 */
export function planHadamard(dims: number, seed: number): HadamardPlan {
  const { blockDims, offsets } = windows(dims)
  const words = seededWords(seed)
  const signs = new Float32Array(offsets.length * blockDims)
  // The top bit of each word.
  for (let i = 0; i < signs.length; i++) signs[i] = words() >>> 31 === 0 ? 1 : -1
  return { dims, blockDims, offsets, signs }
}

/** Signs, behind them a window of ones for the inverse, and room for the end of a row that is shifted. */
export function hadamardSizes(dims: number): Record<RotationRegion, number> {
  const { blockDims, offsets } = windows(dims)
  return { rotationMatrix: 4 * (offsets.length + 1) * blockDims, rotationBuffer: 4 * blockDims, rotationScratch: 0 }
}

/** Loads the signs; the rotation then works in place. */
export function openHadamard(
  { kernels, buffer }: Workspace,
  { rotationMatrix, rotationBuffer }: RotationRegions,
  plan: HadamardPlan,
  rowBytes: number,
  inverse: boolean,
): OpenRotation {
  const { dims, blockDims, offsets, signs } = plan
  const scale = 1 / Math.sqrt(blockDims)
  const half = offsets.length / 2
  // One window holds all dimensions of a power of two: nothing to carry over.
  const shift = blockDims === dims ? 0 : blockDims / 2
  const signsPtr = (step: number) => rotationMatrix + 4 * step * blockDims
  const onesPtr = signsPtr(offsets.length)
  new Float32Array(buffer, rotationMatrix, signs.length + blockDims).fill(1).set(signs)

  const forward = (rowsPtr: number, rowCount: number) => {
    for (const [step, offset] of offsets.entries()) {
      if (step === half) shiftRows(buffer, rotationBuffer, rowsPtr, rowBytes, rowCount, dims, shift)
      kernels.hadamardRows(rowsPtr + 4 * offset, rowBytes, rowCount, blockDims, 1, signsPtr(step), scale)
    }
  }
  // The Hadamard matrix is its own inverse; the signs follow it as blocks of one.
  const backward = (rowsPtr: number, rowCount: number) => {
    for (let step = offsets.length - 1; step >= 0; step--) {
      const windowPtr = rowsPtr + 4 * offsets[step]!
      kernels.hadamardRows(windowPtr, rowBytes, rowCount, blockDims, 1, onesPtr, scale)
      kernels.hadamardRows(windowPtr, rowBytes, rowCount, 1, blockDims, signsPtr(step), 1)
      if (step === half) shiftRows(buffer, rotationBuffer, rowsPtr, rowBytes, rowCount, dims, -shift)
    }
  }
  return { rotate: inverse ? backward : forward }
}

function windows(dims: number): { blockDims: number; offsets: number[] } {
  const blockDims = 2 ** (31 - Math.clz32(dims))
  const round = blockDims === dims ? [0] : [0, dims - blockDims]
  return { blockDims, offsets: [...round, ...round] }
}

/** Moves the values of each row `shift` dimensions up, or down if it is negative; values that fall off come in at the other end. */
function shiftRows(
  buffer: ArrayBuffer,
  sparePtr: number,
  rowsPtr: number,
  rowBytes: number,
  rowCount: number,
  dims: number,
  shift: number,
): void {
  if (shift === 0) return
  const bytes = new Uint8Array(buffer)
  const dimBytes = 4 * dims
  const moved = 4 * Math.abs(shift)
  for (let ptr = rowsPtr; ptr < rowsPtr + rowCount * rowBytes; ptr += rowBytes) {
    const end = ptr + dimBytes
    if (shift > 0) {
      bytes.copyWithin(sparePtr, end - moved, end)
      bytes.copyWithin(ptr + moved, ptr, end - moved)
      bytes.copyWithin(ptr, sparePtr, sparePtr + moved)
    } else {
      bytes.copyWithin(sparePtr, ptr, ptr + moved)
      bytes.copyWithin(ptr, ptr + moved, end)
      bytes.copyWithin(end - moved, sparePtr, sparePtr + moved)
    }
  }
}
