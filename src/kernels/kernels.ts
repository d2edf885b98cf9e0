import type { EncodeKernels } from './encode-kernels.js'
import type { RotateKernels } from './rotate-kernels.js'
import type { SearchKernels } from './search-kernels.js'

/**
 * The boundary between TypeScript and the kernels: arithmetic on byte addresses in one memory, nothing else.
 *
 * Two implementations answer to it: the wasm in `assembly/` and the plain TypeScript of `reference/`. Both give the same
 * integers bit for bit; float sums agree to rounding (the order of addition differs).
 *
 * Layout rules, decided in `precision.ts`: a row of codes below 8 bits is a multiple of 8 bytes, a row of 8-bit codes a multiple of 16
 * bytes, a row of float32 a multiple of 64 bytes; what lies behind the last dimension is zero and never changes a result.
 * Addresses need no alignment. Inputs are finite.
 */
export interface Kernels extends EncodeKernels, SearchKernels, RotateKernels {}
