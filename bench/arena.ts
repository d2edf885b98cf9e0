import kernelsWasm from '../build/kernels.wasm'
import readWasm from '../build/read.wasm'
import type { Kernels } from '../src/kernels/kernels.js'
import { moduleOf, type WasmSource } from '../src/kernels/modules.js'
import { planRegions, type Regions } from '../src/kernels/regions.js'

/** Loops that only read: what memory gives at most to one, four or eight streams. */
export interface ReadKernels {
  readStreams1(ptr: number, bytes: number): number
  readStreams4(ptr: number, bytes: number): number
  readStreams8(ptr: number, bytes: number): number
}

/** A memory with the library's kernels and the read-only loops over the same bytes. */
export interface Arena<Name extends string> {
  readonly buffer: ArrayBuffer
  readonly kernels: Kernels
  readonly read: ReadKernels
  readonly at: Regions<Name>
}

export function openArena<Name extends string>(sizes: Readonly<Record<Name, number>>): Arena<Name> {
  const at = planRegions(sizes)
  const pages = Math.ceil(at.end / 65_536)
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
  const open = (wasm: WasmSource) => new WebAssembly.Instance(moduleOf(wasm), { env: { memory } }).exports as unknown
  return {
    buffer: memory.buffer as ArrayBuffer,
    kernels: open(kernelsWasm) as Kernels,
    read: open(readWasm) as ReadKernels,
    at,
  }
}

/** Fills with seeded bytes, fast: xorshift over 32-bit words. */
export function fillBytes(bytes: Uint8Array, seed: number): Uint8Array {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2)
  // Odd and far apart: neighbouring seeds must not give the same bytes.
  let x = Math.imul(2 * seed + 1, 0x9e3779b9)
  for (let i = 0; i < words.length; i++) {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    words[i] = x
  }
  return bytes
}

/** Fills with seeded floats between -0.1 and 0.1, as the entries of unit embeddings are. */
export function fillFloats(values: Float32Array, seed: number): Float32Array {
  const words = new Int32Array(values.buffer, values.byteOffset, values.length)
  fillBytes(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), seed)
  for (let i = 0; i < values.length; i++) values[i] = words[i]! * (0.1 / 2147483648)
  return values
}
