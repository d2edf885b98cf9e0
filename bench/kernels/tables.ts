import { hammingScratchBytes, tableScratchBytes } from '../../src/kernels/scratch-sizes.js'
import { openArena } from '../arena.js'
import { scanTableTopKJs } from '../javascript.js'
import { verify } from '../measure.js'
import type { Line } from '../results.js'
import type { Embedded } from '../search/corpus.js'
import { CACHED_ROWS, DIMS, type Sizes, TOP_K } from '../sizes.js'
import { beside } from './beside.js'
import { randomData, realData, type TableData } from './table-data.js'

const ROW = DIMS / 8
const NIBBLES = 2 * ROW

/**
 * The asymmetric scan of bits in turns with the Hamming scan: in cache, at the corpus' size, beyond the last cache. How
 * much of a row it looks at depends on the data, so each stands for random bits and for real embeddings.
 */
export async function tableLines(sizes: Sizes, embedded: Embedded): Promise<Line[]> {
  const real = realData(embedded, sizes)
  const cached = Math.min(CACHED_ROWS, sizes.rows)
  return [
    ...(await scanLines('cache', cached, randomData, sizes)),
    ...(await scanLines('bits', sizes.rows, randomData, sizes)),
    ...(await scanLines('memory', sizes.memoryRows, randomData, sizes)),
    ...(await scanLines('real-cache', cached, real, sizes)),
    ...(await scanLines('real-bits', sizes.rows, real, sizes)),
    ...(await scanLines('real-memory', sizes.memoryRows, real, sizes)),
  ]
}

async function scanLines(group: string, rows: number, fill: TableData, sizes: Sizes): Promise<Line[]> {
  const bytes = rows * ROW
  const scratch = Math.max(tableScratchBytes(1, TOP_K, ROW), hammingScratchBytes(1, TOP_K, ROW))
  const { kernels, read, buffer, at } = openArena({
    codes: bytes,
    query: ROW,
    table: 16 * NIBBLES,
    ids: 4 * TOP_K,
    scores: 4 * TOP_K,
    scratch,
  })
  const codes = new Uint8Array(buffer, at.codes, bytes)
  const table = new Uint8Array(buffer, at.table, 16 * NIBBLES)
  fill({ codes, query: new Uint8Array(buffer, at.query, ROW), table })
  const scan = (k: number) => () =>
    kernels.scanTableTopK(at.table, 1, at.codes, rows, ROW, k, at.scratch, at.ids, at.scores)
  const hamming = (k: number) => () =>
    kernels.hammingTopK(at.query, 1, at.codes, rows, ROW, k, at.scratch, at.ids, at.scores)
  const forms = [
    {
      name: 'hamming',
      what: `Hamming, top 1, ${rows} x 48 B${group.startsWith('real') ? ', real' : ''}`,
      run: hamming(1),
    },
    { name: 'hamming100', what: 'Hamming, top 100', run: hamming(TOP_K) },
    { name: 'table', what: 'asymmetric table scan, top 1', run: scan(1) },
    { name: 'table100', what: 'asymmetric table scan, top 100', run: scan(TOP_K) },
  ]
  const bytewise = byteTables(table)
  const javascript = { name: 'JavaScript', run: () => scanTableTopKJs(bytewise, codes, ROW, TOP_K) }
  scan(TOP_K)()
  verify(
    String(javascript.run()) === String(new Uint32Array(buffer, at.ids, TOP_K)),
    'table ids differ from JavaScript',
  )
  return beside({ group, forms, javascript, read, ptr: at.codes, bytes }, sizes)
}

/** The two nibbles of a byte added up: one look-up a byte. */
function byteTables(table: Uint8Array): Uint16Array {
  const wide = new Uint16Array(ROW * 256)
  for (let b = 0; b < ROW; b++) {
    for (let code = 0; code < 256; code++) {
      wide[(b << 8) | code] = table[32 * b + (code >> 4)]! + table[32 * b + 16 + (code & 15)]!
    }
  }
  return wide
}
