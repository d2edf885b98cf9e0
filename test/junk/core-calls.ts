import type * as core from '../../src/index.js'
import { Rotation } from '../../src/rotations.js'
import { type Call, onWarning, query, rows } from './calls.js'

/** Every function of `packvec`, or of `packvec/debug`, which has the same. */
export function coreCalls(entry: string, library: typeof core): Call[] {
  const { Calibration, Levels, QuantizedIndex } = library
  const { quantizeEmbeddings, dequantizeEmbeddings, semanticSearch, transformEmbeddings, init, backend } = library
  const calibration = Calibration.from(rows)
  const levels = Levels.from(rows, 'int4')
  const codes = quantizeEmbeddings(rows, 'int8', { scale: true, onWarning })
  const index = QuantizedIndex.build(rows, { onWarning })
  const stateOf = (one: core.QuantizedIndex) => () => JSON.stringify([one.size, one.search(query)])
  const quantize = { ranges: calibration, scope: 'dimension', scale: true, rounding: 'floor', onWarning }
  const build = { coarse: 'binary', rescore: 'int8', calibrationEmbeddings: rows, capacity: 10, scale: true, onWarning }
  const transform = { truncate: 3, renormalize: true, rotation: Rotation.hadamard(3) }
  const search = { topK: 2, rescoreMultiplier: 4, scoring: 'asymmetric', filter: [0, 1], minScore: -5 }
  const calls: Call[] = [
    { name: 'quantizeEmbeddings', args: () => [rows, 'int8', quantize], run: quantizeEmbeddings },
    {
      name: 'quantizeEmbeddings',
      args: () => [rows, 'int4', { levels, percentiles: [1, 99] }],
      run: quantizeEmbeddings,
    },
    { name: 'quantizeEmbeddings', args: () => [[rows, rows], 'ternary', { onWarning }], run: quantizeEmbeddings },
    { name: 'dequantizeEmbeddings', args: () => [{ ...codes }, { ranges: calibration }], run: dequantizeEmbeddings },
    {
      name: 'dequantizeEmbeddings',
      args: () => [
        { data: new Uint8Array(8), dims: [4, 2] },
        { precision: 'int4', dims: 3, levels },
      ],
      run: dequantizeEmbeddings,
    },
    { name: 'transformEmbeddings', args: () => [rows, { ...transform, dims: 3 }], run: transformEmbeddings },
    {
      name: 'semanticSearch',
      args: () => [query, rows, { ...search, precision: 'int8', onWarning }],
      run: semanticSearch,
    },
    { name: 'semanticSearch', args: () => [rows, { ...codes }, { ...search, rescore: true }], run: semanticSearch },
    { name: 'Calibration.constructor', args: () => [3], run: (dims) => new Calibration(dims) },
    { name: 'Calibration.from', args: () => [rows, { scope: 'global', percentiles: [1, 99] }], run: Calibration.from },
    { name: 'Calibration.fromRanges', args: () => [[query, query], { dims: 3 }], run: Calibration.fromRanges },
    { name: 'Calibration.fromJSON', args: () => [{ ...calibration.toJSON() }], run: Calibration.fromJSON },
    {
      name: 'Calibration.add',
      args: () => [rows],
      run: (more) => calibration.add(more),
      state: () => JSON.stringify(calibration),
    },
    {
      name: 'Calibration.merge',
      args: () => [calibration],
      run: (other) => calibration.merge(other),
      state: () => JSON.stringify(calibration),
    },
    { name: 'Levels.from', args: () => [rows, 'ternary', { scope: 'global' }], run: Levels.from },
    { name: 'Levels.fromJSON', args: () => [{ ...levels.toJSON() }], run: Levels.fromJSON },
    {
      name: 'QuantizedIndex.build',
      args: () => [rows, build],
      run: (...args) => QuantizedIndex.build(...(args as [never])),
    },
    {
      name: 'QuantizedIndex.build',
      args: () => [rows, { ...transform, ranges: calibration, percentiles: [0, 100], onWarning }],
      run: (...args) => QuantizedIndex.build(...(args as [never])),
    },
    {
      name: 'QuantizedIndex.search',
      args: () => [query, search],
      run: (...args) => index.search(...(args as [never])),
      state: stateOf(index),
    },
    {
      name: 'QuantizedIndex.search',
      args: () => [rows, { filter: { bits: Uint8Array.of(7) } }],
      run: (...args) => index.search(...(args as [never])),
    },
    {
      name: 'QuantizedIndex.searchMany',
      args: () => [query, search],
      run: (...args) => index.searchMany(...(args as [never])),
      state: stateOf(index),
      weight: 0.3,
    },
    {
      name: 'QuantizedIndex.add',
      args: () => [rows, { dims: 3 }],
      run: (...args) => growing(args),
      state: () => stateOf(grown)(),
    },
    { name: 'backend', args: () => [], run: backend },
    {
      name: 'init',
      args: () => [{ backend: 'wasm', popcount: 'i64' }],
      run: init,
      close: () => init({ backend: 'wasm' }),
    },
    {
      name: 'PackvecError.constructor',
      args: () => ['IO', 'path', 'a message'],
      run: (...args) => made(library, args),
    },
  ]
  let grown = QuantizedIndex.build(rows, { onWarning })
  const growing = (args: unknown[]) => {
    grown.add(...(args as [never]))
    if (grown.size > 100) grown = QuantizedIndex.build(rows, { onWarning })
  }
  return calls.map((call) => ({ ...call, name: `${entry} ${call.name}` }))
}

function made({ PackvecError }: typeof core, args: unknown[]): unknown {
  return new PackvecError(...(args as ['IO', string, string]))
}
