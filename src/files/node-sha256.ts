import * as crypto from 'node:crypto'
import type { NewHasher } from '../base/checksum.js'

/**
 * SHA-256 of node:crypto, which uses the instructions of the processor. Where Node can (from 20.12 on) a block is hashed at
 * once, and the digest comes as text: a block of 4 KiB takes 2.4 us, 2.9 us with a buffer that has to be collected, 3.3 us by
 * way of an object.
 */
export const nodeSha256: NewHasher = Object.assign(
  () => crypto.createHash('sha256'),
  typeof crypto.hash === 'function' && { once },
)

function once(bytes: Uint8Array): Uint8Array {
  const text = crypto.hash('sha256', bytes, 'binary')
  const digest = new Uint8Array(text.length)
  for (let i = 0; i < digest.length; i++) digest[i] = text.charCodeAt(i)
  return digest
}
