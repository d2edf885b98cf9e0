import { Calibration, Levels, QuantizedIndex } from '../../src/index.js'
import { Moments, Rotation } from '../../src/rotations.js'
import { debug } from './debug.js'

const rows = [
  [0.5, -1],
  [1, 0.25],
]
const onWarning = () => {}

/** What getters and proxies throw. */
export const OWN_ERROR = 'a getter threw this'

function thrower(): never {
  throw new TypeError(OWN_ERROR)
}

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

function detached<T extends ArrayBufferView>(view: T): T {
  structuredClone(view.buffer, { transfer: [view.buffer as ArrayBuffer] })
  return view
}

function resized(): Float32Array {
  const buffer = new (ArrayBuffer as unknown as new (bytes: number, options: object) => ArrayBuffer)(64, {
    maxByteLength: 128,
  })
  const view = new Float32Array(buffer)
  ;(buffer as unknown as { resize?: (bytes: number) => void }).resize?.(8)
  return view
}

/** Values that no argument expects, each made anew: some are used up by what reads them. */
export const JUNK: Readonly<Record<string, () => unknown>> = {
  undefined: () => undefined,
  null: () => null,
  true: () => true,
  false: () => false,
  NaN: () => Number.NaN,
  infinity: () => Number.POSITIVE_INFINITY,
  'minus infinity': () => Number.NEGATIVE_INFINITY,
  zero: () => 0,
  'minus zero': () => -0,
  'minus one': () => -1,
  half: () => 0.5,
  '2^31': () => 2 ** 31,
  '2^32': () => 2 ** 32,
  '2^40': () => 2 ** 40,
  '2^53': () => 2 ** 53,
  '1e308': () => 1e308,
  'the least number': () => Number.MIN_VALUE,
  bigint: () => 10n,
  symbol: () => Symbol('junk'),
  'empty text': () => '',
  text: () => 'junk',
  'number as text': () => '3',
  'long text': () => 'x'.repeat(100_000),
  'text with a NUL': () => 'a\0b',
  'half a character': () => '\ud800',
  'prototype key': () => '__proto__',
  'malformed URL': () => 'http://[',
  'URL of another scheme': () => 's3://bucket/key',
  'file URL of another host': () => 'file://host/x',
  'data URL': () => 'data:,x',
  JSON: () => '{"format":"packvec-calibration","version":1,"dims":1e9,"rows":0,"min":[],"max":[]}',
  'broken JSON': () => '{',
  'a URL': () => new URL('file:///no/such/file'),
  'a URL of another host': () => new URL('file://host/no/such/file'),
  'empty array': () => [],
  'nested empty array': () => [[]],
  'array of null': () => [null],
  'array of texts': () => ['1', '2'],
  'array of symbols': () => [Symbol('a'), Symbol('b')],
  'ragged rows': () => [[1], [1, 2]],
  'deep rows': () => [[[[1]]]],
  'array with holes': () => new Array(3),
  'the longest array': () => new Array(2 ** 32 - 1),
  'two numbers': () => [1, 2],
  'two rows': () => rows,
  'rows of NaN': () => [[Number.NaN, 1]],
  'rows of infinity': () => [[1e39, 1]],
  object: () => ({}),
  'object without prototype': () => Object.create(null),
  'tensor of nothing': () => ({ data: null, dims: null }),
  'tensor that claims much': () => ({ data: new Float32Array(4), dims: [2 ** 40, 2 ** 40] }),
  'tensor of negative dims': () => ({ data: new Float32Array(4), dims: [-2, -2] }),
  'tensor of a symbol': () => ({ data: new Float32Array(4), dims: [Symbol('dims'), 2] }),
  'tensor of text': () => ({ data: 'abcd', dims: [2, 2] }),
  'tensor of codes': () => ({ data: new Uint8Array(4), dims: [2, 2] }),
  'tensor of bigints': () => ({ data: new BigInt64Array(4), dims: [2, 2] }),
  'tensor without rows': () => ({ data: new Float32Array(0), dims: [0, 2] }),
  'codes of nothing': () => ({ data: new Int8Array(0), rows: 2 ** 40, dims: 0, rowBytes: 0, precision: 'int8' }),
  'codes that claim much': () => ({ data: new Int8Array(2), rows: 2, dims: 1, rowBytes: 1, precision: 'int4' }),
  'length alone': () => ({ length: 2 ** 53 }),
  'circular object': () => {
    const circle: { self?: unknown } = {}
    circle.self = circle
    return circle
  },
  function: () => () => {},
  'async function': () => async () => {},
  class: () => class {},
  map: () => new Map([[1, 2]]),
  set: () => new Set([1, 'a']),
  'weak map': () => new WeakMap(),
  date: () => new Date(Number.NaN),
  'regular expression': () => /x/,
  promise: () => Promise.resolve(1),
  error: () => new Error('junk'),
  'empty floats': () => new Float32Array(0),
  'floats of NaN': () => Float32Array.of(Number.NaN, 1),
  doubles: () => Float64Array.of(1, 2),
  'signed bytes': () => Int8Array.of(1, 2),
  bytes: () => Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 123, 125),
  words: () => Uint32Array.of(0, 1),
  'big words': () => new BigUint64Array(2),
  view: () => new DataView(new ArrayBuffer(8)),
  'empty buffer': () => new ArrayBuffer(0),
  buffer: () => new ArrayBuffer(16),
  'shared buffer': () => new SharedArrayBuffer(16),
  'shared floats': () => new Float32Array(new SharedArrayBuffer(8)),
  'resized floats': resized,
  'detached floats': () => detached(Float32Array.of(1, 2)),
  'detached bytes': () => detached(Uint8Array.of(1, 2)),
  'proxy that throws': () => new Proxy({}, { get: thrower, has: thrower, ownKeys: thrower }),
  'proxy of an array': () => new Proxy([1, 2], { get: thrower }),
  'revoked proxy': revoked,
  'getter that throws': () => Object.defineProperty({}, 'data', { enumerable: true, get: thrower }),
  'text that throws': () => ({ toString: thrower, valueOf: thrower, [Symbol.toPrimitive]: thrower }),
  'row that throws': () => [[1, 2], new Proxy([1, 2], { get: thrower })],
  blob: () => new Blob(['junk']),
  'aborted signal': () => AbortSignal.abort(),
  'a wasm module': () => new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)),
  'an index': () => QuantizedIndex.build(rows, { onWarning }),
  'an index of packvec/debug': () => debug.QuantizedIndex.build(rows, { onWarning }),
  'ranges of packvec/debug': () => debug.Calibration.from(rows),
  'levels of packvec/debug': () => debug.Levels.from(rows, 'int4'),
  ranges: () => Calibration.from(rows),
  levels: () => Levels.from(rows, 'ternary'),
  rotation: () => Rotation.hadamard(2),
  moments: () => Moments.from(rows),
}
