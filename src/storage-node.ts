import type { QuantizedIndex } from './quantized-index.js'
import { nodeSha256 } from './storage/node-sha256.js'
import { NodeFileSource } from './storage/node-source.js'
import { checkPath, pathOfUrl } from './storage/path.js'
import { decodeIndexWith, encodeIndexWith } from './storage.js'
import { openIndexOn } from './stored/open-index.js'
import type { IndexSource, OpenOptions, StorageHost } from './stored/open-options.js'
import type { StoredIndex } from './stored-index.js'

// What `packvec/storage` is in Node: the same with files, and with the SHA-256 of node:crypto.

export { fromReader } from './storage/reader-source.js'
export type * from './storage.js'

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
