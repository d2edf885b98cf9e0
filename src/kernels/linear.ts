import linearWasm from '../../build/linear.wasm'
import type { LinearKernels } from './linear-kernels.js'
import { referenceLinearKernels } from './reference/linear.js'
import { openModule, type Workspace } from './workspace.js'

/** A memory of at least `byteLength` bytes with the kernels of linear algebra. @throws PackvecError TOO_LARGE */
export function openLinear(byteLength: number): Workspace<LinearKernels> {
  return openModule(byteLength, linearWasm, referenceLinearKernels)
}
