import { readFileSync } from 'node:fs'
import { instantiateSync } from '@assemblyscript/loader'
import { expect } from 'vitest'
import type { Kernels } from '../../src/kernels/kernels.js'
import { openModules } from '../../src/kernels/modules.js'
import { referenceKernels } from '../../src/kernels/reference/reference.js'

export type Build = 'release' | 'debug'
export const BUILDS: readonly Build[] = ['release', 'debug']

/** The release build as the core carries it, in two parts. */
const FILES = { release: ['encode.wasm', 'search.wasm'], debug: ['kernels.debug.wasm'] }
const FIRST_BYTE = 65_536
/** Bytes between two regions: a kernel that writes outside its own hits one. */
const GAP_BYTES = 64
/** Bytes behind the last region that are held to their noise too: what lies further on no call comes near. */
const GUARD_BYTES = 65_536

/** The kernels of one build over a memory. The loader turns an assertion of the debug build into an Error. */
export function openBuild(build: Build, memory: WebAssembly.Memory): Kernels {
  const files = FILES[build].map((name) => readFileSync(new URL(`../../build/${name}`, import.meta.url)))
  if (build === 'debug') return instantiateSync(files[0]!, { env: { memory } }).exports as unknown as Kernels
  return openModules(
    files.map((bytes) => new WebAssembly.Module(bytes)),
    memory,
  )
}

/** What a call may leave different from the twin's: scratch, and float32 that agree to rounding only. */
export interface Tolerated {
  readonly scratch?: readonly [ptr: number, byteLength: number]
  readonly rounded?: readonly [ptr: number, floatCount: number, tolerance: number]
}

/** A memory full of noise in which one build and its twin do the same work: every byte they must not touch is a canary. */
export class Arena {
  readonly kernels: Kernels
  readonly #bytes: Uint8Array<ArrayBuffer>
  readonly #twinBytes: Uint8Array<ArrayBuffer>
  readonly #twin: Kernels
  readonly #noise: Uint8Array<ArrayBuffer>
  #end = FIRST_BYTE

  constructor(build: Build, byteLength: number) {
    const pages = Math.ceil(byteLength / 65_536) + 1
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
    this.kernels = openBuild(build, memory)
    this.#bytes = new Uint8Array(memory.buffer as ArrayBuffer)
    this.#twinBytes = new Uint8Array(memory.buffer.byteLength)
    this.#twin = referenceKernels(this.#twinBytes.buffer)
    this.#noise = Uint8Array.from(randomBytes(this.#bytes.length - FIRST_BYTE, 99))
    this.#bytes.set(this.#noise, FIRST_BYTE)
  }

  /** Forgets every region and fills what they took with noise. */
  clear(): this {
    this.#bytes.set(this.#noise.subarray(0, this.#guarded - FIRST_BYTE), FIRST_BYTE)
    this.#end = FIRST_BYTE
    return this
  }

  /** Where the bytes end that a call is held to. */
  get #guarded(): number {
    return Math.min(this.#end + GUARD_BYTES, this.#bytes.length)
  }

  /** Address of a region; `shift` takes it off its alignment by that many bytes. */
  space(byteLength: number, shift = 0): number {
    const ptr = this.#end + GAP_BYTES + shift
    this.#end = Math.ceil((ptr + byteLength) / 64) * 64
    if (this.#end + GAP_BYTES > this.#bytes.length) throw new Error(`the arena needs ${this.#end} bytes`)
    return ptr
  }

  put(data: ArrayBufferView, shift = 0): number {
    const ptr = this.space(data.byteLength, shift)
    this.#bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), ptr)
    return ptr
  }

  bytes(ptr: number, byteLength: number): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(ptr, ptr + byteLength)
  }

  words(ptr: number, count: number): number[] {
    return [...new Uint32Array(this.bytes(ptr, 4 * count).buffer)]
  }

  floats(ptr: number, count: number): number[] {
    return [...new Float32Array(this.bytes(ptr, 4 * count).buffer)]
  }

  /** Runs a call on the build and on the twin; afterwards both memories are the same, byte for byte. */
  agree<T>(call: (kernels: Kernels) => T, tolerated: Tolerated = {}): T {
    const [from, end] = [FIRST_BYTE, this.#guarded]
    this.#twinBytes.set(this.#bytes.subarray(from, end), from)
    const result = call(this.kernels)
    expect(call(this.#twin)).toBe(result)
    if (tolerated.rounded) {
      const [ptr, count, tolerance] = tolerated.rounded
      const expected = new Float32Array(this.#twinBytes.slice(ptr, ptr + 4 * count).buffer)
      for (const [i, value] of this.floats(ptr, count).entries()) {
        if (!(Math.abs(value - expected[i]!) <= tolerance)) expect(value, `float ${i}`).toBe(expected[i])
      }
      this.#twinBytes.set(this.bytes(ptr, 4 * count), ptr)
    }
    if (tolerated.scratch) {
      const [ptr, byteLength] = tolerated.scratch
      this.#twinBytes.set(this.bytes(ptr, byteLength), ptr)
    }
    const same = Buffer.compare(this.#bytes.subarray(from, end), this.#twinBytes.subarray(from, end)) === 0
    if (!same) {
      const at = this.#bytes.findIndex((byte, i) => i >= from && i < end && byte !== this.#twinBytes[i])
      expect.fail(`byte ${at} is ${this.#bytes[at]}, the twin's is ${this.#twinBytes[at]}`)
    }
    return result
  }
}

/** A seeded generator of uint32 (mulberry32). */
export function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
}

const known = new Map<string, Uint8Array<ArrayBuffer>>()

/** The builds and kernels of a file get the same bytes, so they are drawn once. */
export function randomBytes(count: number, seed: number): Uint8Array<ArrayBuffer> {
  const key = `${count} ${seed}`
  const bytes = known.get(key) ?? drawBytes(count, seed)
  known.set(key, bytes)
  return bytes.slice()
}

function drawBytes(count: number, seed: number): Uint8Array<ArrayBuffer> {
  const next = random(seed)
  const words = new Uint32Array(Math.ceil(count / 4))
  for (let i = 0; i < words.length; i++) words[i] = next()
  return new Uint8Array(words.buffer, 0, count)
}

/** Integers from -limit to limit. */
export function randomIntegers(count: number, limit: number, seed: number): number[] {
  const next = random(seed)
  return Array.from({ length: count }, () => (next() % (2 * limit + 1)) - limit)
}

/** Float32 from -1 to 1. */
export function randomFloats(count: number, seed: number): Float32Array<ArrayBuffer> {
  const next = random(seed)
  return new Float32Array(count).map(() => next() / 2 ** 31 - 1)
}
