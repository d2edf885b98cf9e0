import { encodeFaiss } from '../../src/formats/faiss.js'
import { npyHeaderOf } from '../../src/formats/npy.js'
import { encodeSafetensors } from '../../src/formats/safetensors.js'
import { type BuildOptions, Calibration, Levels, QuantizedIndex } from '../../src/index.js'
import { Rotation, randomRotation, svdRotation } from '../../src/rotations.js'
import { matrix } from '../random.js'
import { indexFile } from '../storage/index-files.js'

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
const DIMS = 9
const rows = matrix(5, DIMS, 1)
const quiet = { onWarning() {} }

function npy(descr: string, dims: readonly number[], dataBytes: number): Uint8Array {
  return Buffer.concat([npyHeaderOf(descr, dims), Uint8Array.from({ length: dataBytes }, (_, i) => i)])
}

/** Versions 2 and 3 have four bytes of length. */
function npyOfVersion(version: number): Uint8Array {
  const text = `${"{'descr': '<f2', 'fortran_order': False, 'shape': (2, 3), }".padEnd(115)}\n`
  const head = Buffer.from(`\x93NUMPY${String.fromCharCode(version)}\0\0\0\0\0`, 'latin1')
  head.writeUInt32LE(text.length, 8)
  return Buffer.concat([head, Buffer.from(text), Buffer.alloc(12)])
}

export const npySeeds = [
  npy('<f4', [2, 3], 24),
  npy('<f8', [3], 24),
  npy('<f2', [2, 2, 3], 24),
  npy('|u1', [24], 24),
  npy('|i1', [0, 5], 0),
  npyOfVersion(2),
  npyOfVersion(3),
]

export const faissSeeds = [
  encodeFaiss({ kind: 'ip', data: new Float32Array(6), rows: 2, dims: 3 }),
  encodeFaiss({ kind: 'l2', data: new Float32Array(4), rows: 1, dims: 4 }),
  encodeFaiss({ kind: 'binary', data: new Uint8Array(6), rows: 3, dims: 16 }),
  encodeFaiss({ kind: 'ip', data: new Float32Array(0), rows: 0, dims: 3 }),
]

const OPTIONS: readonly BuildOptions[] = [
  { coarse: 'binary', rescore: 'int8' },
  { coarse: 'ubinary', rescore: 'none' },
  { coarse: 'int8', rescore: 'none', scale: true },
  { coarse: 'int4', rescore: 'float32', scale: 'float32' },
  { coarse: 'quaternary', rescore: 'uint8', scale: true, rotation: Rotation.hadamard(DIMS, { seed: 3 }) },
  { coarse: 'ternary', rescore: 'none', scope: 'dimension', rotation: randomRotation(DIMS, { seed: 3 }) },
  { coarse: 'float32', rescore: 'none', rotation: svdRotation(matrix(30, DIMS, 2), { center: true }) },
  { coarse: 'binary', rescore: 'float32', scale: true, truncate: 7, renormalize: true },
]
const indexes = OPTIONS.map((options) => QuantizedIndex.build(rows, { ...options, ...quiet }))

export const indexSeeds = [
  ...indexes.map((index) => indexFile(index, {})),
  indexFile(indexes[0]!, { keys: ['a', 'bb', 'ccc', '\ufeffd', '\u{1f600}'], deleted: [1] }),
  indexFile(indexes[2]!, { ids: [7, 5, 4_000_000_000, 0, 1], deleted: [0, 4] }),
]

export const safetensorsSeeds = [
  ...indexSeeds.slice(0, 3),
  encodeSafetensors(
    [
      { name: 'a', dtype: 'F32', shape: [2], data: new Uint8Array(8) },
      { name: 'b', dtype: 'U8', shape: [0], data: new Uint8Array(0) },
    ],
    { k: 'v' },
  ),
]

const sample = matrix(4, 3, 3)
export const bookSeeds = [
  Calibration.from(sample),
  Levels.from(sample, 'ternary'),
  Levels.from(sample, 'quaternary', { scope: 'dimension' }),
  Levels.from(sample, 'int4'),
].map((book) => utf8(JSON.stringify(book)))

export const codesSeeds = [
  { type: 'Uint8Array', length: 6, precision: 'ubinary', rows: 3, dims: 16, rowBytes: 2, query: 16, topK: 2 },
  { type: 'Int8Array', length: 12, precision: 'int8', rows: 3, dims: 4, rowBytes: 4, query: 4, scales: 3, topK: 9 },
  { type: 'Uint8Array', length: 4, precision: 'int4', rows: 2, dims: 4, rowBytes: 2, query: 4, topK: 1 },
  { type: 'Int8Array', length: 2, dims: [2, 1], query: 8, options: { precision: 'binary', rescore: false } },
  { type: 'Float32Array', length: 6, dims: [2, 3], query: 3, options: { precision: 'uint8', filter: [0, 1] } },
].map((codes) => utf8(JSON.stringify(codes)))

export const manifestSeeds = [
  {
    byteLength: indexSeeds[0]!.length,
    pieceBytes: 512,
    version: 'v1',
    complete: true,
    etag: '"a"',
    lastModified: 'yesterday',
  },
  { byteLength: indexSeeds[0]!.length, pieceBytes: 1 << 20, version: 'v2', complete: false },
].map((manifest) => utf8(JSON.stringify(manifest)))

export const idsSeeds = ['"a"\n"b"\n', '1\n2\n3', '"\\ud83d\\ude00"\r\n"x"\r\n'].map(utf8)

export const tableSeeds = [
  ...['text,label\na,x\nb,y\n', 'a\tb\t1.5\nc\td\t2\n', '0,1,2\n1,0,1\n', '"a ""q"" b",1\n"x\ny",2\n', '1.0\n2.0\n'],
  '\ufeff0\t0\t3\t1\n',
].map(utf8)
