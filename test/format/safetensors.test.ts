import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PackvecError } from '../../src/base/errors.js'
import {
  decodeSafetensors,
  encodeSafetensors,
  parseSafetensorsHeader,
  safetensorsDataOffset,
  safetensorsHeader,
  type Tensor,
} from '../../src/formats/safetensors.js'
import { pythonFile } from './python-files.js'

/** A file with any header, right or wrong. */
function fileOf(header: unknown, dataBytes = 0): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header))
  const file = new Uint8Array(8 + json.length + dataBytes)
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true)
  file.set(json, 8)
  return file
}

function u8(begin: number, end: number): object {
  return { dtype: 'U8', shape: [end - begin], data_offsets: [begin, end] }
}

function failure(run: () => unknown): PackvecError {
  try {
    run()
  } catch (error) {
    expect(error).toBeInstanceOf(PackvecError)
    return error as PackvecError
  }
  throw new Error('expected a PackvecError, nothing was thrown')
}

const codes: Tensor = { name: 'codes', dtype: 'U8', shape: [2, 3], data: Uint8Array.of(1, 2, 3, 4, 5, 255) }
const scale: Tensor = { name: 'scale', dtype: 'F32', shape: [2], data: Float32Array.of(0.5, 2) }

describe('decodeSafetensors', () => {
  it('reads what the Python library writes', () => {
    const { tensors, metadata } = decodeSafetensors(pythonFile('safetensors'))
    expect(metadata).toEqual({ layout: 'msb', ü: '\n' })
    expect(new Set(tensors.keys())).toEqual(new Set(['codes', 'scale', 'empty', 'one']))
    expect(tensors.get('codes')).toEqual({ dtype: 'U8', shape: [2, 3], data: codes.data })
    expect(new Float32Array(tensors.get('scale')!.data.slice().buffer)).toEqual(scale.data)
    expect(tensors.get('empty')).toEqual({ dtype: 'I8', shape: [0, 4], data: new Uint8Array(0) })
    expect(tensors.get('one')).toEqual({ dtype: 'F32', shape: [], data: Uint8Array.of(0, 0, 0xe0, 0x40) })
  })

  it('gives views of the file it was given, a Buffer at an odd offset too', () => {
    const file = encodeSafetensors([codes, scale], {})
    const room = Buffer.alloc(file.length + 1)
    room.set(file, 1)
    const { tensors } = decodeSafetensors(room.subarray(1))
    expect(tensors.get('codes')?.data).toEqual(codes.data)
    room[room.length - 8 - 6] = 77
    expect(tensors.get('codes')?.data[0]).toBe(77)
    expect(decodeSafetensors(file.slice().buffer).tensors.get('codes')?.data).toEqual(codes.data)
  })
})

describe('encodeSafetensors', () => {
  it('aligns the data section to 64 bytes and keeps the order of the tensors', () => {
    for (let length = 0; length < 130; length++) {
      const file = encodeSafetensors([codes, { ...scale, name: '1' }], { note: 'x'.repeat(length) })
      const dataOffset = safetensorsDataOffset(file)
      expect(dataOffset % 64).toBe(0)
      expect(file.length).toBe(dataOffset + 6 + 8)
      expect(file.subarray(dataOffset, dataOffset + 6)).toEqual(codes.data)
      expect([...decodeSafetensors(file).tensors.keys()]).toEqual(['codes', '1'])
    }
  })

  it('writes nothing but the header when there are no tensors', () => {
    expect(decodeSafetensors(encodeSafetensors([], {}))).toEqual({ tensors: new Map(), metadata: {} })
  })

  it('gives back every tensor and every text', () => {
    const text = fc.string({ unit: 'binary' }).filter((key) => !['__proto__', '__metadata__'].includes(key))
    const tensor = fc
      .record({
        rows: fc.nat(5),
        dims: fc.nat(5),
        type: fc.constantFrom(['F32', 4], ['I8', 1], ['BF16', 2], ['F64', 8]),
      })
      .chain(({ rows, dims, type: [dtype, bytes] }) => {
        const length = rows * dims * (bytes as number)
        return fc
          .uint8Array({ minLength: length, maxLength: length })
          .map((data) => ({ dtype: String(dtype), shape: [rows, dims], data }))
      })
    const tensors = fc.uniqueArray(fc.tuple(text, tensor), { selector: ([name]) => name, maxLength: 6 })
    fc.assert(
      fc.property(tensors, fc.dictionary(text, text), (entries, metadata) => {
        const file = encodeSafetensors(
          entries.map(([name, tensor]) => ({ name, ...tensor })),
          metadata,
        )
        const back = decodeSafetensors(file)
        expect(back.tensors).toEqual(new Map(entries))
        expect({ ...back.metadata }).toEqual({ ...metadata })
      }),
    )
  })

  it('is its header followed by the bytes of the tensors', () => {
    const file = encodeSafetensors([codes, scale], { a: 'b' })
    const header = safetensorsHeader([codes, scale], { a: 'b' })
    expect(file.subarray(0, header.length)).toEqual(header)
    expect(parseSafetensorsHeader(header)).toMatchObject({ dataOffset: header.length, dataBytes: 14 })
    expect(parseSafetensorsHeader(header, file.length).tensors.get('scale')).toEqual({
      dtype: 'F32',
      shape: [2],
      begin: 6,
      end: 14,
    })
  })

  it.each([
    ['a name twice', [codes, codes], 'codes'],
    ['a reserved name', [{ ...codes, name: '__metadata__' }], '__metadata__'],
    ['a name that is no key', [{ ...codes, name: '__proto__' }], '__proto__'],
    ['an unknown dtype', [{ ...codes, dtype: 'constructor' }], 'constructor'],
    ['a negative shape', [{ ...codes, shape: [-2, -3] }], '"codes"'],
    ['data that is too short', [{ ...codes, shape: [2, 4] }], '"codes": U8 [2, 4] needs 8 bytes, data has 6'],
  ])('refuses %s', (_, tensors, message) => {
    const error = failure(() => encodeSafetensors(tensors, {}))
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(message) })
  })

  it('refuses metadata that is not text', () => {
    const metadata = { rows: 3 } as unknown as Record<string, string>
    expect(failure(() => encodeSafetensors([], metadata))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      argument: 'metadata',
    })
  })
})

describe('a damaged safetensors file is refused', () => {
  it('cut at every byte, ours and that of the Python library', () => {
    for (const file of [encodeSafetensors([codes, scale], { layout: 'msb' }), pythonFile('safetensors')]) {
      for (let length = 0; length < file.length; length++) {
        expect(failure(() => decodeSafetensors(file.subarray(0, length))).code).toBe('INVALID_FILE')
      }
    }
  })

  it('with any one byte of its header changed: an error of ours, or tensors', () => {
    const file = encodeSafetensors([codes, scale], { layout: 'msb' })
    const headerBytes = safetensorsDataOffset(file)
    fc.assert(
      fc.property(fc.nat(headerBytes - 1), fc.nat(255), (at, byte) => {
        const damaged = file.slice()
        damaged[at] = byte
        try {
          decodeSafetensors(damaged)
        } catch (error) {
          expect(error).toBeInstanceOf(PackvecError)
        }
      }),
      { numRuns: 3000 },
    )
  })

  it('with a header length beyond the file, beyond any header and beyond 2^53', () => {
    for (const length of [0n, 1n, 1000n, 100_000_001n, 2n ** 53n, 2n ** 64n - 1n]) {
      const file = encodeSafetensors([codes], {})
      new DataView(file.buffer).setBigUint64(0, length, true)
      expect(failure(() => decodeSafetensors(file)).code).toBe('INVALID_FILE')
    }
  })

  it.each<[string, unknown, number, string]>([
    ['no JSON', '{"a":', 0, 'JSON'],
    ['a list', '[1]', 0, 'begin with {'],
    ['a blank in front', ' {}', 0, 'begin with {'],
    ['two objects', '{}{}', 0, 'JSON'],
    ['deep nesting', `{"a":${'['.repeat(100_000)}`, 0, 'nest deeper than 8'],
    ['a tensor twice', '{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{}}', 0, '"a" comes twice'],
    ['a tensor twice in disguise', '{"a":{},"\\u0061" :{}}', 0, '"a" comes twice'],
    ['a field twice', '{"a":{"dtype":"U8","dtype":"I8","shape":[0],"data_offsets":[0,0]}}', 0, '"dtype" comes twice'],
    ['a prototype as tensor', '{"__proto__":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}', 0, '__proto__'],
    ['a prototype as fields', '{"a":{"__proto__":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}}', 0, '__proto__'],
    ['a prototype in disguise', '{"__metadata__":{"__prot\\u006f__":"x"}}', 0, '__proto__'],
    ['a tensor that is a number', { a: 3 }, 0, 'tensor "a"'],
    ['a tensor that is null', { a: null }, 0, 'tensor "a"'],
    ['no dtype', { a: { shape: [0], data_offsets: [0, 0] } }, 0, 'tensor "a": must have a dtype'],
    ['no shape', { a: { dtype: 'U8', data_offsets: [0, 0] } }, 0, 'tensor "a": the shape'],
    ['a broken shape', { a: { dtype: 'U8', shape: [1.5, 2], data_offsets: [0, 3] } }, 3, 'tensor "a": the shape'],
    ['a negative shape', { a: { dtype: 'U8', shape: [-1, -3], data_offsets: [0, 3] } }, 3, 'tensor "a": the shape'],
    ['a huge shape', { a: { dtype: 'U8', shape: [2 ** 40, 2 ** 40], data_offsets: [0, 0] } }, 0, 'below 2^53'],
    [
      'a huge shape made 0',
      { a: { dtype: 'U8', shape: [0, 2 ** 40, 2 ** 40], data_offsets: [0, 0] } },
      0,
      'below 2^53',
    ],
    ['a text as offsets', { a: { dtype: 'U8', shape: [1], data_offsets: '01' } }, 1, 'tensor "a": data_offsets'],
    ['three offsets', { a: { dtype: 'U8', shape: [1], data_offsets: [0, 1, 2] } }, 1, 'tensor "a": data_offsets'],
    ['negative offsets', { a: { dtype: 'U8', shape: [1], data_offsets: [-1, 0] } }, 0, 'tensor "a": data_offsets'],
    ['falling offsets', { a: { dtype: 'U8', shape: [1], data_offsets: [1, 0] } }, 1, 'tensor "a": data_offsets'],
    ['a size off by one', { a: { dtype: 'F32', shape: [2], data_offsets: [0, 7] } }, 7, 'tensor "a": F32 [2] needs 8'],
    ['an overlap', { a: u8(0, 4), b: u8(2, 6) }, 6, 'tensor "b": overlaps'],
    ['the same bytes twice', { a: u8(0, 4), b: u8(0, 4) }, 4, 'tensor "b": overlaps'],
    ['a hole', { a: u8(0, 4), b: u8(5, 6) }, 6, 'tensor "b": leaves a hole'],
    ['a hole in front', { a: u8(1, 4) }, 4, 'tensor "a": leaves a hole'],
    ['bytes behind', { a: u8(0, 4) }, 5, 'tensor "a" ends at byte 4'],
    ['bytes but no tensors', {}, 5, 'no tensors'],
    ['offsets beyond the file', { a: u8(0, 4) }, 3, 'tensor "a" ends at byte 4'],
    ['metadata that is a list', { __metadata__: [] }, 0, '__metadata__'],
    ['metadata that is a number', { __metadata__: { rows: 3 } }, 0, '__metadata__'],
  ])('with %s', (_, header, dataBytes, message) => {
    const error = failure(() => decodeSafetensors(fileOf(header, dataBytes)))
    expect(error).toMatchObject({
      code: 'INVALID_FILE',
      argument: 'safetensors',
      message: expect.stringContaining(message),
    })
  })

  it('with a header that is not UTF-8', () => {
    const file = fileOf('{"a":{}}')
    file[10] = 0xff
    expect(failure(() => decodeSafetensors(file)).message).toContain('UTF-8')
  })

  it('with a dtype the format does not have', () => {
    for (const dtype of ['Q4', 'constructor', '']) {
      const error = failure(() => decodeSafetensors(fileOf({ a: { dtype, shape: [0], data_offsets: [0, 0] } })))
      expect(error).toMatchObject({ code: 'UNSUPPORTED', message: expect.stringContaining('tensor "a"') })
    }
  })
})

describe('names and texts', () => {
  it('like those of object methods are only names', () => {
    const file = encodeSafetensors([{ ...codes, name: 'constructor' }], { toString: 'x' })
    const { tensors, metadata } = decodeSafetensors(file)
    expect([...tensors.keys()]).toEqual(['constructor'])
    expect(metadata['toString']).toBe('x')
    expect(metadata['constructor']).toBeUndefined()
  })

  it('may hold quotes, brackets and backslashes', () => {
    const name = '{"a":["\\'
    const file = encodeSafetensors([{ ...codes, name }], { [name]: '"}]:{' })
    expect([...decodeSafetensors(file).tensors.keys()]).toEqual([name])
  })

  it('may repeat in different objects', () => {
    const file = encodeSafetensors([{ ...codes, name: 'dtype' }], { dtype: 'dtype' })
    expect([...decodeSafetensors(file).tensors.keys()]).toEqual(['dtype'])
  })
})
