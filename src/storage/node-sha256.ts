import { createHash } from 'node:crypto'
import type { NewHasher } from '../checksum.js'

/** SHA-256 of node:crypto, which uses the instructions of the processor. */
export const nodeSha256: NewHasher = () => createHash('sha256')
