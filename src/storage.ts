/**
 * An index as one file: written, read, and searched where it is.
 *
 * @module packvec/storage
 */

export type { StoredResult } from './in-place/name-results.js'
export type { IndexSource, OpenOptions, OpenProgress } from './in-place/open-options.js'
export { decodeIndex, encodeIndex, openIndex } from './in-place/portable.js'
export type { StoredIndex, StoredSearchOptions } from './in-place/stored-index.js'
export type { StoredFilter } from './rows/filter-rows.js'
export type { Id } from './rows/ids.js'
export type { CacheOption } from './sources/cache/cache.js'
export type { PieceCache } from './sources/cache/piece-cache.js'
export type { HttpOptions } from './sources/http/options.js'
export { fromReader, type RangeReader, type ReaderOptions } from './sources/reader-source.js'
export type { ByteRange, ByteSource } from './sources/source.js'
