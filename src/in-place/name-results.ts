import { rowsIn, withNames } from '../search/name-rows.js'
import type { SearchResult } from '../search/search-result.js'
import { firstRows } from './search-shards.js'
import type { StoredShard } from './shard.js'

/** A result of a search in a file: a `SearchResult`, by the user's ids. */
export type StoredResult = SearchResult

/** Gives results the names that the user gave the rows. */
export async function nameResults(
  results: readonly SearchResult[],
  shards: readonly StoredShard[],
  signal: AbortSignal | undefined,
): Promise<StoredResult[]> {
  const { kind } = shards[0]!.names
  if (kind === 'rows') return [...results]
  const firsts = firstRows(shards)
  const all = rowsIn(results)
  const numbers = kind === 'numbers' ? new Uint32Array(all.length) : undefined
  const texts: string[] = []
  await Promise.all(
    shards.map(async ({ names, rows }, shard) => {
      const first = firsts[shard]!
      const places = placesIn(all, first, first + rows)
      const own = Uint32Array.from(places, (place) => all[place]! - first)
      if (numbers !== undefined)
        names.numbers!(own).forEach((name, i) => {
          numbers[places[i]!] = name
        })
      else if (own.length > 0)
        for (const [i, text] of (await names.texts!(own, signal)).entries()) texts[places[i]!] = text
    }),
  )
  return withNames(results, numbers === undefined ? { texts } : { numbers })
}

function placesIn(rows: Uint32Array, first: number, end: number): number[] {
  const places: number[] = []
  for (let i = 0; i < rows.length; i++) if (rows[i]! >= first && rows[i]! < end) places.push(i)
  return places
}
