import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { encodeBytes } from '../esbuild.wasm.mjs'
import { decodeBytes } from '../src/kernels/embedded.js'

const all = Uint8Array.from({ length: 512 }, (_, i) => i ^ (i >> 8))

describe('a module as text', () => {
  it.each(['encode', 'search', 'linear'])('is the bytes of %s.wasm again once decoded', (name) => {
    const bytes = new Uint8Array(readFileSync(`build/${name}.wasm`))
    expect(decodeBytes(encodeBytes(bytes))).toEqual(bytes)
  })

  it('holds every byte beside every other', () => {
    const pairs = Uint8Array.from({ length: 2 * 65_536 }, (_, i) => (i & 1 ? i >> 1 : i >> 9))
    expect(decodeBytes(encodeBytes(pairs))).toEqual(pairs)
    expect(decodeBytes(encodeBytes(all))).toEqual(all)
    expect(decodeBytes('')).toEqual(new Uint8Array(0))
  })

  it('has no character that a string or a template would escape', () => {
    expect(encodeBytes(all)).toMatch(/^[ -~]+$/)
    expect(encodeBytes(all)).not.toMatch(/["'`\\$]/)
  })

  it('takes one character for the bytes that are most frequent in kernels, at most two for any', () => {
    expect(encodeBytes(Uint8Array.of(0xfd, 0, 0x20, 0x41))).toHaveLength(4)
    expect(encodeBytes(all)).toHaveLength(2 * (85 + 2 * 171))
  })
})
