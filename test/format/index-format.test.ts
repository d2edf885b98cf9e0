import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decodeSafetensors, parseSafetensorsHeader } from '../../src/formats/safetensors.js'
import {
  type BuildOptions,
  dequantizeEmbeddings,
  PackvecError,
  QuantizedIndex,
  quantizeEmbeddings,
} from '../../src/index.js'
import { Rotation, svdRotation } from '../../src/rotations.js'
import { decodeIndex, encodeIndex } from '../../src/storage.js'
import { missingPython, runPython } from './python.js'
import { sealed, sha256 } from './sealed.js'

const PAGE = readFileSync(new URL('../../docs/format.md', import.meta.url), 'utf8')
const ROWS = 40
const DIMS = 19
const silent = { onWarning: () => {} }
const embeddings = {
  data: Float32Array.from({ length: ROWS * DIMS }, (_, i) => Math.sin(i * 1.7) * (1 + (i % 7)) + 0.2),
  dims: [ROWS, DIMS] as const,
}
let directory = ''

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'packvec-format-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

interface Case {
  readonly name: string
  readonly options: BuildOptions
  /** Tensors in the order of the file: "dtype shape". */
  readonly tensors: Record<string, string>
  /** What stands in the metadata beside the keys that every index has. */
  readonly metadata: Record<string, string>
}

const EVERY = {
  ...{ format: 'packvec-index', format_version: '1', dims: '19', rows: '40', coarse: 'binary', rescore: 'int8' },
  ...{ metric: 'dot', bit_order: 'msb-first', input_dims: '19', renormalize: 'false' },
  ...{ checksum: 'sha256', checksum_block_bytes: '4096' },
}

const CASES: Case[] = [
  {
    name: 'bits with int8 behind them',
    options: {},
    tensors: {
      ...{ binary: 'U8 40,3', ranges: 'F32 2,19', 'binary.digests': 'U8 1,16', 'int8.digests': 'U8 1,16' },
      ...{ int8: 'I8 40,19' },
    },
    metadata: { calibration_rows: '40' },
  },
  {
    name: 'float32 alone',
    options: { coarse: 'float32' },
    tensors: { float32: 'F32 40,19', 'float32.digests': 'U8 1,16' },
    metadata: { coarse: 'float32', rescore: 'none' },
  },
  {
    name: 'ternary codes with uint8, scales in float16, levels of each dimension',
    options: { coarse: 'ternary', rescore: 'uint8', scale: true, scope: 'dimension' },
    tensors: {
      ...{ ternary: 'U8 40,5', 'ternary.scale': 'F16 40' },
      ...{ 'ternary.thresholds': 'F32 2,19', 'ternary.levels': 'F32 3,19', ranges: 'F32 2,19' },
      ...{ 'ternary.digests': 'U8 1,16', 'ternary.scale.digests': 'U8 1,16' },
      ...{ 'uint8.digests': 'U8 1,16', 'uint8.scale.digests': 'U8 1,16' },
      ...{ uint8: 'U8 40,19', 'uint8.scale': 'F16 40' },
    },
    metadata: { coarse: 'ternary', rescore: 'uint8', 'ternary.scope': 'dimension', calibration_rows: '40' },
  },
  {
    name: 'quaternary codes with float32, truncated, renormalised, rotated by a seed, scales in float32',
    options: {
      ...{ coarse: 'quaternary', rescore: 'float32', scale: 'float32' },
      ...{ truncate: 11, renormalize: true, rotation: Rotation.hadamard(11, { seed: 7 }) },
    },
    tensors: {
      ...{ quaternary: 'U8 40,3', 'quaternary.scale': 'F32 40' },
      ...{ 'quaternary.thresholds': 'F32 3,11', 'quaternary.levels': 'F32 4,11' },
      ...{ 'quaternary.digests': 'U8 1,16', 'quaternary.scale.digests': 'U8 1,16', 'float32.digests': 'U8 1,16' },
      ...{ float32: 'F32 40,11' },
    },
    metadata: {
      ...{ dims: '11', coarse: 'quaternary', rescore: 'float32', renormalize: 'true' },
      ...{ 'quaternary.scope': 'global', rotation: 'hadamard', rotation_seed: '7' },
    },
  },
  {
    name: 'int4 codes alone, rotated about a centre',
    options: { coarse: 'int4', rescore: 'none', rotation: svdRotation(embeddings, { center: true }) },
    tensors: {
      ...{ int4: 'U8 40,10', 'int4.thresholds': 'F32 2,19', 'int4.levels': 'F32 16,19' },
      ...{ rotation: 'F32 19,19', centre: 'F32 19', 'int4.digests': 'U8 1,16' },
    },
    metadata: { coarse: 'int4', rescore: 'none', 'int4.scope': 'global', rotation: 'svd' },
  },
  {
    name: 'int8 between percentiles, which stay',
    options: { coarse: 'int8', rescore: 'none', percentiles: [1, 99] },
    tensors: { int8: 'I8 40,19', ranges: 'F32 2,19', 'int8.digests': 'U8 1,16' },
    metadata: { coarse: 'int8', rescore: 'none', calibration_rows: '40', ranges_fit: 'fixed' },
  },
  {
    name: 'bits about the mean, rotated by a seed',
    options: { rescore: 'none', center: true, rotation: Rotation.hadamard(19, { seed: 7 }) },
    tensors: { binary: 'U8 40,3', centre: 'F32 19', 'binary.digests': 'U8 1,16' },
    metadata: { rescore: 'none', rotation: 'centred hadamard', rotation_seed: '7' },
  },
  {
    name: 'signed bits alone, as unsigned bits',
    options: { coarse: 'ubinary', rescore: 'binary', scale: true },
    tensors: {
      ...{ binary: 'U8 40,3', 'binary.scale': 'F16 40' },
      ...{ 'binary.digests': 'U8 1,16', 'binary.scale.digests': 'U8 1,16' },
    },
    metadata: { coarse: 'ubinary', rescore: 'binary' },
  },
]

function build(options: BuildOptions = {}): QuantizedIndex {
  return QuantizedIndex.build(embeddings, { ...silent, ...options })
}

/** The fenced blocks of the page in one language. */
function blocks(language: string): string[] {
  return [...PAGE.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map((match) => match[1]!)
}

function headerText(bytes: Uint8Array): string {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true))
  return new TextDecoder().decode(bytes.subarray(8, 8 + length))
}

/** The index file with other metadata, or with tensors more or fewer. */
function changed(
  metadata: Record<string, string | undefined>,
  tensors: Record<string, readonly [dtype: string, shape: number[], data: ArrayBufferView] | undefined> = {},
): Uint8Array {
  const file = decodeSafetensors(encodeIndex(build()))
  for (const [name, value] of Object.entries(tensors)) {
    if (value === undefined) file.tensors.delete(name)
    else file.tensors.set(name, { dtype: value[0], shape: value[1], data: new Uint8Array(value[2].buffer) })
  }
  return sealed(file.tensors, { ...file.metadata, ...metadata })
}

describe('an index file', () => {
  it.each(CASES)('has the documented tensors and metadata: $name', ({ options, tensors, metadata }) => {
    const bytes = encodeIndex(build(options))
    const header = parseSafetensorsHeader(bytes, bytes.length)
    const found = Array.from(header.tensors, ([name, { dtype, shape }]) => [name, `${dtype} ${shape.join(',')}`])
    expect(found).toEqual(Object.entries(tensors))
    const sums = Object.keys(tensors).map((name) => [`sha256.${name}`, expect.stringMatching(/^[0-9a-f]{64}$/)])
    const every = { ...EVERY, ...Object.fromEntries(sums), sha256: expect.stringMatching(/^[0-9a-f]{64}$/) }
    expect({ ...header.metadata }).toEqual({ ...every, ...metadata })
    expect(header.dataOffset % 64).toBe(0)
    expect(headerText(bytes)).toMatch(/^\{"__metadata__":\{.*\} *$/)
    const [first] = header.tensors.values()
    expect(first?.begin).toBe(0)
  })

  it.each(CASES)('has no tensor and no key that the page does not name: $name', ({ options }) => {
    const { tensors, metadata } = decodeSafetensors(encodeIndex(build(options)))
    for (const name of [...tensors.keys(), ...Object.keys(metadata)]) {
      const documented = [
        name.replace(/^[^.]+\./, '<code>.'),
        name.replace(/^.*\.digests$/, '<tensor>.digests'),
        name.replace(/^sha256\..*$/, 'sha256.<tensor>'),
      ].map((way) => `| \`${way}\` |`)
      expect(documented.filter((row) => PAGE.includes(row)).length, name).toBeGreaterThan(0)
    }
  })

  it('is, byte by byte, the example of the page', () => {
    const data = Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 1, -1, 3, -1, 5, -1, 7, -1, 8)
    const bytes = encodeIndex(QuantizedIndex.build({ data, dims: [2, 9] }, silent))
    const hex = (part: Uint8Array) => Buffer.from(part).toString('hex').replace(/../g, '$& ').trim()
    const header = blocks('json')[0]!.replaceAll('\n', '')
    expect(PAGE).toContain(`\`${hex(bytes.subarray(0, 8))}\` (1144)`)
    expect(headerText(bytes)).toBe(header.padEnd(1144))
    expect(hex(bytes.subarray(1152))).toBe(blocks('text')[0]!.replaceAll('\n', ' ').trim())
  })

  it.each(CASES)('holds the sums and digests that node:crypto gives: $name', ({ options }) => {
    const bytes = encodeIndex(build(options))
    const { tensors, metadata } = decodeSafetensors(bytes)
    expect(sealed(tensors, metadata)).toEqual(bytes)
  })

  it('has a digest for each block of 4,096 bytes, the last one shorter', () => {
    const many = { data: Float32Array.from({ length: 500 * DIMS }, (_, i) => Math.sin(i)), dims: [500, DIMS] }
    const { tensors } = decodeSafetensors(encodeIndex(QuantizedIndex.build(many)))
    const { data } = tensors.get('int8')!
    expect(tensors.get('int8.digests')).toMatchObject({ dtype: 'U8', shape: [3, 16] })
    expect(tensors.get('int8.digests')!.data.subarray(32)).toEqual(
      new Uint8Array(sha256(data.subarray(8192))).subarray(0, 16),
    )
  })

  it('holds the codes that quantizeEmbeddings gives', () => {
    const { tensors } = decodeSafetensors(encodeIndex(build()))
    const int8 = quantizeEmbeddings(embeddings, 'int8', silent)
    expect(tensors.get('binary')?.data).toEqual(quantizeEmbeddings(embeddings, 'ubinary').data)
    expect(tensors.get('int8')?.data).toEqual(new Uint8Array(int8.data.buffer))
    expect(new Float32Array(tensors.get('ranges')!.data.slice().buffer)).toEqual(int8.calibration?.ranges)
  })
})

describe('readers of version 1', () => {
  it('ignore metadata and tensors that they do not know, and save the metadata again', () => {
    const more = { later: ['U8', [3], Uint8Array.of(1, 2, 3)] as const }
    const { data } = embeddings
    const query = data.subarray(0, DIMS)
    const read = decodeIndex(changed({ created_by: 'someone', 7: '"sha256":"' }, more as never))
    expect(read.search(query, { topK: 5 })).toEqual(build().search(query, { topK: 5 }))
    const again = decodeSafetensors(encodeIndex(read))
    expect(again.tensors.has('later')).toBe(false)
    expect(again.metadata).toMatchObject({ created_by: 'someone', 7: '"sha256":"' })
    expect(encodeIndex(decodeIndex(encodeIndex(read)))).toEqual(encodeIndex(read))
  })

  it('take tensors in any order', () => {
    const { tensors, metadata } = decodeSafetensors(encodeIndex(build()))
    const reversed = sealed(new Map([...tensors].reverse()), metadata)
    expect(reversed).not.toEqual(encodeIndex(build()))
    expect(encodeIndex(decodeIndex(reversed))).toEqual(encodeIndex(build()))
  })

  const floats = (length: number, value: number) => new Float32Array(length).fill(value)
  it.each<[string, () => Uint8Array, string, RegExp]>([
    ['another format', () => changed({ format: 'other' }), 'INVALID_FILE', /format other/],
    ['no format', () => changed({ format: undefined }), 'INVALID_FILE', /has no format/],
    [
      'a later version',
      () => changed({ format_version: '2' }),
      'UNSUPPORTED',
      /version 2, but this packvec reads version 1: update packvec/,
    ],
    ['no rows', () => changed({ rows: undefined }), 'INVALID_FILE', /rows must be a whole number, got nothing/],
    ['dims in words', () => changed({ dims: 'ten' }), 'INVALID_FILE', /dims must be a whole number, got ten/],
    ['dims of 0', () => changed({ dims: '0' }), 'INVALID_FILE', /dims must be 1 to 65535, got 0/],
    ['rows of 2^53', () => changed({ rows: '9007199254740992' }), 'INVALID_FILE', /rows must be a whole number/],
    ['input_dims below dims', () => changed({ input_dims: '7' }), 'INVALID_FILE', /input_dims must be 19 to 65535/],
    ['other rows', () => changed({ rows: '41' }), 'INVALID_FILE', /tensor binary must be U8 \[41,3\], got U8 \[40,3\]/],
    ['an unknown precision', () => changed({ coarse: 'int3' }), 'INVALID_FILE', /coarse/],
    [
      'ranges that follow in no known way',
      () => changed({ ranges_fit: 'mean' }),
      'INVALID_FILE',
      /ranges_fit must be one/,
    ],
    ['a missing tensor', () => changed({}, { ranges: undefined }), 'INVALID_FILE', /tensor ranges is missing/],
    [
      'another dtype',
      () => changed({}, { int8: ['U8', [ROWS, DIMS], new Uint8Array(ROWS * DIMS)] }),
      ...(['INVALID_FILE', /tensor int8 must be I8 \[40,19\], got U8/] as const),
    ],
    [
      'ranges that are NaN',
      () => changed({}, { ranges: ['F32', [2, DIMS], floats(2 * DIMS, NaN)] }),
      ...(['INVALID_FILE', /tensor ranges must hold finite numbers, got NaN/] as const),
    ],
    [
      'scales that are infinite',
      () =>
        changed(
          {},
          {
            'int8.scale': ['F32', [ROWS], floats(ROWS, Infinity)],
            'int8.scale.digests': ['U8', [1, 16], new Uint8Array(16)],
          },
        ),
      ...(['INVALID_FILE', /tensor int8.scale must hold finite numbers/] as const),
    ],
    [
      'ranges the wrong way round',
      () => changed({}, { ranges: ['F32', [2, DIMS], Float32Array.from({ length: 2 * DIMS }, (_, i) => -i)] }),
      ...(['INVALID_FILE', /min <= max/] as const),
    ],
    ['an unknown rotation', () => changed({ rotation: 'pca' }), 'INVALID_FILE', /metadata rotation/],
    [
      'a rotation that is none',
      () => changed({ rotation: 'svd' }, { rotation: ['F32', [DIMS, DIMS], floats(DIMS * DIMS, 1)] }),
      ...(['INVALID_FILE', /orthogonal to 1e-5/] as const),
    ],
  ])('refuse %s', (_, file, code, message) => {
    const error = (() => {
      try {
        return decodeIndex(file())
      } catch (thrown) {
        return thrown
      }
    })()
    expect(error).toBeInstanceOf(PackvecError)
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) })
  })
})

const missing = missingPython('numpy', 'safetensors')
describe.skipIf(missing)(`Python's safetensors${missing ? ` (skipped: ${missing})` : ''}`, () => {
  it.each(CASES)('reads the same tensors and metadata: $name', ({ options, tensors, metadata }) => {
    const path = join(directory, 'index.safetensors')
    const bytes = encodeIndex(build(options))
    writeFileSync(path, bytes)
    const program = `
import json, sys
from safetensors import safe_open
from safetensors.numpy import load_file
names = {'uint8': 'U8', 'int8': 'I8', 'float16': 'F16', 'float32': 'F32'}
found = {}
for name, tensor in load_file(sys.argv[1]).items():
    found[name] = [names[str(tensor.dtype)] + ' ' + ','.join(map(str, tensor.shape)), tensor.tobytes().hex()]
with safe_open(sys.argv[1], framework='numpy') as file:
    print(json.dumps([found, file.metadata()]))`
    const data = decodeSafetensors(bytes).tensors
    const expected = Object.entries(tensors).map(([name, layout]) => {
      return [name, [layout, Buffer.from(data.get(name)!.data).toString('hex')]]
    })
    const sums = Object.entries(decodeSafetensors(bytes).metadata).filter(([key]) => key.startsWith('sha256'))
    const every = { ...EVERY, ...Object.fromEntries(sums) }
    expect(runPython(program, path)).toEqual([Object.fromEntries(expected), { ...every, ...metadata }])
  })

  it('rebuilds vectors and bits with the lines of the page', () => {
    const path = join(directory, 'page.safetensors')
    writeFileSync(path, encodeIndex(build()))
    const print = '\nimport json\nprint(json.dumps([vectors.tolist(), bits.tolist(), str(vectors.dtype)]))'
    const [vectors, bits, dtype] = runPython(blocks('python')[0]! + print, path) as [number[][], number[][], string]
    expect(dtype).toBe('float32')
    const decoded = dequantizeEmbeddings(quantizeEmbeddings(embeddings, 'int8', silent))
    const flat = vectors.flat()
    expect(flat.length).toBe(decoded.data.length)
    const furthest = decoded.data.reduce((most, value, i) => Math.max(most, Math.abs(flat[i]! - value)), 0)
    expect(furthest).toBeLessThan(1e-5)
    expect(bits.flat()).toEqual(Array.from(embeddings.data, (value) => (value > 0 ? 1 : 0)))
  })
})
