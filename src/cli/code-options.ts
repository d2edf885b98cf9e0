import { type Command, InvalidArgumentError, Option } from 'commander'
import {
  type Percentiles,
  type RotationKind,
  type Scope,
  type TransformOptions,
  transformEmbeddings,
} from '../index.js'
import { itqRotation, Rotation, randomRotation, svdRotation } from '../rotations.js'
import { toRows } from '../rows/matrix.js'
import { meanOf } from '../transform/centre.js'
import { type FloatMatrix, parseCount } from './arguments.js'
import { progress } from './terminal.js'

/** What every command that makes codes takes. */
export interface CodeFlags {
  scope?: Scope
  percentiles?: Percentiles
  rotation: RotationKind | 'none'
  center?: true
  seed: number
  truncate?: number
  renormalize?: true
}

const ROTATIONS = ['none', 'svd', 'hadamard', 'random', 'itq'] as const

export function addCodeOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--scope <scope>', 'ranges and thresholds of each dimension, or of all (default: by code)').choices([
        'global',
        'dimension',
      ]),
    )
    .option('--percentiles <low,high>', 'ranges between two percentiles, such as 1,99', parsePercentiles)
    .addOption(new Option('--rotation <rotation>', 'orthogonal map before encoding').choices(ROTATIONS).default('none'))
    .option('--center', 'subtract the mean of the sample before encoding')
    .option('--seed <n>', 'seed of hadamard, random and itq', parseSeed, 0)
    .option('--truncate <dims>', 'keep the first dimensions only', parseCount)
    .option('--renormalize', 'bring the (truncated) embeddings to length 1')
}

/** Whether rows are shifted beside the rotation: that of svd brings its own centre. */
export function centres({ center, rotation }: Pick<CodeFlags, 'center' | 'rotation'>): boolean {
  return center === true && rotation !== 'svd'
}

function openRotation(flags: CodeFlags, sample: FloatMatrix, kept: TransformOptions): Rotation | undefined {
  const { rotation, seed } = flags
  const dims = flags.truncate ?? sample.dims[1]
  if (rotation === 'none') return undefined
  if (rotation === 'hadamard') return Rotation.hadamard(dims, { seed })
  if (rotation === 'random') return randomRotation(dims, { seed })
  progress(`fitting the ${rotation} rotation`, sample.data.length)
  const { data, rows } = transformEmbeddings(sample, kept)
  const matrix = { data, dims: [rows, dims] }
  return rotation === 'itq' ? itqRotation(matrix, { seed }) : svdRotation(matrix, { center: flags.center === true })
}

/** The part of the flags that the library takes as it is. */
export function codeOptions({ scope, percentiles }: CodeFlags): { scope?: Scope; percentiles?: Percentiles } {
  return { ...(scope === undefined ? {} : { scope }), ...(percentiles === undefined ? {} : { percentiles }) }
}

/** What happens to embeddings before they are encoded; a rotation that needs one is fitted to the sample. */
export function openTransformOptions(flags: CodeFlags, sample: FloatMatrix): TransformOptions {
  const { truncate, renormalize = false } = flags
  const cut = truncate === undefined ? { renormalize } : { truncate, renormalize }
  const kept = centres(flags) ? { ...cut, center: meanOf(toRows(transformEmbeddings(sample, cut), 'sample')) } : cut
  const rotation = openRotation(flags, sample, kept)
  return rotation === undefined ? kept : { ...kept, rotation }
}

function parsePercentiles(text: string): Percentiles {
  const values = text.split(',').map(Number)
  const [low, high] = values
  if (values.length === 2 && low! >= 0 && high! <= 100 && low! < high!) return [low!, high!]
  throw new InvalidArgumentError('It must be low,high with 0 <= low < high <= 100.')
}

/** For commander: a seed. */
export function parseSeed(text: string): number {
  if (/^[0-9]+$/.test(text) && Number(text) < 2 ** 32) return Number(text)
  throw new InvalidArgumentError('It must be a whole number below 2^32.')
}
