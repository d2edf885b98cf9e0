import { type Command, InvalidArgumentError, Option } from 'commander'
import { readIdsFile } from '../builder/ids-file.js'
import { refuseInputs } from '../files/target.js'
import { PRECISIONS, type Precision } from '../index.js'
import { type BuildIndexOptions, buildIndex } from '../node.js'
import { parseCount, readFloats } from './arguments.js'
import { addCodeOptions, type CodeFlags, centres, codeOptions, parseSeed } from './code-options.js'
import { withWork } from './index-work.js'
import { warn } from './terminal.js'

interface BuildFlags extends CodeFlags {
  output: string
  coarse?: Precision
  rescore?: Precision | 'none'
  ranges?: string
  calibration?: string
  sample?: number
  sampleSeed?: number
  scale?: true
  ids?: string
  like?: string
  metadata: Record<string, string>
}

export function addIndexBuild(index: Command): void {
  const command = index
    .command('build')
    .description('Build an index file from .npy files that are never held in memory as a whole.')
    .argument('<corpus.npy...>', 'embeddings, rows x dims: float16, float32 or float64; one after the other')
    .requiredOption(
      '-o, --output <index>',
      'where the index goes; an existing file is replaced when the new one is whole',
    )
    .addOption(
      new Option('--coarse <precision>', 'codes that the first stage scans (default: binary)').choices(PRECISIONS),
    )
    .addOption(
      new Option('--rescore <precision>', 'codes that rescore the candidates (default: int8)').choices([
        ...PRECISIONS,
        'none',
      ]),
    )
    .option('--ids <file>', 'ids of the rows: JSON lines, a string or a number each (default: row numbers)')
    .option('--like <index>', 'take precisions, ranges, levels and rotation from this index')
    .addOption(
      new Option('--ranges <ranges.npy>', 'int8, uint8: minima and maxima, 2 x dims').conflicts([
        'calibration',
        'sample',
      ]),
    )
    .addOption(
      new Option(
        '--calibration <sample.npy>',
        'embeddings to take ranges, levels, rotation from (default: the corpus)',
      ).conflicts('sample'),
    )
    .option('--sample <rows>', 'take ranges, levels, rotation from so many rows, drawn at random', parseCount)
    .option('--sample-seed <n>', 'which rows are drawn', parseSeed, 0)
    .option('--scale', 'keep a factor for each row beside its codes')
    .option('--metadata <key=text>', 'a text to keep in the file; may be given again', parseMetadata, {})
  addCodeOptions(command).action(build)
}

async function build(paths: string[], flags: BuildFlags): Promise<void> {
  await refuseInputs(flags.output, inputsOf(paths, flags), '--output')
  const options = flags.like === undefined ? await codingOptions(flags) : likeOptions(flags)
  await withWork(flags.output, (work) =>
    buildIndex(flags.output, paths, {
      ...options,
      ...(flags.ids === undefined ? {} : { ids: readIdsFile(flags.ids) }),
      metadata: flags.metadata,
      onWarning: warn,
      ...work,
    }),
  )
}

function inputsOf(paths: string[], { ids, like, ranges, calibration }: BuildFlags) {
  return [
    ...paths.map((path) => ['corpus', path] as const),
    ['file of --ids', ids],
    ['index of --like', like],
    ['file of --ranges', ranges],
    ['file of --calibration', calibration],
  ] as const
}

async function codingOptions(flags: BuildFlags): Promise<BuildIndexOptions> {
  const { coarse, rescore, ranges, calibration, sample, sampleSeed = 0, rotation: kind } = flags
  const { truncate, renormalize, seed, center } = flags
  return {
    ...codeOptions(flags),
    ...(coarse === undefined ? {} : { coarse }),
    ...(rescore === undefined ? {} : { rescore }),
    ...(ranges === undefined ? {} : { ranges: await readFloats(ranges) }),
    ...(sample === undefined ? {} : { calibrateOn: { sample, seed: sampleSeed } }),
    ...(calibration === undefined ? {} : { calibrationEmbeddings: await readFloats(calibration) }),
    ...(truncate === undefined ? {} : { truncate }),
    ...(renormalize === undefined ? {} : { renormalize }),
    ...(centres(flags) ? { center: true } : {}),
    ...(kind === 'none' ? {} : { rotation: { kind, seed, center: center === true } }),
    ...(flags.scale === undefined ? {} : { scale: true }),
  }
}

/** Options of codes that were given for nothing are told, not refused. */
function likeOptions(flags: BuildFlags): BuildIndexOptions {
  const { like, coarse, rescore, scope, percentiles, truncate, renormalize, center, scale, rotation } = flags
  const { calibration, ranges, sample } = flags
  const kept = { truncate, renormalize, center }
  const codes = { coarse, rescore, scope, percentiles, ...kept, scale, calibration, ranges, sample }
  const useless = Object.entries(codes)
    .filter(([, value]) => value !== undefined)
    .map(([name]) => `--${name}`)
  if (rotation !== 'none') useless.push('--rotation')
  for (const name of useless) warn(`${name} has no effect with --like`)
  return { like: like! }
}

function parseMetadata(text: string, before: Record<string, string>): Record<string, string> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('It must be key=text.')
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) }
}
