import { readFileSync } from 'node:fs'
import { type EigenRegion, eigenScratchBytes, type LinearKernels, paddedF64 } from '../../src/kernels/linear-kernels.js'
import { referenceLinearKernels } from '../../src/kernels/reference/linear.js'
import { referenceRotateKernels } from '../../src/kernels/reference/rotate.js'
import { planRegions, type Regions } from '../../src/kernels/regions.js'
import type { RotateKernels } from '../../src/kernels/rotate-kernels.js'
import { randomSource } from '../random.js'

/** What applies rotations stands in the core's module, the rest in one of its own. */
const modules = ['build/kernels.wasm', 'build/linear.wasm'].map((path) => new WebAssembly.Module(readFileSync(path)))

export interface Arena<Name extends string> {
  readonly kernels: LinearKernels & RotateKernels
  readonly buffer: ArrayBuffer
  readonly at: Regions<Name>
}

export type Backend = 'wasm' | 'typescript'

export function open<Name extends string>(backend: Backend, sizes: Record<Name, number>): Arena<Name> {
  const at = planRegions(sizes)
  const pages = Math.ceil(at.end / 65_536)
  if (backend === 'typescript') {
    const buffer = new ArrayBuffer(pages * 65_536)
    return { kernels: { ...referenceLinearKernels(buffer), ...referenceRotateKernels(buffer) }, buffer, at }
  }
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
  const exported = modules.map((module) => new WebAssembly.Instance(module, { env: { memory } }).exports)
  const kernels = Object.assign({}, ...exported) as LinearKernels & RotateKernels
  return { kernels, buffer: memory.buffer as ArrayBuffer, at }
}

/** Region names of a call, where every region is followed by a canary of 64 bytes. */
export type Guarded<Name extends string> = Name | `${Name}Canary`

/**
 * Runs a call on both backends over the same input: every byte of every output agrees, and every canary is whole. Returns
 * the wasm's arena.
 */
export function onBoth<Name extends string>(
  sizes: Record<Name, number>,
  outputs: NoInfer<Name>[],
  call: (arena: Arena<Name>) => void,
): Arena<Name> {
  const guarded: Record<string, number> = {}
  for (const [name, bytes] of Object.entries<number>(sizes)) {
    guarded[name] = bytes
    guarded[`${name}Canary`] = 64
  }
  const [wasm, typescript] = (['wasm', 'typescript'] as const).map((backend) => {
    const arena = open(backend, guarded) as unknown as Arena<Guarded<Name>>
    for (const name of Object.keys(sizes) as Name[]) canary(arena, name, sizes[name]).fill(0xa5)
    call(arena as unknown as Arena<Name>)
    for (const name of Object.keys(sizes) as Name[]) {
      if (canary(arena, name, sizes[name]).some((byte) => byte !== 0xa5)) {
        throw new Error(`${backend} wrote behind ${name}`)
      }
    }
    return arena as unknown as Arena<Name>
  })
  for (const name of outputs) {
    const bytes = sizes[name]
    const expected = new Uint8Array(typescript!.buffer, typescript!.at[name], bytes)
    const found = new Uint8Array(wasm!.buffer, wasm!.at[name], bytes)
    const i = found.findIndex((byte, position) => byte !== expected[position])
    if (i >= 0) throw new Error(`wasm and TypeScript differ in byte ${i} of ${name}`)
  }
  return wasm!
}

/** From the last byte of a region to the end of its canary: no byte in between is written either. */
function canary<Name extends string>(arena: Arena<Guarded<Name>>, name: Name, bytes: number): Uint8Array {
  const from = arena.at[name] + bytes
  const canaryPtr = (arena.at as Readonly<Record<string, number>>)[`${name}Canary`]!
  return new Uint8Array(arena.buffer, from, canaryPtr + 64 - from)
}

export function f32(arena: { buffer: ArrayBuffer }, ptr: number, length: number): Float32Array {
  return new Float32Array(arena.buffer, ptr, length)
}

export function f64(arena: { buffer: ArrayBuffer }, ptr: number, length: number): Float64Array {
  return new Float64Array(arena.buffer, ptr, length)
}

export function normals(count: number, seed: number): Float64Array {
  const random = randomSource(seed)
  return Float64Array.from({ length: count }, () => {
    return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  })
}

/** rows x dims of the source as float32 rows of `rowBytes`, zero behind the last dimension. */
export function putRows(target: Float32Array, source: ArrayLike<number>, dims: number, rowBytes: number): void {
  for (let i = 0; i < source.length; i++) target[Math.floor(i / dims) * (rowBytes / 4) + (i % dims)] = source[i]!
}

/** rows x columns of the source as a float64 matrix of `paddedF64(columns)`. */
export function putMatrix(target: Float64Array, source: ArrayLike<number>, columns: number): void {
  for (let i = 0; i < source.length; i++)
    target[Math.floor(i / columns) * paddedF64(columns) + (i % columns)] = source[i]!
}

export function openEigen(backend: Backend, dims: number, matrix: ArrayLike<number>): Arena<EigenRegion> {
  const arena = open(backend, eigenScratchBytes(dims))
  putMatrix(f64(arena, arena.at.matrix, paddedF64(dims) * dims), matrix, dims)
  return arena
}

/** X^T X / rows of normal rows, of which the columns are weighted from `spread` to 1: dims x dims. */
export function covariance(rows: number, dims: number, seed: number, spread = 0.1): Float64Array {
  const x = normals(rows * dims, seed)
  const out = new Float64Array(dims * dims)
  for (let i = 0; i < dims; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0
      for (let r = 0; r < rows; r++) sum += x[r * dims + i]! * x[r * dims + j]!
      const weight = (spread + ((1 - spread) * i) / dims) * (spread + ((1 - spread) * j) / dims)
      out[i * dims + j] = out[j * dims + i] = (sum * weight) / rows
    }
  }
  return out
}

/** Largest entry of |M^T M - I|, in float64. */
export function orthogonality({ matrix: m, dims }: { readonly matrix: Float32Array; readonly dims: number }): number {
  let largest = 0
  for (let i = 0; i < dims; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = i === j ? -1 : 0
      for (let d = 0; d < dims; d++) sum += m[i * dims + d]! * m[j * dims + d]!
      largest = Math.max(largest, Math.abs(sum))
    }
  }
  return largest
}
