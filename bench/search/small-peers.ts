import { QuantizedIndex } from '../../src/index.js'
import { fillFloats } from '../arena.js'
import { type Contender, interleave, verify } from '../measure.js'
import type { Section } from '../results.js'
import { DIMS, type Sizes } from '../sizes.js'

/** The part of simsimd's npm package that the bench calls: one distance a call. */
export interface Simsimd {
  hamming(a: Uint8Array, b: Uint8Array): number
}

/** A flat index of bits over `rows` x 48 bytes; edgevec's, opened by `openEdgevec`. */
export interface BinarySearch {
  search(query: Uint8Array, k: number): { readonly score: number }[]
}

export type OpenBinarySearch = (codes: Uint8Array, rowBytes: number) => BinarySearch

export interface SmallPeers {
  readonly simsimd?: Simsimd | undefined
  readonly edgevec?: OpenBinarySearch | undefined
}

const ROW = DIMS / 8
const K = 10

/** Peers that take long to fill or are called once a pair, over 20,000 codes. */
export async function smallPeerSection({ simsimd, edgevec }: SmallPeers, sizes: Sizes): Promise<Section> {
  const rows = Math.min(20_000, sizes.rows)
  const data = fillFloats(new Float32Array((rows + 1) * DIMS), 31)
  const corpus = { data: data.subarray(0, rows * DIMS), dims: [rows, DIMS] }
  const query = data.subarray(rows * DIMS)
  const index = QuantizedIndex.build(corpus, { coarse: 'binary', rescore: 'none' })
  const codes = packedRows(data, rows + 1)
  const queryCode = codes.subarray(rows * ROW)
  const { distances } = index.search(query, { topK: K })
  const contenders: (Contender & { readonly what: string })[] = [
    { name: 'packvec', what: `packvec binary, top ${K}`, run: () => index.search(query, { topK: K }) },
  ]
  if (simsimd) {
    const views = Array.from({ length: rows }, (_, i) => codes.subarray(i * ROW, (i + 1) * ROW))
    const all = new Uint16Array(rows)
    const run = () => {
      for (let i = 0; i < rows; i++) all[i] = simsimd.hamming(views[i]!, queryCode)
      return all
    }
    verify(String(run().slice().sort().subarray(0, K)) === String(distances), 'simsimd finds other distances')
    contenders.push({ name: 'simsimd', what: 'simsimd (npm), a call a pair, no top-k', run })
  }
  if (edgevec) {
    const flat = edgevec(codes.subarray(0, rows * ROW), ROW)
    const found = flat.search(queryCode, K).map(({ score }) => score)
    verify(String(found) === String(distances), `edgevec finds other distances: ${found} for ${distances}`)
    const run = () => flat.search(queryCode, K)
    contenders.push({ name: 'edgevec', what: `edgevec (npm) flat binary, top ${K}`, run })
  }
  const timings = await interleave(contenders, sizes.turns)
  const own = timings[0]!.median
  const lines = contenders.map(({ name, what }, i) => {
    const timing = timings[i]!
    const times = `packvec ${(timing.median / own).toFixed(1)} times faster`
    return { id: `20k.${name}`, what, timing, ...(i === 0 ? {} : { note: times }) }
  })
  return { title: `Other npm packages over ${rows} x 48 bytes of codes, one thread`, lines }
}

function packedRows(values: Float32Array, rows: number): Uint8Array {
  const codes = new Uint8Array(rows * ROW)
  for (let i = 0; i < values.length; i++) if (values[i]! > 0) codes[i >> 3]! |= 0x80 >> (i & 7)
  return codes
}
