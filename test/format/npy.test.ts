import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PackvecError } from '../../src/base/errors.js'
import { floatBits, widenHalves } from '../../src/base/half.js'
import { decodeNpy, encodeNpy, isNpy, type NpyData, npyDataOffset, parseNpyHeader } from '../../src/formats/npy.js'
import { pythonFile } from './python-files.js'

/** A `.npy` file with any header text, right or wrong. */
function npyFile(dict: string, data: ArrayLike<number> = [], version = 1, minor = 0): Uint8Array {
  const text = new TextEncoder().encode(dict)
  const length = version === 1 ? new Uint8Array(2) : new Uint8Array(4)
  const view = new DataView(length.buffer)
  if (version === 1) view.setUint16(0, text.length, true)
  else view.setUint32(0, text.length, true)
  return Uint8Array.of(
    0x93,
    ...new TextEncoder().encode('NUMPY'),
    version,
    minor,
    ...length,
    ...text,
    ...Array.from(data),
  )
}

function header(shape: string, descr = "'|u1'", order = 'False'): string {
  return `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}}\n`
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

/** The same bytes at an odd address, in a Buffer. */
function atOddOffset(bytes: Uint8Array): Buffer {
  const room = Buffer.alloc(bytes.length + 3)
  const start = room.byteOffset % 2 === 0 ? 1 : 2
  room.set(bytes, start)
  return room.subarray(start, start + bytes.length)
}

describe('decodeNpy reads what numpy writes', () => {
  it('reads float32, subnormals, infinity and minus zero included', () => {
    const { data, dims, dtype } = decodeNpy(pythonFile('float32 (2, 3)'))
    expect({ dims, dtype }).toEqual({ dims: [2, 3], dtype: 'float32' })
    expect(data).toEqual(Float32Array.of(1.5, -2, 3e-45, Infinity, -0, 0.1))
  })

  it('reads float64 in a version 3 file', () => {
    expect(decodeNpy(pythonFile('float64 (2,) version 3'))).toEqual({
      data: Float64Array.of(0.1, -1e300),
      dims: [2],
      dtype: 'float64',
    })
  })

  it('reads float16 in a version 2 file as float32', () => {
    const { data, dims, dtype } = decodeNpy(pythonFile('float16 (2, 4) version 2'))
    expect({ dims, dtype }).toEqual({ dims: [2, 4], dtype: 'float16' })
    expect(data).toEqual(Float32Array.of(1, -2, 65504, 2 ** -24, Infinity, -Infinity, NaN, -0))
  })

  it('reads int8 and an empty uint8 matrix', () => {
    expect(decodeNpy(pythonFile('int8 (1, 3)'))).toEqual({
      data: Int8Array.of(-128, 127, 0),
      dims: [1, 3],
      dtype: 'int8',
    })
    expect(decodeNpy(pythonFile('uint8 (0, 3)'))).toEqual({ data: new Uint8Array(0), dims: [0, 3], dtype: 'uint8' })
  })

  it('reads an ArrayBuffer, and a Buffer at an odd offset, into a copy', () => {
    const file = pythonFile('float32 (2, 3)')
    const expected = decodeNpy(file).data
    const odd = atOddOffset(file)
    expect(odd.byteOffset % 2).toBe(1)
    const { data } = decodeNpy(odd)
    odd.fill(0)
    expect(data).toEqual(expected)
    expect(decodeNpy(file.slice().buffer).data).toEqual(expected)
  })

  it('reads keys in any order, both quotes, no commas at the end and line breaks', () => {
    const dict = '\n { "shape" :(2 ,\t1,) ,\r\n"fortran_order":False, \'descr\':"<u1" , } \n'
    for (const version of [1, 2, 3]) expect(decodeNpy(npyFile(dict, [7, 8], version)).data).toEqual(Uint8Array.of(7, 8))
    expect(decodeNpy(npyFile(`{'descr':'|i1','shape':(2,1),'fortran_order':False}`, [255, 8])).data).toEqual(
      Int8Array.of(-1, 8),
    )
  })
})

describe('encodeNpy', () => {
  it('writes byte for byte what numpy.save writes', () => {
    const names = ['float32 (2, 3)', 'int8 (1, 3)', 'uint8 (0, 3)'] as const
    for (const name of names) {
      const file = pythonFile(name)
      const { data, dims } = decodeNpy(file)
      expect(encodeNpy(data, dims)).toEqual(file)
    }
  })

  it('gives back every array it wrote, also from a view and at any offset', () => {
    const bytes = fc.uint8Array({ minLength: 0, maxLength: 400 })
    const kinds = fc.constantFrom(Float32Array, Float64Array, Int8Array, Uint8Array)
    const split = fc.constantFrom(1, 2, 3, 5)
    fc.assert(
      fc.property(bytes, kinds, split, fc.nat(7), (raw, Kind, dims, offset) => {
        const step = Kind.BYTES_PER_ELEMENT * dims
        const rows = Math.floor(raw.length / step)
        const room = new Uint8Array(8 + rows * step)
        room.set(raw.subarray(0, rows * step), 8)
        const data: NpyData = new Kind(room.buffer, 8, rows * dims)
        const file = encodeNpy(data, [rows, dims])
        expect(parseNpyHeader(file).dataOffset % 64).toBe(0)
        const moved = new Uint8Array(file.length + offset)
        moved.set(file, offset)
        const back = decodeNpy(moved.subarray(offset))
        expect(back.dims).toEqual([rows, dims])
        expect(back.data).toBeInstanceOf(Kind)
        const view = new Uint8Array(back.data.buffer, back.data.byteOffset, back.data.byteLength)
        expect(view).toEqual(room.subarray(8))
      }),
    )
  })

  it('writes as many axes as it is given', () => {
    const data = Uint8Array.from({ length: 24 }, (_, i) => i)
    for (const dims of [[24], [2, 3, 4], Array.from({ length: 32 }, (_, i) => (i === 0 ? 24 : 1))]) {
      expect(decodeNpy(encodeNpy(data, dims))).toEqual({ data, dims, dtype: 'uint8' })
    }
  })

  it('refuses dims that do not fit the data, and data that is no typed array it knows', () => {
    for (const dims of [[], [4], [2, -2], [1.5, 2], [NaN], Array.from({ length: 33 }, () => 1)]) {
      const { code, argument } = failure(() => encodeNpy(new Float32Array(3), dims))
      expect({ code, argument }).toEqual({ code: 'INVALID_ARGUMENT', argument: 'dims' })
    }
    const { code, message } = failure(() => encodeNpy(new Int32Array(3) as unknown as NpyData, [3]))
    expect({ code, message }).toEqual({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('got Int32Array') })
  })
})

describe('a damaged .npy file is refused', () => {
  it('cut at every byte', () => {
    for (const name of [
      'float32 (2, 3)',
      'float16 (2, 4) version 2',
      'float64 (2,) version 3',
      'int8 (1, 3)',
    ] as const) {
      const file = pythonFile(name)
      for (let length = 0; length < file.length; length++) {
        expect(failure(() => decodeNpy(file.subarray(0, length))).code).toBe('INVALID_FILE')
      }
    }
  })

  it('with one byte too much', () => {
    const { code, message } = failure(() => decodeNpy(Uint8Array.of(...pythonFile('int8 (1, 3)'), 0)))
    expect(code).toBe('INVALID_FILE')
    expect(message).toBe(
      'the .npy header says 3 bytes of data (int8, shape 1 x 3), but the file has 4: write it or fetch it again',
    )
  })

  it('with any one byte of its header changed: an error of ours, or an array', () => {
    const file = pythonFile('int8 (1, 3)')
    fc.assert(
      fc.property(fc.nat(127), fc.nat(255), (at, byte) => {
        const damaged = file.slice()
        damaged[at] = byte
        try {
          decodeNpy(damaged)
        } catch (error) {
          expect(error).toBeInstanceOf(PackvecError)
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('made of random bytes behind the magic', () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom(1, 2, 3), (text, version) => {
        expect(['INVALID_FILE', 'UNSUPPORTED']).toContain(failure(() => decodeNpy(npyFile(text, [], version))).code)
      }),
    )
  })

  it('with a wrong magic, named in hexadecimal', () => {
    expect(isNpy(pythonFile('int64'))).toBe(true)
    expect(isNpy(new TextEncoder().encode('PK\x03\x04zip'))).toBe(false)
    const { code, message } = failure(() => decodeNpy(new TextEncoder().encode('PK\x03\x04zip, such as .npz')))
    expect({ code, message }).toEqual({ code: 'INVALID_FILE', message: expect.stringContaining('50 4b 03 04') })
  })

  it('with a header longer than the file, or than any header is', () => {
    const file = pythonFile('float16 (2, 4) version 2')
    new DataView(file.buffer).setUint32(8, 4_294_967_295, true)
    expect(failure(() => decodeNpy(file)).message).toContain('claims to have 4294967295')
    new DataView(file.buffer).setUint32(8, 1000, true)
    expect(failure(() => decodeNpy(file)).message).toContain('needs 1012 bytes')
  })

  it.each([
    ['no dict', '', 'expected '],
    ['not closed', `{'descr': '|u1'`, 'the end of the header'],
    ['text behind it', `${header('(0,)')} x`, 'nothing after the dict'],
    ['a key twice', `{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (0,)}`, 'comes twice'],
    ['a key more', `{'descr': '|u1', 'fortran_order': False, 'shape': (0,), '__proto__': 1}`, `'__proto__'`],
    ['a key less', `{'descr': '|u1', 'fortran_order': False}`, `no 'shape'`],
    ['an escape', `{'descr\\x41': 1}`, 'escape'],
    ['a string without end', `{'descr: 1}`, 'no end'],
    ['a call', header('__import__(1)'), 'expected'],
    ['brackets without end', header('('.repeat(60_000)), 'nest deeper'],
    ['fortran_order a number', header('(0,)', `'|u1'`, '0'), 'must be True or False, got 0'],
    ['shape a list', header('[1, 2]'), 'must be a tuple, got [1, 2]'],
    ['shape a number in brackets', header('(3)'), 'must be a tuple, got 3'],
    ['shape with an empty place', header('(1,,2)'), 'expected a value'],
    ['shape with only a comma', header('(,)'), 'expected a value'],
    ['a negative length', header('(-1, 2)'), 'got -1 in (-1, 2)'],
    ['a broken number', header('(1.5,)'), 'got 1.5 in (1.5,)'],
    ['True as a length', header('(True,)'), 'got True in (True,)'],
    ['a length beyond 2^53', header('(9007199254740992,)'), 'got 9007199254740992'],
    ['a product beyond 2^53', header('(4294967296, 4294967296)'), 'more than 2^53 bytes'],
    ['a product that an empty axis hides', header('(0, 4294967296, 4294967296)'), 'more than 2^53 bytes'],
  ])('with a header that has %s', (_, dict, message) => {
    const error = failure(() => decodeNpy(npyFile(dict)))
    expect(error).toMatchObject({ code: 'INVALID_FILE', argument: 'npy', message: expect.stringContaining(message) })
  })

  it('with a version 3 header that is not UTF-8', () => {
    const file = npyFile(header('(0,)'), [], 3)
    file[14] = 0xff
    expect(failure(() => decodeNpy(file)).message).toContain('UTF-8')
  })

  it('whose shape no memory can hold', () => {
    const { code } = failure(() => decodeNpy(npyFile(header('(9007199254740991,)'))))
    expect(code).toBe('INVALID_FILE')
  })
})

describe('a .npy file that packvec does not read is refused with the reason', () => {
  it.each([
    ['int64', `got '<i8'`],
    ['object', `got '|O'`],
    ['big-endian', `got '>f4' (big-endian)`],
    ['structured', `got [('a', '<f4'), ('b', '|i1', (2,))]`],
    ['fortran', 'fortran_order True'],
    ['single value', 'at least one axis'],
  ] as const)('%s', (name, message) => {
    const error = failure(() => decodeNpy(pythonFile(name)))
    expect(error).toMatchObject({ code: 'UNSUPPORTED', argument: 'npy', message: expect.stringContaining(message) })
  })

  it('an unknown version', () => {
    for (const [major, minor] of [
      [0, 0],
      [1, 1],
      [4, 0],
    ] as const) {
      const error = failure(() => decodeNpy(npyFile(header('(0,)'), [], major, minor)))
      expect(error).toMatchObject({ code: 'UNSUPPORTED', message: expect.stringContaining(`got ${major}.${minor}`) })
    }
  })

  it('65 axes', () => {
    const error = failure(() => decodeNpy(npyFile(header(`(${'1,'.repeat(65)})`), [1])))
    expect(error).toMatchObject({ code: 'UNSUPPORTED', message: expect.stringContaining('has 65') })
  })
})

describe('parseNpyHeader', () => {
  it('needs no more than the bytes before the data', () => {
    const file = pythonFile('float32 (2, 3)')
    expect(npyDataOffset(file.subarray(0, 12))).toBe(128)
    expect(parseNpyHeader(file.subarray(0, 128))).toEqual({
      dtype: 'float32',
      shape: [2, 3],
      count: 6,
      itemBytes: 4,
      dataOffset: 128,
      dataBytes: 24,
      version: 1,
    })
  })
})

describe('widenHalves', () => {
  it('gives every one of the 65,536 float16 its exact value', () => {
    const floats = new Float32Array(65_536)
    const halves = new Uint16Array(floats.buffer, 131_072, 65_536)
    for (let i = 0; i < 65_536; i++) halves[i] = i
    widenHalves(floats)
    for (let half = 0; half < 65_536; half++) {
      const sign = half >> 15 ? -1 : 1
      const exponent = (half >> 10) & 31
      const fraction = half & 1023
      let expected = sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15))
      if (exponent === 31) expected = fraction === 0 ? sign * Infinity : NaN
      if (!Object.is(floats[half], expected)) expect({ half, value: floats[half] }).toEqual({ half, value: expected })
    }
    expect(floatBits(0x7e01)).toBe(0x7fc02000)
  })
})
