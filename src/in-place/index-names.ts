import type { FilterRows } from '../rows/filter.js'
import { rowsNamed } from '../rows/filter-rows.js'
import { type NameLookup, numberLookup, textLookup } from '../rows/name-lookup.js'
import type { StoredShard } from './shard.js'
import { SharedWork } from './shared-work.js'

/** The names of an index's rows. They are looked up in one table, which the first filter by names makes. */
export class IndexNames {
  readonly #shards: readonly StoredShard[]
  readonly #rows: number
  #lookup: NameLookup | undefined
  #lookingUp: SharedWork<NameLookup> | undefined

  constructor(shards: readonly StoredShard[], rows: number) {
    this.#shards = shards
    this.#rows = rows
  }

  /** A filter by rows, from one by names. @throws PackvecError INVALID_ARGUMENT, and those of the source */
  async rowsOf(filter: FilterRows, signal: AbortSignal | undefined): Promise<FilterRows> {
    const { kind } = this.#shards[0]!.names
    if ('bits' in filter || kind === 'rows') return filter
    const lookup = this.#lookup ?? (await this.#lookUp(signal))
    return rowsNamed(filter.ids, kind, lookup, this.#rows)
  }

  /** Makes the table once: simultaneous searches wait for the one that is being made, if they may. */
  async #lookUp(signal: AbortSignal | undefined): Promise<NameLookup> {
    const make = async (signal: AbortSignal | undefined) => {
      this.#lookup = await openLookup(this.#shards, signal)
      return this.#lookup
    }
    if (!this.#shards.every(({ source }) => source.local || source.shareMs !== undefined)) return make(signal)
    const begun = this.#lookingUp
    const work =
      begun ??
      new SharedWork(make, () => {
        if (this.#lookingUp === work) this.#lookingUp = undefined
      })
    this.#lookingUp = work
    const patience = begun && this.#shards.find(({ source }) => source.shareMs !== undefined)?.source.shareMs
    return (await work.join(signal, patience)) ?? make(signal)
  }
}

async function openLookup(shards: readonly StoredShard[], signal: AbortSignal | undefined): Promise<NameLookup> {
  const names: (Uint32Array | string[])[] = []
  for (const shard of shards) names.push(await shard.names.all(signal))
  return shards[0]!.names.kind === 'numbers' ? numberLookup(names as Uint32Array[]) : textLookup(names as string[][])
}
