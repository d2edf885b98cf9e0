import type { RowSource } from '../rows/matrix.js'
import type { Deadline } from './deadline.js'
import { nameResults, type StoredResult } from './name-results.js'
import { type BatchOptions, type SearchedShards, searchShards } from './search-shards.js'

/** Queries scanned together: their candidates are read while the next are scanned. */
const BATCH_QUERIES = 128
/** Milliseconds of scanning after which other work gets a turn. */
const BREATH_MS = 50

/** Searches any number of queries, some at a time. Other work gets a turn in between. */
export async function searchAll(
  open: SearchedShards,
  source: RowSource,
  options: BatchOptions,
  deadline: Deadline,
): Promise<StoredResult[]> {
  const results: StoredResult[] = []
  const search = async (rows: RowSource) =>
    nameResults(await searchShards(open, rows, options), open.shards, options.signal)
  let before: Promise<StoredResult[]> | undefined
  let since = performance.now()
  for (let first = 0; first < source.rows; first += BATCH_QUERIES) {
    if (performance.now() - since > BREATH_MS) {
      await new Promise((resolve) => setTimeout(resolve))
      since = performance.now()
    }
    deadline.check()
    const running = search(slice(source, first, Math.min(BATCH_QUERIES, source.rows - first)))
    // A failure is thrown where it is awaited, which is after the batch before it.
    running.catch(() => {})
    for (const result of (await before) ?? []) results.push(result)
    before = running
  }
  for (const result of (await before) ?? []) results.push(result)
  return results
}

function slice(source: RowSource, from: number, rows: number): RowSource {
  if (from === 0 && rows === source.rows) return source
  return { ...source, rows, copyRows: (first, ...rest) => source.copyRows(from + first, ...rest) }
}
