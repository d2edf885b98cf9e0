import { checkOneOf, checkSameDims, describe, fail, isInstance } from '../base/check.js'
import { countIn } from '../base/invalid.js'
import type { CodebookFamily } from './code.js'
import { Calibration, type CalibrationJSON, type RangesInput } from './ranges.js'

const [TENSOR, ROWS] = ['ranges', 'calibration_rows']

/** Ranges of 8-bit codes, for `int8` and `uint8` alike: an index has one set of them. */
export const rangeBooks: CodebookFamily = {
  option: 'ranges',
  property: 'calibration',
  noun: 'ranges',
  scope: 'dimension',
  isWidened: true,
  isSampled: ({ percentiles }) => percentiles !== undefined,
  fit: (sources, options, argument) => Calibration.fromSources(sources, options, argument),
  collect(dims, options) {
    const scope = checkOneOf(options.scope ?? 'dimension', ['dimension', 'global'], 'scope')
    const ranges = new Calibration(dims)
    return {
      add: (rows, argument) => void ranges.addRows(rows, argument),
      finish: (argument) => (scope === 'global' ? ranges.shareRange(argument) : ranges),
    }
  },
  read: (given, dims, argument) => Calibration.readRanges(given as RangesInput, dims, argument),
  check(book, dims, argument) {
    if (!isInstance(book, Calibration)) return fail('INVALID_ARGUMENT', argument, 'a Calibration', describe(book))
    checkSameDims(argument, book.dims, dims, 'the embeddings')
    return book
  },
  tensors: (_name, dims) => [{ name: TENSOR, shape: [2, dims] }],
  metadata: (_name, book) => ({ [ROWS]: String((book as Calibration).rows) }),
  checkMetadata(_name, metadata) {
    countIn(metadata, ROWS, 0, Number.MAX_SAFE_INTEGER)
  },
  values: (book) => (book as Calibration).ranges,
  open(_name, { dims, metadata, floats }) {
    const values = Array.from(floats(TENSOR))
    const rows = Number(metadata[ROWS])
    const [min, max] = [values.slice(0, dims), values.slice(dims)]
    return Calibration.fromJSON({ format: 'packvec-calibration', version: 1, dims, rows, min, max })
  },
  fromJSON: (json) => Calibration.fromJSON(json as CalibrationJSON),
}
