import { afterAll, describe, expect, it } from 'vitest'
import { halfBits } from '../../src/base/half.js'
import { decodeSafetensors } from '../../src/formats/safetensors.js'
import { type BuildOptions, QuantizedIndex } from '../../src/index.js'
import { appendToIndex, buildIndex, deleteFromIndex, IndexBuilder, verifyIndex } from '../../src/node.js'
import { openIndex } from '../../src/storage-node.js'
import { sealed } from '../format/sealed.js'
import { indexFile, type RowFacts } from '../storage/index-files.js'
import { Folder, rejectionOf, rowsOf } from './files.js'

const folder = new Folder()
afterAll(() => folder.remove())

const [ROWS, DIMS] = [300, 20]
const corpus = rowsOf(ROWS, DIMS, 1)
const keys = Array.from({ length: ROWS }, (_, row) => `key ${row}`)

/** Writes an index, some bytes of one tensor changed, with sums that are right. */
function forge(options: BuildOptions, facts: RowFacts, tensor: string, at: number, bytes: Uint8Array): string {
  const { tensors, metadata } = decodeSafetensors(indexFile(QuantizedIndex.build(corpus, options), facts))
  const changed = new Map(tensors)
  const { data, ...rest } = tensors.get(tensor)!
  const copy = new Uint8Array(data)
  copy.set(bytes, at)
  changed.set(tensor, { ...rest, data: copy })
  return folder.write('forged.safetensors', sealed(changed, metadata))
}

/** What becomes of opening a file and finding every row of it, with its name. */
async function searchAll(path: string, load: 'coarse' | 'all'): Promise<string> {
  try {
    await using index = await openIndex(path, { load })
    const result = await index.search(corpus.data.slice(0, DIMS), { topK: ROWS, scoring: 'asymmetric' })
    return `found ${result.ids.length}`
  } catch (error) {
    return (error as { code: string }).code
  }
}

const float = (value: number) => new Uint8Array(Float32Array.of(value).buffer)
const half = (value: number) => new Uint8Array(Uint16Array.of(halfBits(value)).buffer)
const FLOATS = { coarse: 'float32' } as const
const BITS_AND_FLOATS = { coarse: 'binary', rescore: 'float32' } as const
const SCALED = { coarse: 'ternary', rescore: 'int8', scale: 'float16' } as const
const WIDE = { coarse: 'int8', rescore: 'none', scale: 'float32' } as const

describe('verifyIndex refuses what opening or searching would meet', () => {
  it.each([
    [
      'NaN in the floats of the first stage',
      FLOATS,
      {},
      'float32',
      4 * (DIMS * 7 + 3),
      float(Number.NaN),
      /row 7, dimension 3/,
    ],
    [
      'infinity in the floats that rescore',
      BITS_AND_FLOATS,
      {},
      'float32',
      4 * DIMS * 299,
      float(-1 / 0),
      /row 299, dimension 0/,
    ],
    ['NaN in a factor of float16', SCALED, {}, 'ternary.scale', 2 * 5, half(Number.NaN), /NaN at row 5/],
    [
      'infinity in a factor of the codes that rescore',
      SCALED,
      {},
      'int8.scale',
      2 * 9,
      half(1 / 0),
      /Infinity at row 9/,
    ],
    ['NaN in a factor of float32', WIDE, {}, 'int8.scale', 4 * 9, float(Number.NaN), /NaN at row 9/],
    [
      'deleted rows behind the last one',
      FLOATS,
      { deleted: [1] },
      'deleted',
      37,
      Uint8Array.of(0x70),
      /marks rows beyond the last one/,
    ],
  ])('%s', async (_, options, facts, tensor, at, bytes, message) => {
    const path = forge(options, facts, tensor, at, bytes)
    expect(await rejectionOf(verifyIndex(path))).toMatchObject({
      code: 'INVALID_FILE',
      message: expect.stringMatching(message),
    })
    const outcomes = [await searchAll(path, 'coarse'), await searchAll(path, 'all')]
    for (const outcome of outcomes) expect(['INVALID_FILE', 'NOT_FINITE']).toContain(outcome)
  })
})

describe('verifyIndex passes what opening and searching take', () => {
  it('keys that are no UTF-8, which are read with U+FFFD', async () => {
    const path = forge(FLOATS, { keys }, 'keys', 0, Uint8Array.of(0xff, 0xc0))
    expect(await verifyIndex(path)).toMatchObject({ rows: ROWS })
    expect(await searchAll(path, 'coarse')).toBe(`found ${ROWS}`)
    await deleteFromIndex(path, ['\ufffd\ufffdy 0'])
    await appendToIndex(path, [rowsOf(1, DIMS, 2)], { ids: ['new'] })
    expect(await verifyIndex(path)).toMatchObject({ rows: ROWS + 1, deletedRows: 1 })
  })

  it.each([FLOATS, BITS_AND_FLOATS, SCALED, WIDE])('an index of %o, with some rows deleted', async (options) => {
    const path = forge(options, { keys, deleted: [0, 299] }, 'deleted', 0, Uint8Array.of(3))
    expect(await verifyIndex(path)).toMatchObject({ rows: ROWS, deletedRows: 3 })
    expect(await searchAll(path, 'all')).toBe(`found ${ROWS - 3}`)
  })
})

describe('metadata that no reader would take', () => {
  const MIB = 1 << 20

  it.each([
    [
      'more than the 4 MiB of a header',
      { text: 'x'.repeat(4 * MIB) },
      'TOO_LARGE',
      /at most 4186112 bytes as JSON, got 4194315/,
    ],
    ['as much in many keys', Object.fromEntries(keys.map((key) => [key, 'ü'.repeat(7000)])), 'TOO_LARGE', /4186112/],
    ['more only with its escapes', { text: '\u0001'.repeat(MIB) }, 'TOO_LARGE', /got 6291467/],
    ['a number', { rank: 7 }, 'INVALID_ARGUMENT', /an object of strings, got 7 for "rank"/],
    ['null', { rank: null }, 'INVALID_ARGUMENT', /got null for "rank"/],
    ['a key that a header may not have', JSON.parse('{"__proto__": "x"}'), 'INVALID_ARGUMENT', /__proto__/],
    ['a text', 'model', 'INVALID_ARGUMENT', /got "model"/],
  ])('is refused before a row is read: %s', async (_, metadata, code, message) => {
    const options = { metadata: metadata as Record<string, string> }
    async function* source() {
      yield expect.fail('a row was read')
    }
    const before = folder.list()
    for (const refuse of [
      () => buildIndex(folder.at('new'), source(), options),
      () => IndexBuilder.open(folder.at('new'), options),
    ]) {
      expect(await rejectionOf(refuse())).toMatchObject({ code, message: expect.stringMatching(message) })
    }
    expect(folder.list()).toEqual(before)
  })

  it('is told from the most that there may be, which opens', async () => {
    const path = folder.at('large.safetensors')
    const text = 'x'.repeat(4 * MIB - 8192 - '{"text":""}'.length)
    const options = {
      coarse: 'quaternary',
      rescore: 'int4',
      scale: true,
      metadata: { text },
      onWarning: () => {},
    } as const
    await buildIndex(path, [corpus], { ...options, ids: keys, rotation: { kind: 'svd', center: true } })
    await deleteFromIndex(path, [keys[0]!])
    expect(await verifyIndex(path)).toMatchObject({ deletedRows: 1 })
    expect(decodeSafetensors(folder.bytes('large.safetensors')).metadata['text']).toBe(text)
  })

  it('is refused too where a file that may be read would become one that may not', async () => {
    const { tensors, metadata } = decodeSafetensors(indexFile(QuantizedIndex.build(corpus), { keys }))
    const text = (length: number) => ({ ...metadata, text: 'x'.repeat(length) })
    const rest =
      sealed(new Map(tensors), text(0)).length - [...tensors.values()].reduce((sum, { data }) => sum + data.length, 0)
    const path = folder.write('full.safetensors', sealed(new Map(tensors), text(4 * MIB - rest - 64)))
    await verifyIndex(path)
    const before = folder.bytes('full.safetensors')
    expect(await rejectionOf(deleteFromIndex(path, [keys[0]!]))).toMatchObject({
      code: 'TOO_LARGE',
      argument: 'metadata',
    })
    expect(folder.bytes('full.safetensors')).toEqual(before)
  })
})
