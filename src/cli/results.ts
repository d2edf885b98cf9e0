import type { SearchResult } from '../index.js'
import type { FloatMatrix } from './arguments.js'
import { shortFloat, table } from './terminal.js'

/** Results as the command line prints them; `keys` are the texts that an index has for its rows. */
type Printed = SearchResult & { readonly keys?: readonly string[] }

/** Queries between two lines of progress. */
const BATCH_ROWS = 1024

export function* batches({ data, dims: [rows, dims] }: FloatMatrix): Generator<FloatMatrix> {
  for (let first = 0; first < rows; first += BATCH_ROWS) {
    const count = Math.min(BATCH_ROWS, rows - first)
    yield { data: data.subarray(first * dims, (first + count) * dims), dims: [count, dims] }
  }
}

/** Every result of every query, one list per query; scores with as many digits as tell float32 apart. */
export function* json(results: readonly Printed[]): Generator<string> {
  yield '{"ids": '
  yield* lists(results, ({ ids }) => ids.join(', '))
  yield ', "scores": '
  yield* lists(results, ({ scores }) => Array.from(scores, shortFloat).join(', '))
  if (results.some(({ keys }) => keys !== undefined)) {
    yield ', "keys": '
    yield* lists(results, ({ keys }) => keys?.map((key) => JSON.stringify(key)).join(', ') ?? '')
  }
  if (results.some(({ distances }) => distances !== undefined)) {
    yield ', "distances": '
    yield* lists(results, ({ distances }) => distances?.join(', ') ?? '')
  }
  yield '}\n'
}

function* lists(results: readonly Printed[], list: (result: Printed) => string): Generator<string> {
  for (const [i, result] of results.entries()) yield `${i === 0 ? '[' : ', '}[${list(result)}]`
  yield results.length === 0 ? '[]' : ']'
}

export function text(results: readonly Printed[]): Iterable<string> {
  const hasDistances = results.some(({ distances }) => distances !== undefined)
  const rows = results.flatMap(({ ids, scores, distances, keys }, query) =>
    Array.from(ids, (id, rank) => {
      // Keys come from the file: quoted, so that they stay on their line.
      const name = keys === undefined ? String(id) : JSON.stringify(keys[rank])
      const row = [String(query), String(rank + 1), name, shortFloat(scores[rank]!)]
      return hasDistances ? row.concat(String(distances?.[rank] ?? '')) : row
    }),
  )
  return table(['query', 'rank', 'id', 'score', ...(hasDistances ? ['distance'] : [])], rows)
}
