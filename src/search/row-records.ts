import type { Allowed, FilterRows } from '../rows/filter.js'
import type { Id, StoredIds } from '../rows/ids.js'
import type { SearchResult } from './search-result.js'

/** What a file says of its rows beside their codes: kept when an index is read and saved again. */
export interface IndexRecords {
  readonly metadata: Readonly<Record<string, string>>
  readonly ids: StoredIds | undefined
  /** A bit a row, 1 where it is deleted, lowest bit first; undefined where none is. */
  readonly deleted: Uint8Array | undefined
}

/** The same of an index in memory. The core knows it by this interface only: who builds an index needs none of it. */
export interface IndexExtras extends IndexRecords {
  /** Number of rows that are not deleted. */
  readonly size: number
  /** The rows that a search may find; undefined: all. @throws PackvecError INVALID_ARGUMENT */
  allowed(filter: FilterRows | undefined): Allowed | undefined
  /** Results by the user's ids. */
  named(results: readonly SearchResult[]): SearchResult[]
  /** Checks the ids of rows that are to be added; the function it gives adds them. @throws PackvecError INVALID_ARGUMENT */
  extend(rows: number, ids: Iterable<Id> | undefined): () => void
}
