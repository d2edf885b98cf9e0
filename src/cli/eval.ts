import { homedir } from 'node:os'
import { join } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { CalibrationSource, EvaluationScoring, EvaluationTask } from '../eval.js'
import { refuseInputs } from '../files/target.js'
import { readFloats } from './arguments.js'
import { clearProgress, print, progress, warn } from './terminal.js'

type Kind = EvaluationTask['kind']

/** Loaded when it is asked for: the other commands start without it. */
const library = () => import('../eval.js')

const KINDS: readonly Kind[] = ['sts', 'classification', 'retrieval']

interface EvalFlags {
  task?: Kind | 'all'
  data?: string
  model: string
  a?: string
  b?: string
  scores?: string
  train?: string
  trainLabels?: string
  test?: string
  testLabels?: string
  corpus?: string
  queries?: string
  qrels?: string
  calibration?: string
  techniques: string[]
  scoring: string
  multipliers: number[]
  keep: number
  seed: number
  cache: string | boolean
  output?: string
}

const SCORINGS: Readonly<Record<string, readonly EvaluationScoring[]>> = {
  both: ['symmetric', 'asymmetric'],
  symmetric: ['symmetric'],
  asymmetric: ['asymmetric'],
  'packed-bytes': ['packed-bytes'],
  all: ['symmetric', 'asymmetric', 'packed-bytes'],
}

export function addEval(program: Command): void {
  const command = program
    .command('eval')
    .description('Measure how small your embeddings can be and what it costs: tables, plots, a recommendation.')
    .addOption(
      new Option('--task <task>', 'what to measure; all needs --data (default: all)').choices([...KINDS, 'all']),
    )
    .option('--data <dir>', 'folder of STS-B and Banking77 texts and arrays: the built-in tasks')
    .option('--model <name>', 'folder of arrays inside the --data folder', 'minilm')
    .option('--a <a.npy>', 'sts: first text of each pair')
    .option('--b <b.npy>', 'sts: second text of each pair')
    .option('--scores <file>', 'sts: human scores, one a pair (.txt, .csv, .tsv: last column; .npy)')
    .option('--train <train.npy>', 'classification: training texts')
    .option('--train-labels <file>', 'classification: their labels, one a row (.txt, .csv, .tsv: last column; .npy)')
    .option('--test <test.npy>', 'classification: test texts')
    .option('--test-labels <file>', 'classification: their labels')
    .option('--corpus <corpus.npy>', 'retrieval: texts to search')
    .option('--queries <queries.npy>', 'retrieval: queries')
    .option('--qrels <file.tsv>', 'retrieval: query row, corpus row, grade (adds nDCG@10)')
    .option(
      '--calibration <sample.npy>',
      'embeddings to calibrate on (default: nq_dev of --data, training rows, corpus)',
    )
    .option('--techniques <list>', 'all, or names such as binary,rotated-ternary,hadamard-int4+scale', list, ['all'])
    .addOption(
      new Option('--scoring <scoring>', 'how codes are compared').choices(Object.keys(SCORINGS)).default('both'),
    )
    .option('--multipliers <list>', 'retrieval: rescore multipliers, 1 for none', factors, [1, 2, 4, 10])
    .option('--keep <percent>', 'what the recommended setting keeps', percent, 99)
    .option('--seed <n>', 'of draws and random rotations', seed, 0)
    .option('--cache <dir>', 'where results are kept (default: packvec in the cache folder of the user)')
    .option('--no-cache', 'measure everything anew, keep nothing')
    .option('-o, --output <dir>', 'write report.json, report.md, report.html and the plots there')
  command.action((flags: EvalFlags) => run(command, flags))
}

async function run(command: Command, flags: EvalFlags): Promise<void> {
  const { evaluate, builtInTask, reportText, writeReport } = await library()
  await checkOutput(flags)
  const kind = flags.task ?? 'all'
  const data = flags.data === undefined ? undefined : { folder: flags.data, model: flags.model }
  if (data === undefined && kind === 'all') command.error('error: give --task with its files, or --data <dir>')
  const kinds = kind === 'all' ? KINDS : [kind]
  const tasks: EvaluationTask[] = []
  for (const one of kinds)
    tasks.push(data === undefined ? await ownTask(command, one, flags) : await builtInTask(one, data))
  const calibration = await readCalibration(flags, data)
  const cache = flags.cache === false ? undefined : typeof flags.cache === 'string' ? flags.cache : userCache()
  const report = await evaluate(tasks, {
    ...(calibration === undefined ? {} : { calibration }),
    ...(cache === undefined ? {} : { cache }),
    techniques: flags.techniques,
    scorings: SCORINGS[flags.scoring]!,
    multipliers: flags.multipliers,
    keep: flags.keep,
    seed: flags.seed,
    onProgress: (message) => progress(message, Number.POSITIVE_INFINITY),
    onWarning: warn,
  })
  clearProgress()
  if (flags.output !== undefined) await writeReport(report, flags.output)
  await print([reportText(report)])
}

/** The report may replace an earlier one, but none of the files that it is about. */
async function checkOutput({ output, ...flags }: EvalFlags): Promise<void> {
  if (output === undefined) return
  const { a, b, scores, train, trainLabels, test, testLabels, corpus, queries, qrels, calibration } = flags
  const inputs = [a, b, scores, train, trainLabels, test, testLabels, corpus, queries, qrels, calibration]
  for (const name of ['report.json', 'report.md', 'report.html']) {
    await refuseInputs(
      join(output, name),
      inputs.map((path) => ['input', path] as const),
      '--output',
    )
  }
}

/** A task over the user's own files. Missing options are wrong usage, said in one line with their names. */
async function ownTask(command: Command, kind: Kind, flags: EvalFlags): Promise<EvaluationTask> {
  const needed = {
    sts: ['a', 'b', 'scores'],
    classification: ['train', 'trainLabels', 'test', 'testLabels'],
    retrieval: ['corpus', 'queries'],
  } as const
  const { readLabels, readQrels, readScores } = await library()
  const missing = needed[kind].filter((name) => flags[name] === undefined)
  if (missing.length > 0) {
    const names = missing.map((name) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`)
    command.error(`error: --task ${kind} needs ${names.join(', ')}`)
  }
  switch (kind) {
    case 'sts': {
      const [a, b] = [await readFloats(flags.a!), await readFloats(flags.b!)]
      return { kind, a, b, scores: await readScores(flags.scores!, a.dims[0]) }
    }
    case 'classification': {
      const [train, test] = [await readFloats(flags.train!), await readFloats(flags.test!)]
      const trainLabels = await readLabels(flags.trainLabels!, train.dims[0])
      return { kind, train, trainLabels, test, testLabels: await readLabels(flags.testLabels!, test.dims[0]) }
    }
    default: {
      const [corpus, queries] = [await readFloats(flags.corpus!), await readFloats(flags.queries!)]
      const qrels = flags.qrels === undefined ? {} : { qrels: await readQrels(flags.qrels, queries.dims[0]) }
      return { kind, corpus, queries, ...qrels }
    }
  }
}

async function readCalibration(
  { calibration }: EvalFlags,
  data: { folder: string; model: string } | undefined,
): Promise<CalibrationSource | undefined> {
  if (calibration !== undefined) return { embeddings: await readFloats(calibration), name: calibration }
  return data === undefined ? undefined : (await library()).builtInCalibration(data)
}

function userCache(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'packvec')
}

function list(text: string): string[] {
  return text.split(',').map((item) => item.trim())
}

function factors(text: string): number[] {
  return list(text).map((item) => {
    const factor = /^[0-9]+(\.[0-9]+)?$/.test(item) ? Number(item) : Number.NaN
    if (factor >= 1) return factor
    throw new InvalidArgumentError('It must be numbers from 1, with commas between.')
  })
}

function percent(text: string): number {
  const value = Number(text.replace(/%$/, '') || Number.NaN)
  if (value > 0 && value <= 100) return value
  throw new InvalidArgumentError('It must be a percentage above 0 and up to 100.')
}

function seed(text: string): number {
  if (/^[0-9]{1,9}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number from 0.')
}
