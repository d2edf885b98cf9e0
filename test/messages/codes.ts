import { Calibration, dequantizeEmbeddings, Levels, quantizeEmbeddings } from '../../src/index.js'
import type { Provocation } from './recorder.js'
import { offCentre, rows, wide } from './sample-rows.js'
import { any, silent } from './wrong.js'

const calibration = Calibration.from(rows)
const levels = Levels.from(rows, 'int4')
const int8 = quantizeEmbeddings(rows, 'int8', { scale: true, ...silent })
const quantize = (embeddings: unknown, precision: unknown = 'binary', options: object = silent) =>
  quantizeEmbeddings(any(embeddings), any(precision), options)

export const codeCalls: Provocation[] = [
  () => quantize(rows, 'int5'),
  () => quantize(rows, 'int8', { rangs: 1 }),
  () => quantize(rows, 'int8', { authorization: 'Bearer secret' }),
  () => quantize(rows, 'int8', any(5)),
  () => quantize(rows, 'int8', { ranges: [[0, 0, 0]] }),
  () =>
    quantize(rows, 'int8', {
      ranges: [
        [1, 1, 1],
        [0, 0, 0],
      ],
    }),
  () =>
    quantize(rows, 'int8', {
      ranges: [
        [0, 0],
        [1, 1],
      ],
    }),
  () => quantize(rows, 'int8', { calibrationEmbeddings: [] }),
  () => quantize(rows, 'int8', { calibrationEmbeddings: [[1, 2]] }),
  () => quantize(rows, 'int8', { percentiles: [50, 50] }),
  () => quantize(rows, 'int8', { scope: 'row' }),
  () => quantize(rows, 'int8', { scale: 'float64' }),
  () => quantize(rows, 'int8', { rounding: 'up' }),
  () => quantize(rows, 'int8', { onWarning: 5 }),
  () => quantize(rows, 'int8', { onWarning: class {} }),
  () => quantize([rows[0]], 'int8'),
  () => quantize([rows[0]], 'int4'),
  () => quantize(rows, 'int8', {}),
  () => quantize(rows, 'int4', {}),
  () => quantize(rows, 'int4', { levels: 5 }),
  () => quantize(rows, 'ternary', { levels }),
  () => quantize([[1, 2]], 'int4', { levels }),
  () => quantize(offCentre(64, 8), 'binary', {}),
  () => quantize(wide(64, 8), 'int8', {}),
  () =>
    quantize(
      [
        [3e38, 1],
        [-3e38, 1],
      ],
      'int8',
    ),
  () => dequantizeEmbeddings(any(5)),
  () => dequantizeEmbeddings(any(5), { precision: 'int8' }),
  () => dequantizeEmbeddings({ data: new Int8Array(3), dims: [1, 3] }, { precision: 'int8' }),
  () => dequantizeEmbeddings({ data: new Uint8Array(4), dims: [4, 1] }, { precision: 'int4', dims: 2 }),
  () => dequantizeEmbeddings({ data: new Uint8Array(3), dims: [1, 3] }, { precision: 'int8' }),
  () => dequantizeEmbeddings({ data: new Uint8Array(3), dims: [1, 3] }, { precision: 'ubinary', dims: 50 }),
  () => dequantizeEmbeddings({ data: new Uint8Array(3), dims: [1, 3] }, { precision: 'ubinary', dims: 100_000 }),
  () => dequantizeEmbeddings(int8, { precision: 'uint8' }),
  () => dequantizeEmbeddings({ ...int8, rows: 3 }),
  () => dequantizeEmbeddings({ ...int8, rows: -1 }),
  () => dequantizeEmbeddings({ ...int8, scales: any([1]) }),
  () => dequantizeEmbeddings({ ...int8, scales: new Float32Array(1) }),
  () => dequantizeEmbeddings({ ...int8, scales: new Float32Array(4).fill(Number.NaN) }),
  () => dequantizeEmbeddings({ ...int8, calibration: any({}) }),
  () =>
    dequantizeEmbeddings(int8, {
      ranges: [
        [0, 0],
        [1, 1],
      ],
    }),
  () => new Calibration(0),
  () => new Calibration(100_000),
  () => Calibration.from([]),
  () => new Calibration(3).ranges,
  () => calibration.clone().merge(any(rows)),
  () => calibration.clone().merge(new Calibration(2)),
  () => calibration.clone().add([[1, 2]]),
  () => Calibration.fromJSON('not JSON'),
  () => Calibration.fromJSON(any({})),
  () => Calibration.fromJSON(any({ ...calibration.toJSON(), version: 2 })),
  () => Calibration.fromJSON(any({ ...calibration.toJSON(), rows: -1 })),
  () => Calibration.fromJSON(any({ ...calibration.toJSON(), min: [1] })),
  () => Levels.from([], 'int4'),
  () => Levels.from(rows, any('int8')),
  () => Levels.fromJSON('not JSON'),
  () => Levels.fromJSON(any({})),
  () => Levels.fromJSON(any({ ...levels.toJSON(), version: 2 })),
  () => Levels.fromJSON(any({ ...levels.toJSON(), dims: 0 })),
  () => Levels.fromJSON(any({ ...levels.toJSON(), thresholds: [] })),
]
