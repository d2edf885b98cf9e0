import { BLOCK_BYTES, blockDigest, DIGEST_BYTES, type NewHasher } from '../base/checksum.js'
import { invalid } from '../base/invalid.js'
import { type IndexHeader, indexHeaderBytes, parseIndexHeader, type StoredTensor } from './header.js'

/** Longer headers take a second read. */
const HEAD_BYTES = 65_536

/** Reads the header of an index file and checks it. @throws PackvecError as `parseIndexHeader` does, and what `read` throws */
export async function readIndexHeader(
  byteLength: number,
  read: (target: Uint8Array) => Promise<void>,
  newHasher: NewHasher,
): Promise<IndexHeader> {
  let head = new Uint8Array(Math.min(HEAD_BYTES, byteLength))
  await read(head)
  const length = Math.min(indexHeaderBytes(head), byteLength)
  if (length > head.length) {
    head = new Uint8Array(length)
    await read(head)
  }
  return parseIndexHeader(head, byteLength, newHasher)
}

/** Compares the SHA-256 of a whole tensor with the header's. @throws PackvecError INVALID_FILE, naming the tensor */
export function checkSum({ name, sha256 }: StoredTensor, found: string, argument: string): void {
  if (found === sha256) return
  throw invalid(argument, `tensor ${name} is damaged: its SHA-256 is ${found}, but the header says ${sha256}`)
}

/** Compares a block of a tensor with its digest. @throws PackvecError INVALID_FILE, naming the tensor and the block */
export function checkBlock(
  { name, position }: StoredTensor,
  digests: Uint8Array,
  block: number,
  bytes: Uint8Array,
  newHasher: NewHasher,
  argument: string,
): void {
  const digest = blockDigest(bytes, newHasher)
  if (digest.every((byte, i) => byte === digests[DIGEST_BYTES * block + i])) return
  const from = position + BLOCK_BYTES * block
  const where = `bytes ${from} to ${from + bytes.length - 1} of the file`
  throw invalid(argument, `tensor ${name} is damaged in block ${block} (${where})`)
}
