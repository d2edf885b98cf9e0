import {
  Calibration,
  init,
  PackvecError,
  QuantizedIndex,
  quantizeEmbeddings,
  semanticSearch,
  transformEmbeddings,
} from '../../src/index.js'
import { Rotation } from '../../src/rotations.js'
import type { Provocation } from './recorder.js'
import { offCentre, rows, scaled } from './sample-rows.js'
import { any, silent } from './wrong.js'

const int8 = quantizeEmbeddings(rows, 'int8', { scale: true, ...silent })
const ubinary = quantizeEmbeddings(rows, 'ubinary')
const index = QuantizedIndex.build(rows, silent)
const build = (options: object, embeddings: unknown = rows) =>
  QuantizedIndex.build(any(embeddings), { ...silent, ...options })
const search = (options: object, query: unknown = rows[0]) => index.search(any(query), options)

export const searchCalls: Provocation[] = [
  () => build({}, []),
  () => build({ coarse: 'int7' }),
  () => build({ rescore: 'int7' }),
  () => build({ capacity: 0.5 }),
  () => build({ precision: 'int8' }),
  () => build({ truncateDim: 2 }),
  () => build({ truncate: 5 }),
  () => build({ truncate: 0 }),
  () => build({ renormalize: 1 }),
  () => build({ center: 'mean' }),
  () => build({ center: [1, 2] }),
  () => build({ center: [1, 2, Number.NaN] }),
  () => build({ rotation: 'svd' }),
  () => build({ rotation: Rotation.hadamard(5) }),
  () => build({ ranges: 5 }),
  () =>
    build({
      ranges: Calibration.from([
        [1, 2],
        [3, 4],
      ]),
    }),
  () => build({ calibrationEmbeddings: [[1, 2]] }),
  () => build({ coarse: 'int8', onWarning: undefined }, offCentre(64, 8)),
  () => build({ onWarning: undefined }, offCentre(64, 8)),
  () =>
    build(
      { coarse: 'int8', rescore: 'none', onWarning: undefined, ranges: Calibration.from(scaled(50, 0.1)) },
      scaled(64, 1),
    ),
  () => {
    const small = scaled(64, 0.1)
    const grown = QuantizedIndex.build(small, { coarse: 'int8', rescore: 'none', calibrationEmbeddings: small })
    grown.add(scaled(64, 1))
  },
  () => {
    const small = scaled(64, 0.1)
    const grown = QuantizedIndex.build(small, { coarse: 'int4', rescore: 'none', calibrationEmbeddings: small })
    grown.add(scaled(64, 1))
  },
  () =>
    build({ rotation: Rotation.hadamard(3) }, [
      [3e38, 3e38, 3e38],
      [1, 2, 3],
    ]),
  () => transformEmbeddings(rows, any({ truncate: 'two' })),
  () => index.add([[1, 2]]),
  () => index.add(rows, { ids: [1, 2, 3, 4] }),
  () => new (any(QuantizedIndex))(rows),
  () => search({ topK: 0 }),
  () => search({ k: 3 }),
  () => search({ rescoreMultiplier: 0.5 }),
  () => search({ scoring: 'cosine' }),
  () => search({ minScore: Number.NaN }),
  () => search({ filter: 5 }),
  () => search({ filter: { bits: 'all' } }),
  () => search({ filter: { bits: new Uint8Array(2) } }),
  () => search({ filter: [0, 9] }),
  () => search({}, [1, 2]),
  () => search({}, [[1, 2]]),
  () => search({}, new Uint8Array(3)),
  () => {
    const gone = build({})
    gone.dispose()
    gone.search(rows[0]!)
  },
  () => semanticSearch(rows[0]!, []),
  () => semanticSearch(rows[0]!, rows, { precision: 'int6' as 'int8' }),
  () => semanticSearch(new Int8Array(3) as never, rows, silent),
  () => semanticSearch([1, 2], rows, silent),
  () => semanticSearch(rows[0]!, int8, { precision: 'uint8' }),
  () => semanticSearch(rows[0]!, { data: new Uint8Array(4), dims: [4, 1] }),
  () => semanticSearch(ubinary, ubinary, { scoring: 'asymmetric' }),
  () => semanticSearch(ubinary, ubinary, { rescore: true }),
  () => semanticSearch(rows[0]!, rows, { precision: 'float32', rescore: true }),
  () => semanticSearch(rows[0]!, { data: new Int8Array(12), dims: [4, 3] }, { precision: 'int8' }),
  () => init(any({ backend: 'gpu' })),
  () => init(any({ popcount: 'gpu' })),
  () => init({ module: any(5) }),
  () => init({ module: new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)) }),
  () => build({ capacity: 2 ** 32 }),
  () => {
    throw new PackvecError('IO', 'url', 'a message with https://user:password@host/path?token=secret')
  },
]
