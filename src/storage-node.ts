// What `packvec/storage` is in Node.

export { decodeIndex, encodeIndex, openIndex } from './in-place/node.js'
export { fromReader } from './sources/reader-source.js'
export type * from './storage.js'
