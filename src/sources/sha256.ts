import { sha256 } from '@noble/hashes/sha2.js'
import type { NewHasher } from '../base/checksum.js'

/** SHA-256 in plain JavaScript: synchronous, in pieces, on every host. Node's own is faster, if there is one. */
export const portableSha256: NewHasher = () => sha256.create()
