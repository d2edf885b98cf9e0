import { type Command, Option } from 'commander'
import { PRECISIONS, type Precision, quantizeEmbeddings, type Rounding } from '../index.js'
import { writeNpy } from '../node.js'
import { readFloats } from './arguments.js'
import { clearProgress, grouped, progress, warn } from './terminal.js'

interface QuantizeFlags {
  output: string
  precision: Precision
  ranges?: string
  calibration?: string
  rounding: Rounding
}

export function addQuantize(program: Command): void {
  program
    .command('quantize')
    .description('Quantize float embeddings as sentence-transformers does, from a .npy file to a .npy file.')
    .argument('<in.npy>', 'embeddings, rows x dims: float16, float32 or float64')
    .requiredOption('-o, --output <out.npy>', 'where the codes go; an existing file is replaced')
    .addOption(new Option('--precision <precision>', 'what to quantize to').choices(PRECISIONS).makeOptionMandatory())
    .addOption(new Option('--ranges <ranges.npy>', 'int8, uint8: minima and maxima, 2 x dims').conflicts('calibration'))
    .option('--calibration <sample.npy>', 'int8, uint8: embeddings to take the ranges from (default: the input)')
    .addOption(
      new Option('--rounding <rounding>', 'floor, or truncate for codes of sentence-transformers up to 5.6')
        .choices(['floor', 'truncate'])
        .default('floor'),
    )
    .action(quantize)
}

async function quantize(input: string, flags: QuantizeFlags): Promise<void> {
  const { precision, rounding } = flags
  if (precision !== 'int8' && precision !== 'uint8' && (flags.ranges ?? flags.calibration) !== undefined) {
    warn(`--${flags.ranges === undefined ? 'calibration' : 'ranges'} has no effect on ${precision}`)
  }
  const embeddings = await readFloats(input)
  const [rows, dims] = embeddings.dims
  progress(`quantizing ${grouped(rows)} x ${grouped(dims)} to ${precision}`, rows * dims)
  const codes = quantizeEmbeddings(embeddings, precision, {
    ...(flags.ranges === undefined ? {} : { ranges: await readFloats(flags.ranges) }),
    ...(flags.calibration === undefined ? {} : { calibrationEmbeddings: await readFloats(flags.calibration) }),
    rounding,
    onWarning: warn,
  })
  progress(`writing ${flags.output}`, rows * dims)
  await writeNpy(flags.output, codes)
  clearProgress()
}
