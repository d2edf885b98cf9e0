import { describe, expect, it } from 'vitest'
import { nodeSha256 } from '../../src/files/node-sha256.js'
import { decodeSafetensors } from '../../src/formats/safetensors.js'
import { PackvecError, QuantizedIndex } from '../../src/index.js'
import { parseIndexHeader } from '../../src/index-file/header.js'
import { readIndex } from '../../src/index-file/index-file.js'
import { svdRotation } from '../../src/rotations.js'
import { decodeIndex, encodeIndex } from '../../src/storage.js'
import { sealed, withHeaderSum } from './sealed.js'

const DIMS = 9
const rows = { data: Float32Array.from({ length: 30 * DIMS }, (_, i) => Math.sin(i * 1.7)), dims: [30, DIMS] }
const plain = encodeIndex(
  QuantizedIndex.build(rows, { coarse: 'ternary', scale: true, rotation: svdRotation(rows), onWarning() {} }),
)

/** The same index with deleted rows and texts as ids. */
function withIds(): Uint8Array {
  const { tensors, metadata } = decodeSafetensors(plain)
  const more = new Map(tensors)
  const put = (name: string, dtype: string, shape: number[], data: Uint8Array) => more.set(name, { dtype, shape, data })
  put('deleted', 'U8', [4], Uint8Array.of(1, 0, 0, 0))
  put('keys', 'U8', [60], new Uint8Array(60).fill(0x61))
  put('keys.offsets', 'U32', [31], new Uint8Array(Uint32Array.from({ length: 31 }, (_, i) => 2 * i).buffer))
  for (const name of ['deleted', 'keys', 'keys.offsets']) put(`${name}.digests`, 'U8', [1, 16], new Uint8Array(16))
  return sealed(more, metadata)
}

function errorOf(read: () => unknown): PackvecError | undefined {
  try {
    read()
  } catch (error) {
    expect(error).toBeInstanceOf(PackvecError)
    return error as PackvecError
  }
  return undefined
}

describe.each([
  ['an index', plain, (bytes: Uint8Array) => decodeIndex(bytes)],
  ['an index with texts as ids and a deleted row', withIds(), (bytes: Uint8Array) => readIndex(bytes, nodeSha256)],
])('%s that is damaged', (_, file, read) => {
  const { tensors, dataOffset } = parseIndexHeader(file, file.length, nodeSha256)
  const tensorAt = (byte: number) => {
    return [...tensors.values()].find(({ position, byteLength }) => byte >= position && byte < position + byteLength)
  }

  it('is read while it is whole', () => {
    expect(errorOf(() => read(file))).toBe(undefined)
  })

  it.each([0x01, 0x80, 0x20, 0xff])('at any byte is refused, naming the tensor: bits %i turned', (bits) => {
    const bytes = new Uint8Array(file)
    for (let i = 0; i < bytes.length; i++) {
      bytes[i]! ^= bits
      const error = errorOf(() => read(bytes))
      bytes[i]! ^= bits
      expect(error, `byte ${i}`).toBeDefined()
      if (i < dataOffset) expect(['INVALID_FILE', 'UNSUPPORTED'], `byte ${i}`).toContain(error!.code)
      else
        expect(error, `byte ${i}`).toMatchObject({
          code: 'INVALID_FILE',
          message: expect.stringContaining(`tensor ${tensorAt(i)!.name} is damaged`),
        })
    }
  })

  it('by a cut at any length is refused, and by bytes behind it', () => {
    for (let length = 0; length < file.length; length++) {
      expect(errorOf(() => read(file.subarray(0, length)))?.code, `length ${length}`).toBe('INVALID_FILE')
    }
    expect(errorOf(() => read(new Uint8Array([...file, 0])))?.code).toBe('INVALID_FILE')
  })
})

/** A file of these header bytes and `dataBytes` zeros; the header's own sum is right where it has a place for one. */
function forged(json: string, dataBytes = 0): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(json)
  const file = new Uint8Array(8 + text.length + dataBytes)
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true)
  file.set(text, 8)
  return json.includes('0'.repeat(64)) ? withHeaderSum(file) : file
}

const NO_SUM = '0'.repeat(64)
const claims = {
  format: 'packvec-index',
  format_version: '1',
  metric: 'dot',
  bit_order: 'msb-first',
  checksum: 'sha256',
}
const facts = { checksum_block_bytes: '4096', renormalize: 'false', coarse: 'ubinary', rescore: 'none' }
function header(metadata: Record<string, string>, tensors = '', sums: readonly string[] = []): string {
  const sha = Object.fromEntries(sums.map((name) => [`sha256.${name}`, NO_SUM.replaceAll('0', 'a')]))
  return `{"__metadata__":${JSON.stringify({ ...claims, ...facts, ...sha, ...metadata, sha256: NO_SUM })}${tensors}}`
}
const size = { dims: '8', rows: '4', input_dims: '8' }
const tensor = (name: string, shape: string, begin: number, end: number) => {
  return `,"${name}":{"dtype":"U8","shape":${shape},"data_offsets":[${begin},${end}]}`
}

describe('a hostile file', () => {
  const lengths = (length: bigint) => {
    const file = new Uint8Array(64)
    new DataView(file.buffer).setBigUint64(0, length, true)
    return file
  }
  it.each<[string, () => Uint8Array, RegExp]>([
    ['a header of 2^53 bytes', () => lengths(2n ** 53n), /no length of a header, 2 to 100000000, got 9007199254740992/],
    ['a header of 2^64 - 1 bytes', () => lengths(2n ** 64n - 1n), /got 18446744073709551615/],
    [
      'a header larger than any index needs',
      () => lengths(99_999_999n),
      /at most 4194304 bytes, but this file says 100000007/,
    ],
    ['a header behind the end', () => lengths(4_000_000n), /cut off/],
    [
      'tensors that overlap',
      () => forged(header(size, tensor('binary', '[4,1]', 0, 4) + tensor('binary.digests', '[1,16]', 2, 18)), 18),
      /binary\.digests.*overlaps/,
    ],
    ['negative offsets', () => forged(header(size, tensor('binary', '[4,1]', -4, 0))), /two rising byte positions/],
    ['falling offsets', () => forged(header(size, tensor('binary', '[4,1]', 4, 0)), 4), /two rising byte positions/],
    ['a key that comes twice', () => forged(`{"binary":{},"binary":{}}`), /"binary" comes twice/],
    [
      'a key that comes twice in the metadata',
      () => forged(`{"__metadata__":{"rows":"1","\\u0072ows":"2"}}`),
      /"rows" comes twice/,
    ],
    ['__proto__', () => forged(`{"__proto__":{}}`), /__proto__/],
    ['deep JSON', () => forged(`${'{"a":['.repeat(100_000)}`), /nest deeper than 8/],
    [
      '4 billion rows that are not there',
      () => forged(header({ ...size, rows: '4294967295' }, tensor('binary', '[4294967295,1]', 0, 4294967295)), 4),
      /data section must end with its tensors/,
    ],
    [
      '4 billion rows over small tensors',
      () => forged(header({ ...size, rows: '4294967295' }, tensor('binary', '[4,1]', 0, 4), ['binary']), 4),
      /binary must be U8 \[4294967295,1\]/,
    ],
    ['more rows than ids', () => forged(header({ ...size, rows: '4294967296' })), /rows must be 0 to 4294967295/],
    ['dims beyond all', () => forged(header({ ...size, dims: '9007199254740991' })), /dims must be 1 to 65535/],
    [
      'a shape whose product overflows',
      () => forged(header(size, tensor('binary', '[4294967296,4294967296]', 0, 0))),
      /product below 2\^53/,
    ],
    [
      'no sum of a tensor',
      () => forged(header(size, tensor('binary', '[4,1]', 0, 4) + tensor('binary.digests', '[1,16]', 4, 20)), 20),
      /sha256\.binary must be 64 hex digits, got nothing/,
    ],
    [
      'no digests',
      () => forged(header(size, tensor('binary', '[4,1]', 0, 4), ['binary']), 4),
      /binary\.digests is missing/,
    ],
    [
      'no sum of the header',
      () => forged(`{"__metadata__":${JSON.stringify({ ...claims, ...facts, ...size })}}`),
      /no sum of its own/,
    ],
    [
      'a sum of the header in another key',
      () =>
        forged(
          `{"__metadata__":${JSON.stringify({ ...claims, ...facts, ...size, x: '"sha256":"', sha256: NO_SUM.replace('0', 'g') })}}`,
        ),
      /header is damaged/,
    ],
    ['texts whose offsets fall', () => withOffsets([0, 40, 20]), /keys\.offsets must not fall, got 20 after 40 at 2/],
    ['texts whose offsets end elsewhere', () => withOffsets([0, 61]), /keys\.offsets must end with 60, got 61/],
  ])('with %s is refused', (_, file, message) => {
    const bytes = file()
    const before = process.memoryUsage().arrayBuffers
    const error = errorOf(() => decodeIndex(bytes))
    expect(error).toMatchObject({ code: 'INVALID_FILE', message: expect.stringMatching(message) })
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 20)
  })

  it('that claims terabytes, and has their length, takes no memory before they are read', () => {
    const [codes, digests] = [4294967295 * 8192, 16 * ((4294967295 * 8192) / 4096)]
    const json = header(
      { ...size, rows: '4294967295', dims: '65535', input_dims: '65535' },
      tensor('binary', '[4294967295,8192]', 0, codes) +
        tensor('binary.digests', `[${digests / 16},16]`, codes, codes + digests),
      ['binary', 'binary.digests'],
    )
    const file = forged(json)
    const before = process.memoryUsage().arrayBuffers
    const read = parseIndexHeader(file, file.length + codes + digests, nodeSha256)
    expect(read.columns[0]!.codes).toMatchObject({ position: file.length, byteLength: codes })
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 20)
  })

  function withOffsets(offsets: number[]): Uint8Array {
    const file = decodeSafetensors(withIds())
    const all = Uint32Array.from({ length: 31 }, (_, i) => offsets[i] ?? offsets.at(-1)!)
    file.tensors.set('keys.offsets', { dtype: 'U32', shape: [31], data: new Uint8Array(all.buffer) })
    return sealed(file.tensors, file.metadata)
  }
})
