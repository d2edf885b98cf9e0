import { dotScratchBytes, hammingScratchBytes } from '../../src/kernels/scratch-sizes.js'
import { fillBytes, openArena } from '../arena.js'
import { dotI8TopKJs, dotPairsTopKJs, hammingTopKJs } from '../javascript.js'
import { verify } from '../measure.js'
import type { Line } from '../results.js'
import { DIMS, type Sizes, TOP_K } from '../sizes.js'
import { beside } from './beside.js'

/** Codes with seeded bytes, room for one query of `queryBytes` and for the results of a top-k kernel. */
function openCodes(rows: number, rowBytes: number, queryBytes: number, scratch: number) {
  const bytes = rows * rowBytes
  const arena = openArena({ codes: bytes, query: queryBytes, ids: 4 * TOP_K, scores: 4 * TOP_K, scratch })
  const { buffer, at } = arena
  fillBytes(new Uint8Array(buffer, at.codes, bytes), 2)
  fillBytes(new Uint8Array(buffer, at.query, queryBytes), 3)
  const ids = () => String(new Uint32Array(buffer, at.ids, TOP_K))
  return { ...arena, bytes, ids, region: { read: arena.read, ptr: at.codes, bytes } }
}

/** Hamming over rows of 48 bytes. With k = 1 the select has next to nothing to do: the scan alone. */
export async function hammingLines(sizes: Sizes): Promise<Line[]> {
  const { rows } = sizes
  const rowBytes = DIMS / 8
  const scratch = hammingScratchBytes(1, TOP_K, rowBytes)
  const { kernels, buffer, at, bytes, ids, region } = openCodes(rows, rowBytes, rowBytes, scratch)
  const query = new Int32Array(buffer, at.query, rowBytes / 4)
  const codes = new Int32Array(buffer, at.codes, bytes / 4)
  const top = (k: number) => () =>
    kernels.hammingTopK(at.query, 1, at.codes, rows, rowBytes, k, at.scratch, at.ids, at.scores)
  const forms = [
    { name: 'top1', what: `Hamming, top 1, ${rows} x 48 B`, run: top(1) },
    { name: 'top100', what: 'Hamming, top 100', run: top(TOP_K) },
  ]
  const javascript = { name: 'JavaScript', run: () => hammingTopKJs(query, codes, TOP_K) }
  top(TOP_K)()
  verify(String(javascript.run()) === ids(), 'Hamming ids differ from plain JavaScript')
  return beside({ group: 'hamming', forms, javascript, ...region }, sizes)
}

/** Symmetric dot of 2-bit codes, 96 bytes a row. */
export async function pairLines(sizes: Sizes): Promise<Line[]> {
  const { rows } = sizes
  const rowBytes = DIMS / 4
  const opened = openCodes(rows, rowBytes, rowBytes, dotScratchBytes(1, TOP_K))
  const { kernels, buffer, at, bytes, ids, region } = opened
  const query = new Int32Array(buffer, at.query, rowBytes / 4)
  const codes = new Int32Array(buffer, at.codes, bytes / 4)
  const quaternary = {
    name: 'packvec',
    what: '2-bit codes with 2-bit codes, top 100',
    run: () =>
      kernels.dotPairsTopK(at.query, 1, at.codes, rows, rowBytes, TOP_K, 3, DIMS, at.scratch, at.ids, at.scores),
  }
  const javascript = { name: 'JavaScript', run: () => dotPairsTopKJs(query, codes, DIMS, TOP_K) }
  quaternary.run()
  verify(String(javascript.run()) === ids(), '2-bit ids differ from plain JavaScript')
  return beside({ group: 'pairs', forms: [quaternary], javascript, ...region }, sizes)
}

/** Dot of an int16 query with int8 rows. */
export async function byteLines(sizes: Sizes): Promise<Line[]> {
  const { rows } = sizes
  const { kernels, buffer, at, bytes, ids, region } = openCodes(rows, DIMS, 2 * DIMS, dotScratchBytes(1, TOP_K))
  const codes = new Int8Array(buffer, at.codes, bytes)
  const query = new Int16Array(buffer, at.query, DIMS)
  for (let d = 0; d < DIMS; d++) query[d] = ((d * 7919) % 4001) - 2000
  const dot = {
    name: 'packvec',
    what: 'int8 dot, top 100',
    run: () => kernels.dotI8TopK(at.query, 1, at.codes, rows, DIMS, TOP_K, at.scratch, at.ids, at.scores),
  }
  const javascript = { name: 'JavaScript', run: () => dotI8TopKJs(query, codes, TOP_K) }
  dot.run()
  verify(String(javascript.run()) === ids(), 'int8 ids differ from plain JavaScript')
  return beside({ group: 'int8', forms: [dot], javascript, ...region }, sizes)
}
