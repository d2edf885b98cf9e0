import { countBits, isSet } from '../base/bits.js'
import { describe, fail } from '../base/check.js'
import { checkId, failIdsGiven, failIdsMissing, takeIds } from '../rows/check-ids.js'
import { type Allowed, allowedRows, type FilterRows } from '../rows/filter.js'
import { liveRows, rowsNamed } from '../rows/filter-rows.js'
import { type Id, idsBehind, type StoredIds } from '../rows/ids.js'
import { type NameLookup, numberLookup, textLookup } from '../rows/name-lookup.js'
import { decodeText } from '../rows/row-names.js'
import { rowsIn, withNames } from './name-rows.js'
import type { IndexExtras, IndexRecords } from './row-records.js'
import type { SearchResult } from './search-result.js'

/**
 * What the file of an index in memory says of its rows beside their codes: ids, deletions and metadata. Searches give and take
 * the ids and pass over deleted rows; added rows get ids, and saving writes all of it again.
 */
export class LoadedRows implements IndexExtras {
  readonly metadata: IndexRecords['metadata']
  /** Of the rows that were loaded. */
  readonly #ids: StoredIds | undefined
  readonly #loaded: number
  /** Of the rows behind them. */
  readonly #added: Id[] = []
  readonly #addedRows = new Map<Id, number>()
  #lookup: NameLookup | undefined
  #rows: number
  #deleted: Uint8Array | undefined
  #live: Allowed | undefined

  /** @throws PackvecError INVALID_FILE where rows are deleted that are not there */
  constructor({ metadata, ids, deleted }: IndexRecords, rows: number) {
    this.metadata = metadata
    this.#ids = ids
    this.#loaded = rows
    this.#rows = rows
    this.#deleted = deleted
    this.#live = deleted && liveRows(deleted, rows)
  }

  get ids(): StoredIds | undefined {
    return this.#ids && idsBehind(this.#ids, this.#added)
  }

  get deleted(): Uint8Array | undefined {
    return this.#deleted
  }

  get size(): number {
    return this.#live?.count ?? this.#rows
  }

  allowed(filter: FilterRows | undefined): Allowed | undefined {
    const live = this.#live
    if (filter === undefined) return live
    const rows = allowedRows(this.#rowsOf(filter), this.#rows, 'the index')!
    if (live === undefined) return rows
    const bits = rows.bits.map((byte, at) => byte & live.bits[at]!)
    return { bits, count: countBits(bits) }
  }

  named(results: readonly SearchResult[]): SearchResult[] {
    if (this.#ids === undefined) return [...results]
    const rows = rowsIn(results)
    if (this.#ids.kind === 'numbers') {
      return withNames(results, { numbers: rows.map((row) => this.#nameOf(row) as number) })
    }
    return withNames(results, { texts: Array.from(rows, (row) => this.#nameOf(row) as string) })
  }

  extend(rows: number, given: Iterable<Id> | undefined): () => void {
    const names = this.#checkNew(rows, given)
    return () => {
      for (const [i, name] of names.entries()) this.#addedRows.set(name, this.#rows + i)
      for (const name of names) this.#added.push(name)
      this.#rows += rows
      if (this.#deleted === undefined) return
      const deleted = new Uint8Array(Math.ceil(this.#rows / 8))
      deleted.set(this.#deleted)
      this.#deleted = deleted
      this.#live = liveRows(deleted, this.#rows)
    }
  }

  /** The ids of rows to come: none where rows have none. @throws PackvecError INVALID_ARGUMENT */
  #checkNew(rows: number, given: Iterable<Id> | undefined): readonly Id[] {
    const kind = this.#ids?.kind
    if (given === undefined) {
      if (kind === undefined) return []
      failIdsMissing(kind, rows)
    }
    if (kind === undefined) failIdsGiven()
    const names = takeIds(given, rows)
    const seen = new Set<Id>()
    for (const [i, name] of names.entries()) {
      checkId(name, kind, this.#rows + i)
      if (seen.has(name)) fail('INVALID_ARGUMENT', 'ids', 'unique', `${describe(name)} twice`)
      seen.add(name)
      // An id may be that of a deleted row.
      this.#forEachRow(name, (row) => {
        if (this.#live !== undefined && !isSet(this.#live.bits, row)) return
        fail('INVALID_ARGUMENT', 'ids', 'new to the index', `${describe(name)}, which row ${row} has already`)
      })
    }
    return names
  }

  /** A filter by rows, from one by ids. */
  #rowsOf(filter: FilterRows): FilterRows {
    const kind = this.#ids?.kind
    if ('bits' in filter || kind === undefined) return filter
    const forEachRow: NameLookup['forEachRow'] = (name, use) => this.#forEachRow(name, use)
    return rowsNamed(filter.ids, kind, { forEachRow }, this.#rows)
  }

  #forEachRow(name: Id, use: (row: number) => void): void {
    this.#lookup ??= this.#openLookup(this.#ids!)
    this.#lookup.forEachRow(name, use)
    const added = this.#addedRows.get(name)
    if (added !== undefined) use(added)
  }

  #openLookup(ids: StoredIds): NameLookup {
    if (ids.kind === 'numbers') return numberLookup([ids.values])
    return textLookup([Array.from({ length: this.#loaded }, (_, row) => this.#nameOf(row) as string)])
  }

  #nameOf(row: number): Id {
    if (row >= this.#loaded) return this.#added[row - this.#loaded]!
    const ids = this.#ids!
    if (ids.kind === 'numbers') return ids.values[row]!
    return decodeText(ids.bytes.subarray(ids.offsets[row]!, ids.offsets[row + 1]!))
  }
}
