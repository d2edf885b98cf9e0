import { QuantizedIndex, quantizeEmbeddings } from '../../src/index.js'
import type { Provocation } from './recorder.js'
import { any, silent } from './wrong.js'

const quantize = (embeddings: unknown, precision: unknown = 'binary', options: object = silent) =>
  quantizeEmbeddings(any(embeddings), any(precision), options)

export const rowCalls: Provocation[] = [
  () => quantize('text'),
  () => quantize(undefined),
  () => quantize([['a']]),
  () => quantize([[null, 1]]),
  () => quantize([[1, 2], [1]]),
  () => quantize([[1, 2], 'b']),
  () => quantize([[]]),
  () => quantize([new Float32Array(2), new Float32Array(3)]),
  () => quantize([1, Number.NaN]),
  () =>
    quantize([[1, Number.POSITIVE_INFINITY]], 'int8', {
      ranges: [
        [0, 0],
        [1, 1],
      ],
    }),
  () => quantize([[1e300, 1]]),
  () => quantize({ data: 'text', dims: [1, 4] }),
  () => quantize({ data: [1, 2], dims: 'wide' }),
  () => quantize({ data: [1, 2], dims: [1, 1, 2] }),
  () => quantize({ data: [1, 2], dims: [0.5, 2] }),
  () => quantize({ data: [1, 2], dims: [1, 0] }),
  () => quantize({ data: [1, 2], dims: [1, -2] }),
  () => quantize({ data: [1, 2], dims: [1, 100_000] }),
  () => quantize({ data: [1, 2], dims: [1, 3] }),
  () => quantize(new Int8Array(4)),
  () => quantize(new BigInt64Array(4)),
  () => QuantizedIndex.build(new Float32Array(7), { dims: 3 }),
  () =>
    quantize({
      get data() {
        throw new TypeError('no data today')
      },
      dims: [1, 2],
    }),
]
