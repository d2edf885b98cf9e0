import { afterEach, describe, expect, it, vi } from 'vitest'
import { decodeHex } from '../src/kernels/hex.js'

const all = Uint8Array.from({ length: 512 }, (_, i) => i ^ (i >> 8))
const text = Buffer.from(all).toString('hex')

describe('hexadecimal text', () => {
  const host = Uint8Array as { fromHex?: ((text: string) => Uint8Array) | undefined }
  const own = host.fromHex

  afterEach(() => {
    if (own === undefined) delete host.fromHex
    else host.fromHex = own
  })

  it('is decoded by a loop where the engine has nothing for it, every byte right', () => {
    host.fromHex = undefined
    expect(decodeHex(text)).toEqual(all)
    expect(decodeHex('')).toEqual(new Uint8Array(0))
  })

  it('is decoded by the engine where that can', () => {
    host.fromHex = vi.fn(() => all)
    expect(decodeHex(text)).toBe(all)
    expect(host.fromHex).toHaveBeenCalledWith(text)
  })
})
