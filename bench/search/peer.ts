import type { SearchResult } from '../../src/index.js'
import type { Contender } from '../measure.js'
import type { Corpus } from './corpus.js'
import type { Indexes, Keeper } from './indexes.js'

/** A contender that is not packvec. */
export interface PeerLine {
  /** Follows the group's name in the ids of the lines. */
  readonly name: string
  readonly what: string
  /** One query, another one at each call; milliseconds from a remote one. */
  readonly single: Contender
  /** A batch of 64, where the peer takes one. */
  readonly batch?: Contender
  readonly recall?: number
  readonly note?: string
}

/** What a peer verifies itself against. */
export interface Truth {
  readonly corpus: Corpus
  readonly indexes: Indexes
  /** Exact results by float32, somewhat more than `TOP_K` a query. */
  readonly exact: readonly SearchResult[]
}

/** Another library: gets the corpus chunk by chunk, then shows its contenders, each verified. */
export interface Peer {
  /** Called before the corpus is made; returns what keeps the chunks. */
  begin(corpus: Corpus): Keeper | Promise<Keeper>
  lines(truth: Truth): Promise<PeerLine[]>
  /** Frees what it holds of this corpus. */
  end(): Promise<void>
}
