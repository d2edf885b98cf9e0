import { readFileSync } from 'node:fs'
import { backend, type Workspace } from '../src/workspace.js'

/** Loops that only read: what memory gives at most to one, four or eight streams. */
export interface ReadKernels {
  readStreams1(ptr: number, bytes: number): number
  readStreams4(ptr: number, bytes: number): number
  readStreams8(ptr: number, bytes: number): number
}

/** A memory with the library's kernels and the read-only loops over the same bytes. */
export interface Arena extends Workspace {
  readonly read: ReadKernels
}

export function openArena(bytes: number): Arena {
  const pages = Math.ceil(bytes / 65_536) + 1
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
  const load = (name: string) => {
    const module = new WebAssembly.Module(readFileSync(new URL(name, import.meta.url)))
    return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown
  }
  return {
    buffer: memory.buffer as ArrayBuffer,
    backend: backend(),
    kernels: load('kernels.wasm') as Workspace['kernels'],
    read: load('read.wasm') as ReadKernels,
  }
}

/** Fills with seeded bytes, fast: xorshift over 32-bit words. */
export function fillBytes(bytes: Uint8Array, seed: number): Uint8Array {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2)
  let x = seed | 1
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
