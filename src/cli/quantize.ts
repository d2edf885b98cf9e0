import { type Command, Option } from 'commander'
import { codeOf } from '../codes/registry.js'
import { refuseInputs } from '../files/target.js'
import { PRECISIONS, type Precision, quantizeEmbeddings, type Rounding, transformEmbeddings } from '../index.js'
import { writeNpy } from '../node.js'
import { type FloatMatrix, readFloats } from './arguments.js'
import { addCodeOptions, type CodeFlags, codeOptions, openTransformOptions } from './code-options.js'
import { clearProgress, grouped, progress, warn } from './terminal.js'

interface QuantizeFlags extends CodeFlags {
  output: string
  precision: Precision
  ranges?: string
  calibration?: string
  rounding: Rounding
  scales?: string
  rotationMatrix?: string
}

export function addQuantize(program: Command): void {
  const command = program
    .command('quantize')
    .description('Quantize float embeddings as sentence-transformers does, from a .npy file to a .npy file.')
    .argument('<in.npy>', 'embeddings, rows x dims: float16, float32 or float64')
    .requiredOption('-o, --output <out.npy>', 'where the codes go; an existing file is replaced')
    .addOption(new Option('--precision <precision>', 'what to quantize to').choices(PRECISIONS).makeOptionMandatory())
    .addOption(new Option('--ranges <ranges.npy>', 'int8, uint8: minima and maxima, 2 x dims').conflicts('calibration'))
    .option('--calibration <sample.npy>', 'embeddings to take ranges, levels, rotation from (default: the input)')
    .addOption(
      new Option('--rounding <rounding>', 'floor, or truncate for codes of sentence-transformers up to 5.6')
        .choices(['floor', 'truncate'])
        .default('floor'),
    )
    .option('--scales <scales.npy>', 'write a factor for each row, 1 / (x · decoded x) for unit vectors')
    .option('--rotation-matrix <matrix.npy>', 'write the rotation, dims x dims: queries are multiplied by it')
  addCodeOptions(command).action(quantize)
}

async function quantize(input: string, flags: QuantizeFlags): Promise<void> {
  const { precision, rounding } = flags
  await checkOutputs(input, flags)
  checkCalibrationUse(flags)
  const embeddings = await readFloats(input)
  const [rows, dims] = embeddings.dims
  const sample = flags.calibration === undefined ? undefined : await readFloats(flags.calibration)
  const transform = openTransformOptions(flags, sample ?? embeddings)
  const changed = (matrix: FloatMatrix) => (changes(flags) ? asMatrix(transformEmbeddings(matrix, transform)) : matrix)
  progress(`quantizing ${grouped(rows)} x ${grouped(dims)} to ${precision}`, rows * dims)
  const codes = quantizeEmbeddings(changed(embeddings), precision, {
    ...(flags.ranges === undefined ? {} : { ranges: await readFloats(flags.ranges) }),
    ...(sample === undefined ? {} : { calibrationEmbeddings: changed(sample) }),
    ...codeOptions(flags),
    scale: flags.scales === undefined ? false : 'float32',
    rounding,
    onWarning: warn,
  })
  progress(`writing ${flags.output}`, rows * dims)
  if (flags.scales !== undefined && codes.scales !== undefined) {
    await writeNpy(flags.scales, { data: codes.scales, dims: [rows] })
  }
  if (flags.rotationMatrix !== undefined && transform.rotation !== undefined) {
    const { dims: kept, matrix } = transform.rotation
    await writeNpy(flags.rotationMatrix, { data: matrix, dims: [kept, kept] })
  }
  await writeNpy(flags.output, codes)
  clearProgress()
}

/** No output may be an input, or another output. */
async function checkOutputs(input: string, flags: QuantizeFlags): Promise<void> {
  const { output, scales, rotationMatrix, ranges, calibration } = flags
  const inputs = [
    ['input', input],
    ['file of --ranges', ranges],
    ['file of --calibration', calibration],
  ] as const
  await refuseInputs(output, inputs, '--output')
  if (scales !== undefined) await refuseInputs(scales, [...inputs, ['file of --output', output]], '--scales')
  if (rotationMatrix === undefined) return
  const outputs = [
    ['file of --output', output],
    ['file of --scales', scales],
  ] as const
  await refuseInputs(rotationMatrix, [...inputs, ...outputs], '--rotation-matrix')
}

/** Warns about flags that have no effect. */
function checkCalibrationUse(flags: QuantizeFlags): void {
  const { precision } = flags
  const { books, factors } = codeOf(precision)
  const fitted = flags.rotation === 'svd' || flags.rotation === 'itq'
  if (flags.ranges !== undefined && books?.option !== 'ranges') warn(`--ranges has no effect on ${precision}`)
  if (flags.calibration !== undefined && books === undefined && !fitted) {
    warn(`--calibration has no effect on ${precision}`)
  }
  if (flags.scales !== undefined && factors === 0) warn(`--scales has no effect on ${precision}`)
  if (flags.rotationMatrix !== undefined && flags.rotation === 'none') {
    warn('--rotation-matrix has no effect without --rotation')
  }
}

function changes({ truncate, renormalize, rotation, center }: CodeFlags): boolean {
  return truncate !== undefined || renormalize === true || center === true || rotation !== 'none'
}

function asMatrix({ data, rows, dims }: { data: Float32Array; rows: number; dims: number }): FloatMatrix {
  return { data, dims: [rows, dims] }
}
