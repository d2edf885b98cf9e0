import { type Command, InvalidArgumentError, Option } from 'commander'
import { readIdsFile } from '../builder/ids-file.js'
import type { Scoring } from '../index.js'
import type { Id } from '../rows/ids.js'
import { openIndex, type StoredResult } from '../storage-node.js'
import { parseCount, parseFactor, readFloats, scoringOption } from './arguments.js'
import { batches, json, text } from './results.js'
import { clearProgress, grouped, print, progress } from './terminal.js'

interface IndexSearchFlags {
  queries: string
  topK: number
  rescoreMultiplier: number
  scoring?: Scoring
  minScore?: number
  filter?: string
  load: 'coarse' | 'all'
  sha256?: string[]
  json?: true
}

export function addIndexSearch(index: Command): void {
  index
    .command('search')
    .description('Search an index file where it is: the best rows for each query.')
    .argument('<index...>', 'an index file or its URL; several with the same ranges are searched as one')
    .requiredOption('--queries <queries.npy>', 'float queries, rows x dims, or a single one')
    .option('--top-k <n>', 'results for each query', parseCount, 10)
    .option('--rescore-multiplier <m>', 'candidates of the first stage: m times top-k', parseFactor, 4)
    .addOption(scoringOption())
    .option('--min-score <score>', 'leave out results of a lower score', parseScore)
    .option('--filter <file>', 'find only rows with these ids: JSON lines, a string or a number each')
    .addOption(
      new Option('--load <codes>', 'what comes to memory: the codes of the first stage, or all')
        .choices(['coarse', 'all'])
        .default('coarse'),
    )
    .option('--sha256 <digest...>', 'open only the file with this digest (packvec inspect prints it); one per index')
    .option('--json', 'print {"ids": [[...]], "scores": [[...]]} instead of a table')
    .action(searchIndex)
}

async function searchIndex(sources: string[], flags: IndexSearchFlags): Promise<void> {
  const { queries: path, json: asJson, load, sha256, filter, ...others } = flags
  const queries = await readFloats(path)
  const values = (bytes: number) => bytes / 4
  await using index = await openIndex(sources, {
    load,
    ...(sha256 && { sha256 }),
    onProgress: ({ bytes, totalBytes = bytes }) =>
      progress(`reading ${grouped(bytes)} of ${grouped(totalBytes)} bytes`, values(totalBytes)),
  })
  const ids: Id[] = []
  if (filter !== undefined) for await (const id of readIdsFile(filter)) ids.push(id)
  const options = filter === undefined ? others : { ...others, filter: await index.filterOf(ids) }
  const results: StoredResult[] = []
  for await (const batch of index.searchBatches(batches(queries), options)) {
    for (const result of batch) results.push(result)
    const [rows] = queries.dims
    progress(`searched ${grouped(results.length)} of ${grouped(rows)} queries`, index.rows * index.dims)
  }
  clearProgress()
  await print(asJson ? json(results) : text(results))
}

/** For commander: any finite number. */
function parseScore(text: string): number {
  const score = text.trim() === '' ? Number.NaN : Number(text)
  if (Number.isFinite(score)) return score
  throw new InvalidArgumentError('It must be a number.')
}
