import { nodeSha256 } from '../files/node-sha256.js'
import { checkPath, pathOfUrl } from '../files/path.js'
import { decodeIndexWith, encodeIndexWith } from '../index-file/encode-index.js'
import type { QuantizedIndex } from '../search/quantized-index.js'
import { NodeFileSource } from '../sources/node-source.js'
import { openIndexOn } from './open-index.js'
import type { IndexSource, OpenOptions, StorageHost } from './open-options.js'
import type { StoredIndex } from './stored-index.js'

// The functions of portable.ts in Node: the same with files, and with the SHA-256 of node:crypto.

const host: StorageHost = {
  newHasher: nodeSha256,
  openPath: (path) => NodeFileSource.open(pathOf(path)),
}

function pathOf(location: string | URL): string {
  const isUrl = typeof location === 'string' && /^\s*file:/i.test(location)
  return isUrl ? pathOfUrl(location, 'source') : checkPath(location, 'source')
}

export function openIndex(source: IndexSource | readonly IndexSource[], options?: OpenOptions): Promise<StoredIndex> {
  return openIndexOn(host, source, options)
}

export function encodeIndex(index: QuantizedIndex): Uint8Array<ArrayBuffer> {
  return encodeIndexWith(index, nodeSha256)
}

export function decodeIndex(bytes: Uint8Array | ArrayBuffer): QuantizedIndex {
  return decodeIndexWith(bytes, nodeSha256)
}
