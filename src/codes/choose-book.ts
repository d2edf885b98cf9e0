import { failEmpty } from '../base/check.js'
import { PackvecError } from '../base/errors.js'
import type { RowSource } from '../rows/matrix.js'
import type { Codebook, CodebookFamily } from './code.js'
import type { BookOptions, CodeOptions } from './code-options.js'
import type { BookFit } from './column.js'
import type { Precision } from './precision.js'
import { codeOf } from './registry.js'

/** Fewer rows than this make poor ranges, and a warning. */
const FEW_ROWS = 100

/** What a codebook is chosen by. */
export type ChooseOptions = BookOptions & Pick<CodeOptions, 'scope' | 'percentiles' | 'onWarning'>

/**
 * The ranges or levels to use, in the reference's order: those given, those of a sample, the embeddings' own.
 * @param takesSample whether the call takes `calibrationEmbeddings`, so that a message may recommend it
 */
export function chooseBook(
  sources: readonly RowSource[],
  sample: RowSource | undefined,
  precision: Precision,
  options: ChooseOptions,
  takesSample = true,
): Codebook | undefined {
  const { books } = codeOf(precision)
  if (books === undefined) return undefined
  const given = options[books.option]
  if (given !== undefined) return books.read(given, sources[0]?.dims || undefined, books.option)
  const rows = sources.reduce((sum, source) => sum + source.rows, 0)
  if (sample === undefined && !checkOwnRows(rows, precision, options, takesSample)) return undefined
  const argument = sample === undefined ? 'embeddings' : 'calibrationEmbeddings'
  if (sample?.rows === 0) failEmpty(argument)
  return books.fit(sample === undefined ? sources : [sample], options, argument)
}

/** Whether embeddings can be calibrated on themselves: zero rows need nothing, one row cannot, few rows get a warning. */
export function checkOwnRows(
  rows: number,
  precision: Precision,
  options: Pick<CodeOptions, 'onWarning'>,
  takesSample = true,
): boolean {
  if (rows === 0) return false
  const remedy = remedyOf(codeOf(precision).books!, takesSample)
  if (rows === 1) {
    throw new PackvecError(
      'CALIBRATION_REQUIRED',
      'embeddings',
      `Cannot compute ${precision} quantization ranges from a single embedding: ` +
        `give ${remedy} from a representative set of embeddings`,
    )
  }
  if (rows < FEW_ROWS) {
    const warn = options.onWarning ?? console.warn
    warn(
      `Computing ${precision} quantization buckets based on ${rows} embeddings. ${precision} quantization is more ` +
        `stable with buckets from more embeddings: give ${remedy}.`,
    )
  }
  return true
}

/** The options that spare a call from calibrating on its own rows. */
function remedyOf({ option }: CodebookFamily, takesSample: boolean): string {
  return takesSample ? `\`${option}\` or \`calibrationEmbeddings\`` : `\`${option}\``
}

/** The codebook that a precision needs, checked; undefined where it needs none. */
export function requireBook(book: unknown, precision: Precision, dims: number): Codebook | undefined {
  const { books } = codeOf(precision)
  if (books === undefined) return undefined
  const { option, noun } = books
  if (book !== undefined) return books.check(book, dims, option)
  const message = `${precision} codes mean nothing without the ${noun} they were made with, got none: give \`${option}\``
  throw new PackvecError('CALIBRATION_REQUIRED', option, message)
}

/** The codebook that a caller gave for codes that exist, read as that of this precision; undefined where none was given. */
export function givenBook(options: BookOptions, precision: Precision, dims: number): Codebook | undefined {
  const { books } = codeOf(precision)
  const given = books && options[books.option]
  return given === undefined ? undefined : books!.read(given, dims, books!.option)
}

/** How a codebook follows the rows that are added: not at all where the caller gave it, or a sample for it. */
export function fitOf(
  precision: Precision,
  sampled: boolean,
  options: BookOptions & Pick<CodeOptions, 'scope' | 'percentiles'>,
): BookFit | undefined {
  const { books } = codeOf(precision)
  if (books === undefined || sampled || options[books.option] !== undefined) return undefined
  return { scope: options.scope ?? books.scope, percentiles: options.percentiles }
}
