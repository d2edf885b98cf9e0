import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PackvecError } from '../../src/base/errors.js'
import {
  decodeFaiss,
  encodeFaiss,
  FAISS_HEADER_BYTES,
  type FaissArray,
  type FaissKind,
  faissHeader,
  faissIndexName,
  parseFaissHeader,
} from '../../src/formats/faiss.js'
import { decodeNpy } from '../../src/formats/npy.js'
import { quantizeEmbeddings } from '../../src/index.js'
import { readFaiss, readNpy, writeFaiss } from '../../src/node.js'
import { missingPython, runPython } from './python.js'

/** Files that FAISS 1.15.1 wrote, as base64, with what went into them. */
const FLOATS = { data: Float32Array.of(1.5, -2, 3e-45, Infinity, -0, 0.1), rows: 2, dims: 3 }
const WRITTEN: { name: string; file: Uint8Array; array: FaissArray }[] = [
  {
    name: 'IndexFlatIP',
    file: base64('SXhGSQMAAAACAAAAAAAAAAAAEAAAAAAAAAAQAAAAAAABAAAAAAYAAAAAAAAAAADAPwAAAMACAAAAAACAfwAAAIDNzMw9'),
    array: { kind: 'ip', ...FLOATS },
  },
  {
    name: 'IndexFlatL2',
    file: base64('SXhGMgMAAAACAAAAAAAAAAAAEAAAAAAAAAAQAAAAAAABAQAAAAYAAAAAAAAAAADAPwAAAMACAAAAAACAfwAAAIDNzMw9'),
    array: { kind: 'l2', ...FLOATS },
  },
  {
    name: 'IndexBinaryFlat',
    file: base64('SUJ4RhgAAAADAAAAAgAAAAAAAAABAQAAAAYAAAAAAAAAAQL/AIAH'),
    array: { kind: 'binary', data: Uint8Array.of(1, 2, 255, 0, 128, 7), rows: 2, dims: 24 },
  },
  {
    name: 'an empty IndexBinaryFlat',
    file: base64('SUJ4RhAAAAACAAAAAAAAAAAAAAABAQAAAAAAAAAAAAAA'),
    array: { kind: 'binary', data: new Uint8Array(0), rows: 0, dims: 16 },
  },
]
const [IP, , BINARY] = WRITTEN.map(({ file }) => file) as [Uint8Array, Uint8Array, Uint8Array]

const golden = new URL('../../../shared/oracles/golden/', import.meta.url)
let directory = ''

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'packvec-faiss-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

function base64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'))
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

async function rejection(promise: Promise<unknown>): Promise<PackvecError> {
  const error = await promise.catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(PackvecError)
  return error as PackvecError
}

/** A copy of `file` with an integer of `bits` bits put at `at`. */
function patched(file: Uint8Array, at: number, bits: 8 | 32 | 64, value: bigint): Uint8Array {
  const copy = Uint8Array.from(file)
  const view = new DataView(copy.buffer)
  if (bits === 8) view.setUint8(at, Number(value))
  else if (bits === 32) view.setInt32(at, Number(value), true)
  else view.setBigInt64(at, value, true)
  return copy
}

describe('FAISS flat files', () => {
  it.each(WRITTEN)('of $name are read, and written again byte for byte', ({ file, array }) => {
    expect(decodeFaiss(file)).toEqual(array)
    expect(encodeFaiss(array)).toEqual(file)
  })

  it('are read at any address, from a Buffer and an ArrayBuffer, into a copy', () => {
    for (const { file, array } of WRITTEN) {
      for (let offset = 0; offset < 8; offset++) {
        const room = Buffer.alloc(file.length + 8, 0xff)
        room.set(file, offset)
        const read = decodeFaiss(room.subarray(offset, offset + file.length))
        room.fill(0)
        expect(read).toEqual(array)
      }
      expect(decodeFaiss(file.slice().buffer as ArrayBuffer)).toEqual(array)
    }
  })

  it('come back from a round trip with the same bits, whatever the kind and the shape', () => {
    const shape = fc.record({
      kind: fc.constantFrom('binary', 'ip', 'l2'),
      rows: fc.nat(5),
      columns: fc.integer({ min: 1, max: 9 }),
    })
    fc.assert(
      fc.property(shape, fc.uint8Array({ minLength: 180, maxLength: 180 }), ({ kind, rows, columns }, noise) => {
        const bytes = kind === 'binary' ? rows * columns : 4 * rows * columns
        const data = noise.slice(0, bytes)
        const array =
          kind === 'binary'
            ? { kind: 'binary' as const, data, rows, dims: 8 * columns }
            : { kind: kind as 'ip' | 'l2', data: new Float32Array(data.buffer), rows, dims: columns }
        const read = decodeFaiss(encodeFaiss(array))
        expect({ ...read, data: Buffer.from(read.data.buffer) }).toEqual({ ...array, data: Buffer.from(data) })
      }),
    )
  })

  it('have a header that streaming writers can make and readers can take alone', () => {
    for (const { file, array } of WRITTEN) {
      const header = faissHeader(array)
      expect(file.subarray(0, header.length)).toEqual(header)
      const parsed = parseFaissHeader(file.subarray(0, FAISS_HEADER_BYTES), file.length)
      const rowBytes = array.kind === 'binary' ? array.dims / 8 : 4 * array.dims
      const { kind, rows, dims } = array
      expect(parsed).toEqual({ kind, rows, dims, rowBytes, dataOffset: header.length, dataBytes: rows * rowBytes })
    }
    const huge = { kind: 'l2', rows: 5_000_000_000, dims: 384 } as const
    expect(parseFaissHeader(faissHeader(huge))).toMatchObject({ ...huge, dataBytes: 7_680_000_000_000 })
  })
})

describe.skipIf(!existsSync(golden))('the golden files of FAISS', () => {
  const { faiss } = existsSync(golden) ? JSON.parse(readFileSync(new URL('cases.json', golden), 'utf8')) : { faiss: [] }
  it.each(faiss as { name: string; file: string; rows: string }[])('$name: holds its rows', (entry) => {
    const file = readFileSync(new URL(entry.file, golden))
    const rows = decodeNpy(readFileSync(new URL(entry.rows, golden)))
    const array = decodeFaiss(file)
    const columns = array.kind === 'binary' ? array.dims / 8 : array.dims
    expect({ data: array.data, dims: [array.rows, columns] }).toEqual({ data: rows.data, dims: rows.dims })
    expect(encodeFaiss(array)).toEqual(new Uint8Array(file))
  })
})

describe('wrong FAISS files are refused', () => {
  it.each(WRITTEN)('cut at any byte: $name', ({ file }) => {
    for (let length = 0; length < file.length; length++) {
      const error = failure(() => decodeFaiss(file.subarray(0, length)))
      expect(error.code, `${length} bytes`).toBe('INVALID_FILE')
      expect(error.message).toMatch(/cut off|the file is empty|the file has/)
    }
  })

  it.each(WRITTEN)('with a byte too many: $name', ({ file }) => {
    const error = failure(() => decodeFaiss(Uint8Array.of(...file, 0)))
    expect(error).toMatchObject({ code: 'INVALID_FILE', message: expect.stringContaining('the file has') })
  })

  it.each<[string, Uint8Array, RegExp]>([
    ['d of 0', patched(IP, 4, 32, 0n), /d of the FAISS index IxFI must be at least 1, got 0/],
    ['a negative d', patched(IP, 4, 32, -3n), /at least 1, got -3/],
    ['a huge d', patched(IP, 4, 32, 2n ** 31n - 1n), /number of values .* must be 4294967294, got 6/],
    ['a negative ntotal', patched(IP, 8, 64, -1n), /ntotal of the FAISS index IxFI must be 0 to .*, got -1/],
    ['an ntotal of 2^53', patched(IP, 8, 64, 2n ** 53n), /ntotal .* got 9007199254740992/],
    ['an ntotal of 2^63 - 1', patched(IP, 8, 64, 2n ** 63n - 1n), /ntotal .* got 9223372036854775807/],
    ['an ntotal larger than the data', patched(IP, 8, 64, 3n), /number of values .* must be 9, got 6/],
    ['is_trained 0', patched(IP, 32, 8, 0n), /is_trained of the FAISS index IxFI must be 1, got 0/],
    ['is_trained 2', patched(IP, 32, 8, 2n), /is_trained .* got 2/],
    ['the metric of IxF2', patched(IP, 33, 32, 1n), /metric_type of the FAISS index IxFI must be 0, got 1/],
    ['a length prefix too small', patched(IP, 37, 64, 5n), /number of values .* must be 6, got 5/],
    ['a length prefix of 2^64 - 1', patched(IP, 37, 64, -1n), /must be 6, got 18446744073709551615/],
    ['an ntotal and length that agree', patched(patched(IP, 8, 64, 3n), 37, 64, 9n), /36 bytes .* the file has 24/],
    ['more rows than memory', patched(patched(IP, 8, 64, 2n ** 48n), 37, 64, 3n * 2n ** 48n), /the file has 24/],
    [
      'd of bits no multiple of 8',
      patched(BINARY, 4, 32, 20n),
      /d of the FAISS index IBxF must be a multiple of 8, got 20/,
    ],
    ['a code size that is not d / 8', patched(BINARY, 8, 32, 2n), /code_size .* must be 3, got 2/],
    ['untrained bits', patched(BINARY, 20, 8, 0n), /is_trained of the FAISS index IBxF must be 1, got 0/],
    ['bits with another metric', patched(BINARY, 21, 32, 0n), /metric_type .* must be 1, got 0/],
    ['bits with a wrong length', patched(BINARY, 25, 64, 7n), /number of values .* must be 6, got 7/],
    ['other letters', patched(IP, 0, 32, 0x21212121n), /begins with IxFI .* this file begins with "!!!!"/],
    ['letters that are none', patched(IP, 0, 32, 10n), /this file begins with "\\n\\u0000\\u0000\\u0000"/],
  ])('with %s', (_, file, message) => {
    expect(failure(() => decodeFaiss(file))).toMatchObject({ code: 'INVALID_FILE', argument: 'faiss' })
    expect(failure(() => decodeFaiss(file)).message).toMatch(message)
  })

  it('of another kind of index, with its name', () => {
    const others = {
      IxFl: 'IndexFlat of another metric',
      IHNf: 'IndexHNSWFlat',
      IwFl: 'IndexIVFFlat',
      IxM2: 'IndexIDMap2',
    }
    for (const [letters, name] of Object.entries(others)) {
      const file = Uint8Array.of(...Buffer.from(letters), ...IP.subarray(4))
      const error = failure(() => decodeFaiss(file))
      expect(error.code).toBe('UNSUPPORTED')
      expect(error.message).toBe(
        'only flat FAISS indexes are read: expected IxFI (IndexFlatIP), IxF2 (IndexFlatL2) ' +
          `or IBxF (IndexBinaryFlat), got ${letters} (${name})`,
      )
      expect(faissIndexName(file)).toBe(name)
    }
    expect(faissIndexName(BINARY)).toBe('IndexBinaryFlat')
    expect(faissIndexName(Uint8Array.of(73, 66))).toBeUndefined()
  })

  it('whatever byte is flipped, or they are read as a file of the same length', () => {
    for (const { file } of WRITTEN) {
      fc.assert(
        fc.property(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
          const copy = Uint8Array.from(file)
          copy[at]! ^= mask
          try {
            expect(encodeFaiss(decodeFaiss(copy)).length).toBe(file.length)
          } catch (error) {
            expect(error).toBeInstanceOf(PackvecError)
          }
        }),
      )
    }
  })
})

describe('encodeFaiss refuses', () => {
  const three = Float32Array.of(1, 2, 3)
  it.each<[string, unknown, RegExp]>([
    [
      'an unknown kind',
      { kind: 'cosine', data: three, rows: 1, dims: 3 },
      /kind must be one of binary, ip, l2, got cosine/,
    ],
    [
      'dims of 0',
      { kind: 'ip', data: three, rows: 1, dims: 0 },
      /dims of kind ip must be a whole number from 1 .*, got 0/,
    ],
    ['bits that are no whole bytes', { kind: 'binary', data: new Uint8Array(3), rows: 1, dims: 20 }, /multiple of 8/],
    [
      'half a row',
      { kind: 'ip', data: three, rows: 1.5, dims: 2 },
      /rows must be a whole number of at least 0.*, got 1\.5/,
    ],
    ['more than 2^53 bytes', { kind: 'ip', data: three, rows: 2 ** 52, dims: 3 }, /rows must be/],
    [
      'data of another length',
      { kind: 'ip', data: three, rows: 2, dims: 3 },
      /Float32Array\(6\), got Float32Array\(3\)/,
    ],
    [
      'data of another type',
      { kind: 'binary', data: three, rows: 3, dims: 8 },
      /Uint8Array\(3\), got Float32Array\(3\)/,
    ],
  ])('%s', (_, array, message) => {
    const error = failure(() => encodeFaiss(array as FaissArray))
    expect(error.code).toBe('INVALID_ARGUMENT')
    expect(error.message).toMatch(message)
  })
})

describe('readFaiss and writeFaiss', () => {
  const embeddings = {
    data: Float32Array.from({ length: 5 * 19 }, (_, i) => Math.sin(i * 1.7) + 0.3),
    dims: [5, 19] as const,
  }

  it('keep ubinary codes as an IndexBinaryFlat of 8 bits a byte, float32 as an IndexFlatIP', async () => {
    const path = join(directory, 'codes.faiss')
    const bits = quantizeEmbeddings(embeddings, 'ubinary')
    await writeFaiss(path, bits)
    expect(await readFaiss(path)).toEqual({ kind: 'binary', data: bits.data, rows: 5, dims: 24 })
    await writeFaiss(path, quantizeEmbeddings(embeddings, 'float32'))
    expect(await readFaiss(path)).toEqual({ kind: 'ip', data: embeddings.data, rows: 5, dims: 19 })
    await writeFaiss(path, embeddings, 'l2')
    expect(await readFaiss(path)).toEqual({ kind: 'l2', data: embeddings.data, rows: 5, dims: 19 })
    expect(new Uint8Array(readFileSync(path))).toEqual(
      encodeFaiss({ kind: 'l2', data: embeddings.data, rows: 5, dims: 19 }),
    )
  })

  it('refuse what FAISS flat files do not hold, and leave the file as it was', async () => {
    const path = join(directory, 'kept.faiss')
    writeFileSync(path, IP)
    const { data } = embeddings
    const wrong: [Parameters<typeof writeFaiss>[1], FaissKind | undefined, RegExp][] = [
      [quantizeEmbeddings(embeddings, 'binary'), undefined, /hold ubinary or float32, got codes of precision binary/],
      [embeddings, 'binary', /kind must be ip or l2 for a Float32Array, got binary/],
      [quantizeEmbeddings(embeddings, 'ubinary'), 'ip', /kind must be binary for a Uint8Array, got ip/],
      [{ data, dims: [95] }, undefined, /dims must be \[rows, columns\] .* got \[95\]/],
      [{ data, dims: [5, 18] }, undefined, /product 95/],
      [{ data: new Float64Array(4) as never, dims: [2, 2] }, undefined, /got Float64Array/],
    ]
    for (const [array, kind, message] of wrong) {
      const error = await rejection(writeFaiss(path, array, kind))
      expect(error.code).toBe('INVALID_ARGUMENT')
      expect(error.message).toMatch(message)
    }
    expect(new Uint8Array(readFileSync(path))).toEqual(IP)
  })

  it('name the path of a wrong file, and look at the length before they make room for the rows', async () => {
    const path = join(directory, 'wrong.faiss')
    writeFileSync(path, patched(patched(IP, 8, 64, 2n ** 48n), 37, 64, 3n * 2n ** 48n))
    const error = await rejection(readFaiss(path))
    expect(error.code).toBe('INVALID_FILE')
    expect(error.message).toContain(`${path}: the FAISS header says`)
    expect((await rejection(readFaiss(join(directory, 'none.faiss')))).code).toBe('IO')
  })
})

const missing = missingPython('faiss', 'numpy')
describe.skipIf(missing)(`real FAISS${missing ? ` (skipped: ${missing})` : ''}`, () => {
  it('reads what writeFaiss writes', async () => {
    const data = Float32Array.from({ length: 7 * 13 }, (_, i) => Math.cos(i))
    const matrix = { data, dims: [7, 13] as const }
    const bits = quantizeEmbeddings(matrix, 'ubinary')
    const paths = ['ip', 'l2', 'binary'].map((name) => join(directory, `to-python-${name}.faiss`))
    await writeFaiss(paths[0]!, matrix)
    await writeFaiss(paths[1]!, matrix, 'l2')
    await writeFaiss(paths[2]!, bits)
    const program = `
import faiss, json, sys
out = []
for path in sys.argv[1:3]:
    index = faiss.read_index(path)
    rows = index.reconstruct_n(0, index.ntotal)
    ids = index.search(rows[2:3], 3)[1]
    out.append([type(index).__name__, index.d, index.ntotal, index.metric_type, rows.ravel().tolist(), int(ids[0, 0])])
index = faiss.read_index_binary(sys.argv[3])
rows = faiss.vector_to_array(index.xb)
out.append([type(index).__name__, index.d, index.ntotal, rows.tolist()])
print(json.dumps(out))`
    const [ip, l2, binary] = runPython(program, ...paths) as [unknown[], unknown[], unknown[]]
    expect(ip.slice(0, 5)).toEqual(['IndexFlatIP', 13, 7, 0, Array.from(data)])
    expect(l2).toEqual(['IndexFlatL2', 13, 7, 1, Array.from(data), 2])
    expect(binary).toEqual(['IndexBinaryFlat', 16, 7, Array.from(bits.data)])
  })

  it('writes what readFaiss reads, and names its other indexes as readFaiss does', async () => {
    const program = `
import faiss, json, numpy as np, sys
folder = sys.argv[1]
rows = np.random.default_rng(7).standard_normal((33, 10), dtype=np.float32)
np.save(folder + '/rows.npy', rows)
bits = np.packbits(rows > 0, axis=1)
np.save(folder + '/bits.npy', bits)
for name, index in (('ip', faiss.IndexFlatIP(10)), ('l2', faiss.IndexFlatL2(10))):
    index.add(rows)
    faiss.write_index(index, f'{folder}/{name}.faiss')
index = faiss.IndexBinaryFlat(16)
index.add(bits)
faiss.write_index_binary(index, folder + '/binary.faiss')
names = {}
kinds = 'HNSW8 IDMap,Flat IDMap2,Flat IVF4,Flat IVF4,SQ8 SQ8 PQ2x4 PCA4,Flat LSH Flat,RFlat'
for text in kinds.split():
    index = faiss.index_factory(10, text)
    index.train(np.repeat(rows, 20, axis=0))
    names[type(index).__name__] = faiss.serialize_index(index)[:4].tolist()
print(json.dumps(names))`
    const names = runPython(program, directory) as Record<string, number[]>
    const rows = (await readNpy(join(directory, 'rows.npy'))).data
    const bits = (await readNpy(join(directory, 'bits.npy'))).data
    for (const kind of ['ip', 'l2'] as const) {
      expect(await readFaiss(join(directory, `${kind}.faiss`))).toEqual({ kind, data: rows, rows: 33, dims: 10 })
    }
    const binary = await readFaiss(join(directory, 'binary.faiss'))
    expect(binary).toEqual({ kind: 'binary', data: bits, rows: 33, dims: 16 })
    expect(Object.keys(names).length).toBeGreaterThan(8)
    for (const [name, letters] of Object.entries(names)) expect(faissIndexName(Uint8Array.from(letters))).toBe(name)
  })
})
