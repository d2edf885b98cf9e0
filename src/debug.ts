/**
 * `packvec` over kernels that were compiled with assertions: slower, and an error of ours in a kernel says where it is.
 *
 * @module packvec/debug
 */

import { instantiateSync } from '@assemblyscript/loader'
import debugWasm from '../build/kernels.debug.wasm'
import type { Kernels } from './kernels/kernels.js'
import { setKernelSource } from './kernels/workspace.js'

const debugModule = debugWasm()

// The loader lifts an assertion to an error that says what was asserted and where: abort: ... at assembly/hamming.ts:8
setKernelSource((memory) => instantiateSync(debugModule, { env: { memory } }).exports as unknown as Kernels)

export * from './index.js'
