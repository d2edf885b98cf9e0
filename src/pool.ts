/// <reference lib="esnext.disposable" preserve="true" />
/**
 * The same searches on several threads, in Node and in browsers.
 *
 * @module packvec/pool
 */

export { createPool, type PoolOptions } from './pool/create-pool.js'
export type { Pool } from './pool/pool.js'
export type { PoolIndex, PoolSearchOptions } from './pool/pool-index.js'
export type { TransportKind } from './pool/transport.js'
