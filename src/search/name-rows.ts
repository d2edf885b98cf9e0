import type { SearchResult } from './search-result.js'

/** The rows that results name, one result's behind the other's. */
export function rowsIn(results: readonly SearchResult[]): Uint32Array {
  const rows = new Uint32Array(results.reduce((sum, { ids }) => sum + ids.length, 0))
  let end = 0
  for (const { ids } of results) {
    rows.set(ids, end)
    end += ids.length
  }
  return rows
}

/** Results with the names of those rows. */
export function withNames(
  results: readonly SearchResult[],
  names: { readonly numbers: Uint32Array } | { readonly texts: readonly string[] },
): SearchResult[] {
  let at = 0
  return results.map((result) => {
    const from = at
    at += result.ids.length
    if ('numbers' in names) return { ...result, ids: names.numbers.slice(from, at) }
    return { ...result, keys: names.texts.slice(from, at) }
  })
}
