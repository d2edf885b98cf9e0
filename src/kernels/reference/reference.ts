import type { Kernels } from '../kernels.js'
import { referenceEncodeKernels } from './encode.js'
import { referenceRotateKernels } from './rotate.js'
import { referenceSearchKernels } from './search.js'

/** The kernels in plain TypeScript over the same memory layout: the oracle of the tests, and what runs without SIMD. */
export function referenceKernels(buffer: ArrayBuffer): Kernels {
  return { ...referenceEncodeKernels(buffer), ...referenceSearchKernels(buffer), ...referenceRotateKernels(buffer) }
}
