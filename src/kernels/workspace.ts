import encodeWasm from '../../build/encode.wasm'
import searchWasm from '../../build/search.wasm'
import { checkOneOf, describe, fail, reading } from '../base/check.js'
import { PackvecError } from '../base/errors.js'
import { checkOptions, type OptionChecks } from '../base/options.js'
import type { EncodeKernels } from './encode-kernels.js'
import type { Kernels } from './kernels.js'
import { compiled, moduleOf, openModules, type WasmSource } from './modules.js'
import { referenceEncodeKernels } from './reference/encode.js'
import { referenceKernels } from './reference/reference.js'

/** What runs the kernels: WebAssembly with SIMD, or plain TypeScript where that is missing. */
export type Backend = 'wasm' | 'typescript'

/** How the Hamming scan counts bits: 64 at a time, or in 16 lanes of 8. */
export type PopcountForm = 'i64' | 'i8x16'

/** One memory of fixed size and the kernels that work on it. Dropping it frees both. */
export interface Workspace<K = Kernels> {
  readonly buffer: ArrayBuffer
  readonly kernels: K
  readonly backend: Backend
}

/** Opens kernels over a memory; `packvec/debug` puts the asserting build here. */
export type KernelSource = (memory: WebAssembly.Memory) => Kernels

const PAGE_BYTES = 65_536
/** A wasm memory ends at 4 GiB. */
const MAX_PAGES = 65_536

/** What `init` was given: all kernels in one module. */
let givenModule: WebAssembly.Module | undefined
let kernelSource: KernelSource | undefined
/** By `init`, or else by what the host compiles. */
let chosen: Backend | undefined
let possible: Backend | undefined
let popcount: PopcountForm | undefined

/** What runs the kernels; each has a default. */
export interface InitOptions {
  /** The compiled `packvec/kernels.wasm`, for hosts that refuse to compile bytes or to compile on the main thread. */
  readonly module?: WebAssembly.Module
  /** Forces a backend for everything opened from now on. */
  readonly backend?: Backend
  /**
   * Forces the form in which Hamming scans count bits, of which each has the same results; otherwise the first search of a
   * larger index times both (under 1 ms), and takes 'i64' where the host's clock cannot tell.
   */
  readonly popcount?: PopcountForm
}

const INIT_CHECKS: OptionChecks<InitOptions> = { module: checkModule, backend: true, popcount: true }

/** Optional: packvec starts by itself on first use. @throws PackvecError INVALID_ARGUMENT */
export function init(given?: InitOptions): void {
  const options = checkOptions(given, INIT_CHECKS)
  const { module, backend } = options
  if (options.popcount !== undefined) checkOneOf(options.popcount, ['i64', 'i8x16'], 'popcount')
  if (backend !== undefined) checkOneOf(backend, ['wasm', 'typescript'], 'backend')
  popcount = options.popcount ?? popcount
  givenModule = module ?? givenModule
  chosen = backend ?? (module === undefined ? chosen : 'wasm')
}

export function checkModule(module: unknown): void {
  // By its tag: edge hosts hand over modules of another realm, which are no instance of this one's class.
  if (Object.prototype.toString.call(module) !== '[object WebAssembly.Module]') {
    fail('INVALID_ARGUMENT', 'module', 'a WebAssembly.Module', describe(module))
  }
  const kernels = reading('module', () => WebAssembly.Module.exports(module as WebAssembly.Module))
  if (!kernels.some(({ name }) => name === 'selectBest')) {
    fail('INVALID_ARGUMENT', 'module', 'the compiled packvec/kernels.wasm', 'another module')
  }
}

/** Which backend runs: 'wasm', or 'typescript' where WebAssembly SIMD is missing or `init` said so. */
export function backend(): Backend {
  if (chosen !== undefined) return chosen
  possible ??= compiled(encodeWasm) === undefined ? 'typescript' : 'wasm'
  return possible
}

/** The form that `init` forced, if it did. */
export function forcedPopcount(): PopcountForm | undefined {
  return popcount
}

export function setKernelSource(source: KernelSource): void {
  kernelSource = source
}

/** A memory of at least `byteLength` bytes with the kernels that encode. @throws PackvecError TOO_LARGE, UNSUPPORTED */
export function openEncoding(byteLength: number): Workspace<EncodeKernels> {
  return openCore<EncodeKernels>(byteLength, [encodeWasm], referenceEncodeKernels)
}

/** The same with all kernels of the core. @throws PackvecError TOO_LARGE, UNSUPPORTED */
export function openWorkspace(byteLength: number): Workspace {
  // Some hosts compile small modules only.
  if (chosen === undefined && backend() === 'wasm' && compiled(searchWasm) === undefined) possible = 'typescript'
  return openCore<Kernels>(byteLength, [encodeWasm, searchWasm], referenceKernels)
}

function openCore<K>(
  byteLength: number,
  parts: readonly WasmSource[],
  reference: (buffer: ArrayBuffer) => K,
): Workspace<K> {
  const open =
    kernelSource ??
    ((memory: WebAssembly.Memory) =>
      openModules(givenModule === undefined ? parts.map(moduleOf) : [givenModule], memory))
  return allocate(byteLength, backend() === 'wasm' ? (open as (memory: WebAssembly.Memory) => K) : undefined, reference)
}

/**
 * The same over a module outside the core. Where the host cannot compile it, although the core has its own by `init`, the
 * plain TypeScript runs. @throws PackvecError TOO_LARGE, UNSUPPORTED
 */
export function openModule<K>(
  byteLength: number,
  wasm: WasmSource,
  reference: (buffer: ArrayBuffer) => K,
): Workspace<K> {
  const module = backend() === 'wasm' ? compiled(wasm) : undefined
  return allocate(byteLength, module && ((memory) => openModules<K>([module], memory)), reference)
}

function allocate<K>(
  byteLength: number,
  open: ((memory: WebAssembly.Memory) => K) | undefined,
  reference: (buffer: ArrayBuffer) => K,
): Workspace<K> {
  const pages = Math.ceil(byteLength / PAGE_BYTES)
  if (pages > MAX_PAGES) {
    throw new PackvecError('TOO_LARGE', 'embeddings', `the codes need ${byteLength} bytes, one memory holds 4 GiB`)
  }
  try {
    if (open === undefined) {
      const buffer = new ArrayBuffer(pages * PAGE_BYTES)
      return { buffer, kernels: reference(buffer), backend: 'typescript' }
    }
    // initial = maximum: the memory never grows, so no view of it is ever detached.
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
    return { buffer: memory.buffer as ArrayBuffer, kernels: open(memory), backend: 'wasm' }
  } catch (cause) {
    const { message } = cause as Error
    if (!(cause instanceof RangeError)) {
      const refusal = `this host refused to open the kernels (${message}): init({ backend: 'typescript' }) does without`
      throw new PackvecError('UNSUPPORTED', 'backend', refusal, { cause })
    }
    const shortage = `this host could not allocate ${pages * PAGE_BYTES} bytes: ${message}`
    throw new PackvecError('TOO_LARGE', 'embeddings', shortage, { cause })
  }
}
