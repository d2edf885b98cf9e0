import { type Command, Option } from 'commander'
import { USUAL } from '../codes/registry.js'
import { PackvecError, PRECISIONS, type Precision, QuantizedIndex, type Scoring, type SearchResult } from '../index.js'
import { parseCount, parseFactor, readFloats, scoringOption } from './arguments.js'
import { addCodeOptions, type CodeFlags, codeOptions, openTransformOptions } from './code-options.js'
import { batches, json, text } from './results.js'
import { grouped, print, progress, warn } from './terminal.js'

interface SearchFlags extends CodeFlags {
  corpus: string
  queries: string
  precision: Precision
  rescore?: Precision | 'none'
  rescoreMultiplier: number
  topK: number
  scoring?: Scoring
  ranges?: string
  calibration?: string
  scale?: true
  json?: true
}

export function addSearch(program: Command): void {
  const command = program
    .command('search')
    .description('Quantize a corpus of float embeddings and search it: the best rows for each query.')
    .requiredOption('--corpus <corpus.npy>', 'embeddings to search, rows x dims')
    .requiredOption('--queries <queries.npy>', 'float queries, rows x dims, or a single one')
    .addOption(
      new Option('--precision <precision>', 'codes that the first stage scans')
        .choices(PRECISIONS)
        .default(USUAL.coarse),
    )
    .addOption(
      new Option(
        '--rescore <precision>',
        'codes that rescore the candidates (default: int8; none with float32)',
      ).choices([...PRECISIONS, 'none']),
    )
    .option('--rescore-multiplier <m>', 'candidates of the first stage: m times top-k', parseFactor, 4)
    .option('--top-k <n>', 'results for each query', parseCount, 10)
    .addOption(scoringOption())
    .addOption(new Option('--ranges <ranges.npy>', 'int8, uint8: minima and maxima, 2 x dims').conflicts('calibration'))
    .option('--calibration <sample.npy>', 'embeddings to take ranges, levels, rotation from (default: the corpus)')
    .option('--scale', 'keep a factor for each row beside its codes')
    .option('--json', 'print {"ids": [[...]], "scores": [[...]]} instead of a table')
  addCodeOptions(command).action(search)
}

async function search(flags: SearchFlags): Promise<void> {
  const { precision, topK, rescoreMultiplier, scoring } = flags
  const queries = await readFloats(flags.queries)
  const corpus = await readFloats(flags.corpus)
  const [rows, dims] = corpus.dims
  if (queries.dims[1] !== dims) {
    const message = `${flags.queries} has ${queries.dims[1]} dimensions, ${flags.corpus} has ${dims}`
    throw new PackvecError('DIMS_MISMATCH', 'queries', message)
  }
  const sample = flags.calibration === undefined ? undefined : await readFloats(flags.calibration)
  const transform = openTransformOptions(flags, sample ?? corpus)
  progress(`quantizing ${grouped(rows)} x ${grouped(dims)}`, rows * dims)
  const index = QuantizedIndex.build(corpus, {
    coarse: precision,
    ...(flags.rescore === undefined ? {} : { rescore: flags.rescore }),
    ...(flags.ranges === undefined ? {} : { ranges: await readFloats(flags.ranges) }),
    ...(sample === undefined ? {} : { calibrationEmbeddings: sample }),
    ...codeOptions(flags),
    ...transform,
    scale: flags.scale === true,
    onWarning: warn,
  })
  if (flags.ranges !== undefined && index.calibration === undefined)
    warn('--ranges has no effect without int8 or uint8')
  const options = { topK, rescoreMultiplier, ...(scoring === undefined ? {} : { scoring }) }
  const results: SearchResult[] = []
  for (const batch of batches(queries)) {
    for (const result of index.search(batch, options)) results.push(result)
    progress(`searched ${grouped(results.length)} of ${grouped(queries.dims[0])} queries`, rows * dims)
  }
  await print(flags.json ? json(results) : text(results))
}
