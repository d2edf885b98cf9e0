import { fillNibbleTable, quantizeTable } from '../../src/search/forms/nibble-table.js'
import { fillBytes } from '../arena.js'
import { type Embedded, tiledCorpus } from '../search/corpus.js'
import { DIMS, type Sizes } from '../sizes.js'

const ROW = DIMS / 8

/** Where the codes, one query's bits and its table of 8-bit sums go. */
export interface TableViews {
  readonly codes: Uint8Array
  readonly query: Uint8Array
  readonly table: Uint8Array
}

/** Writes the data of one comparison. */
export type TableData = (views: TableViews) => void

/** Even bits and even entries: no row is near, so that none can be left early. The worst that codes can be. */
export const randomData: TableData = ({ codes, query, table }) => {
  fillBytes(codes, 11)
  fillBytes(query, 12)
  fillBytes(table, 13)
  // Entries are at most 63, as the kernel asks.
  for (let i = 0; i < table.length; i++) table[i]! &= 63
}

/** Bits of real embeddings and a real question; rows beyond `sizes.rows` repeat those before. */
export function realData(embedded: Embedded, sizes: Sizes): TableData {
  return ({ codes, query, table }) => {
    const corpus = tiledCorpus(embedded, Math.min(sizes.rows, codes.length / ROW), DIMS, sizes.queries)
    const step = 1024
    for (let row = 0; row < corpus.rows; row += step) {
      const values = corpus.chunk(row, Math.min(step, corpus.rows - row))
      packSigns(values, codes.subarray(row * ROW))
    }
    for (let end = corpus.rows * ROW; end < codes.length; end *= 2)
      codes.copyWithin(end, 0, Math.min(end, codes.length - end))
    const question = corpus.queries.subarray(0, DIMS)
    packSigns(question, query)
    const nibbles = new Float32Array(table.length)
    // Bits add the query where they are set.
    fillNibbleTable(question, 1, (value, _d, terms) => terms.set([0, value]), nibbles)
    quantizeTable(nibbles, table)
  }
}

function packSigns(values: Float32Array, bits: Uint8Array): void {
  for (let byte = 0; byte < values.length / 8; byte++) {
    let code = 0
    for (let d = 8 * byte; d < 8 * byte + 8; d++) code = (code << 1) | (values[d]! > 0 ? 1 : 0)
    bits[byte] = code
  }
}
