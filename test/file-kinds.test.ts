import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readIdsFile } from '../src/builder/ids-file.js'
import { encodeFaiss } from '../src/formats/faiss.js'
import { encodeNpy } from '../src/formats/npy.js'
import { encodeSafetensors, parseSafetensorsHeader } from '../src/formats/safetensors.js'
import { PackvecError, QuantizedIndex } from '../src/index.js'
import { appendToIndex, buildIndex, loadIndex, readFaiss, readNpy, verifyIndex } from '../src/node.js'
import { decodeIndex, encodeIndex, openIndex } from '../src/storage-node.js'

const text = (words: string) => new TextEncoder().encode(words)
const LFS = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 12345\n`

/** Files that people give in place of another one, and what they are called. */
const FILES: Readonly<Record<string, [name: string, bytes: Uint8Array]>> = {
  empty: ['the file is empty', new Uint8Array(0)],
  HTML: ['an HTML page', text('<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>')],
  'HTML behind white space': ['an HTML page', text('\n  <html lang="en"></html>')],
  XML: ['an XML document', text('<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>')],
  'Git LFS pointer': ['a Git LFS pointer', text(LFS)],
  CSV: ['CSV', text('id,text,score\n1,Hello,0.5\n')],
  TSV: ['CSV', text('id\ttext\n1\tHello\n')],
  JSON: ['JSON', text('{"error": "not found"}')],
  'JSON array': ['JSON', text('[[0.1, 0.2], [0.3, 0.4]]')],
  text: ['plain text', text('Grüße aus der Datei, die keine ist'.replace(',', ''))],
  zip: ['a zip archive', Uint8Array.of(0x50, 0x4b, 3, 4, 20, 0, 0, 0, 8, 0, 0, 0, 33, 0, 1, 2)],
  gzip: ['a gzip file', gzipSync('embeddings')],
  PNG: ['a PNG image', Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13)],
  pickle: ['a Python pickle', Uint8Array.of(0x80, 4, 0x95, 27, 1, 2, 3, 4, 5, 6, 7, 8)],
  Parquet: ['a Parquet file', text('PAR1\x15\x04\x15\x10\x15\x14')],
  HDF5: ['an HDF5 file', Uint8Array.of(0x89, 0x48, 0x44, 0x46, 13, 10, 26, 10, 0, 0, 0, 0)],
  'UTF-16': ['a text in UTF-16', Uint8Array.of(0xff, 0xfe, 0x68, 0, 0x69, 0, 0x2c, 0, 0x0a, 0)],
}
const OTHERS = {
  npy: ['a .npy array', encodeNpy(new Float32Array(4), [2, 2])],
  safetensors: [
    'a safetensors file',
    encodeSafetensors([{ name: 'a', dtype: 'U8', shape: [1], data: Uint8Array.of(1) }], {}),
  ],
  faiss: ['IndexFlatIP', encodeFaiss({ kind: 'ip', data: new Float32Array(4), rows: 2, dims: 2 })],
} as const

let folder = ''
const at = (name: string) => join(folder, name)

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'packvec-kinds-'))
  for (const [name, [, bytes]] of Object.entries(FILES)) writeFileSync(at(name), bytes)
  for (const [name, [, bytes]] of Object.entries(OTHERS)) writeFileSync(at(name), bytes)
})

afterAll(() => rmSync(folder, { recursive: true }))

async function refusal(call: () => unknown): Promise<PackvecError> {
  try {
    await call()
  } catch (error) {
    expect(error).toBeInstanceOf(PackvecError)
    return error as PackvecError
  }
  throw new Error('nothing was refused')
}

/** All that reads a file, by its path or by its bytes. */
const READERS: Readonly<Record<string, (name: string, bytes: Uint8Array<ArrayBuffer>) => unknown>> = {
  readNpy: (name) => readNpy(at(name)),
  readFaiss: (name) => readFaiss(at(name)),
  loadIndex: (name) => loadIndex(at(name)),
  'openIndex of a path': (name) => openIndex(at(name)),
  'openIndex of bytes': (_, bytes) => openIndex(bytes),
  'openIndex of a Blob': (_, bytes) => openIndex(new Blob([bytes])),
  'openIndex of a URL': (_, bytes) =>
    openIndex('http://127.0.0.1/index', { fetch: async () => served(bytes), retries: 0 }),
  decodeIndex: (_, bytes) => decodeIndex(bytes),
  verifyIndex: (name) => verifyIndex(at(name)),
  appendToIndex: (name) => appendToIndex(at(name), [[[1, 2]]]),
  'buildIndex from a file': (name) => buildIndex(at('out'), at(name)),
}

function served(bytes: Uint8Array<ArrayBuffer>): Response {
  return new Response(bytes, { status: 200, headers: { 'content-length': String(bytes.length) } })
}

describe.each(Object.entries(READERS))('%s', (_, read) => {
  it.each(Object.entries(FILES))('says what the file is: %s', async (file, [name, bytes]) => {
    const error = await refusal(() => read(file, new Uint8Array(bytes)))
    expect(error.code).toBe('INVALID_FILE')
    expect(error.message).toContain(name)
    expect(error.message.length).toBeGreaterThan(20)
  })
})

describe('readers of one format', () => {
  it.each([
    ['readNpy', 'safetensors', 'a safetensors file'],
    ['readFaiss', 'npy', 'a .npy array'],
    ['loadIndex', 'npy', 'a .npy array'],
    ['openIndex of bytes', 'npy', 'a .npy array'],
  ] as const)('%s names a file of another: %s', async (reader, file, name) => {
    const error = await refusal(() => READERS[reader]!(file, new Uint8Array(OTHERS[file][1])))
    expect(error).toMatchObject({ code: 'INVALID_FILE' })
    expect(error.message).toContain(name)
  })
})

/** A safetensors file with this header, and as many bytes behind it. */
function withHeader(header: string, dataBytes: number): Uint8Array<ArrayBuffer> {
  const file = new Uint8Array(8 + header.length + dataBytes)
  new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true)
  file.set(text(header), 8)
  return file
}

describe('the safetensors header', () => {
  // What safetensors 0.8 reads, with the values that fill its bytes.
  it.each([
    ...[
      ['BOOL', 1, 1],
      ['F4', 2, 1],
      ['F6_E2M3', 4, 3],
      ['F6_E3M2', 4, 3],
      ['U8', 1, 1],
      ['I8', 1, 1],
    ],
    ...[
      ['F8_E5M2', 1, 1],
      ['F8_E4M3', 1, 1],
      ['F8_E8M0', 1, 1],
      ['F8_E4M3FNUZ', 1, 1],
      ['F8_E5M2FNUZ', 1, 1],
    ],
    ...[
      ['I16', 1, 2],
      ['U16', 1, 2],
      ['F16', 1, 2],
      ['BF16', 1, 2],
      ['I32', 1, 4],
      ['U32', 1, 4],
      ['F32', 1, 4],
    ],
    ...[
      ['C64', 1, 8],
      ['F64', 1, 8],
      ['I64', 1, 8],
      ['U64', 1, 8],
      ['F4', 0, 0],
    ],
  ] as [string, number, number][])('has tensors of %s', (dtype, values, bytes) => {
    const header = JSON.stringify({ a: { dtype, shape: [values], data_offsets: [0, bytes] } })
    const file = withHeader(header, bytes)
    expect(parseSafetensorsHeader(file, file.length).tensors.get('a')).toEqual({
      dtype,
      shape: [values],
      begin: 0,
      end: bytes,
    })
  })

  it.each(['F4', 'F6_E2M3', 'F6_E3M2'])('has no %s that fill no whole bytes', (dtype) => {
    const header = JSON.stringify({ a: { dtype, shape: [3], data_offsets: [0, 2] } })
    expect(() => parseSafetensorsHeader(withHeader(header, 2))).toThrow(/do not fill whole bytes/)
  })

  it.each(['{"__metadata__": null}', '{"__metadata__":{}}'])('may be %j', (header) => {
    const file = withHeader(header, 0)
    expect(parseSafetensorsHeader(file, file.length)).toMatchObject({ metadata: {}, dataBytes: 0 })
  })

  it('of an index has the types of an index, named where they are others', async () => {
    const index = QuantizedIndex.build([[1, 2]], { coarse: 'float32' })
    const file = new TextDecoder('latin1').decode(encodeIndex(index))
    const other = Uint8Array.from(file.replace('"F32"', '"BF16"'.slice(0, 5)), (character) => character.charCodeAt(0))
    const error = await refusal(() => openIndex(other))
    expect(error).toBeInstanceOf(PackvecError)
  })
})

describe('a file of ids', () => {
  const all = async (name: string) => {
    const ids = []
    for await (const id of readIdsFile(at(name))) ids.push(id)
    return ids
  }
  const descriptors = () => readdirSync('/proc/self/fd').length

  it('has a JSON string or number per line, whatever ends the lines', async () => {
    const long = 'x'.repeat(100_000)
    writeFileSync(at('ids'), `\uFEFF"a"\r\n1\n${JSON.stringify(long)}\n"\uFEFFb"`)
    expect(await all('ids')).toEqual(['a', 1, long, '\uFEFFb'])
  })

  it('is refused where a line is longer than any id, before all of it is read', async () => {
    writeFileSync(at('line'), '')
    truncateSync(at('line'), 600_000_000)
    const error = await refusal(() => all('line'))
    expect(error).toMatchObject({ code: 'INVALID_FILE', argument: 'ids' })
    expect(error.message).toMatch(/line 1 has more than 1048576 bytes/)
  })

  it.skipIf(process.platform !== 'linux')('is closed when it is refused, and when nobody reads on', async () => {
    writeFileSync(at('ids'), '"a"\nnull\n')
    const before = descriptors()
    for (let i = 0; i < 20; i++) {
      expect((await refusal(() => all('ids'))).message).toContain('line 2 must be a JSON string or number')
      for await (const _ of readIdsFile(at('ids'))) break
      await refusal(() => buildIndex(at('out'), at('none'), { ids: readIdsFile(at('ids')) }))
    }
    expect(descriptors()).toBeLessThan(before + 5)
  })
})
