import { describe, expect, it } from 'vitest'
import { PackvecError } from '../../src/base/errors.js'
import { QuantizedIndex } from '../../src/index.js'
import { fromReader, type RangeReader } from '../../src/sources/reader-source.js'
import { encodeIndex, openIndex } from '../../src/storage.js'
import { matrix } from '../random.js'
import { collect, patternBytes, rejectionOf } from './server.js'

const content = patternBytes(2_500_000)

/** A store of objects that notes what is asked of it. */
function store(bytes: Uint8Array = content, overrides: Partial<RangeReader> = {}) {
  const asked: [position: number, length: number][] = []
  let now = 0
  let most = 0
  const reader: RangeReader = {
    name: 'corpus',
    byteLength: bytes.length,
    async read(position, length) {
      asked.push([position, length])
      most = Math.max(most, ++now)
      await new Promise((resolve) => setTimeout(resolve, 1))
      now--
      return bytes.slice(position, position + length)
    },
    ...overrides,
  }
  return { reader, asked, mostAtOnce: () => most }
}

function streamOf(...pieces: Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece)
      controller.close()
    },
  })
}

function ranges(...positions: number[]) {
  return positions.map((position) => ({ position, target: new Uint8Array(1000) }))
}

/** Never answers, and does not listen to signals. */
const silent = () => new Promise<never>(() => {})

describe('a source over a reader of ranges', () => {
  it('reads ranges, neighbours as one, so many at once and no more', async () => {
    const { reader, asked, mostAtOnce } = store()
    const source = fromReader(reader, { maxRequests: 2, gapBytes: 500 })
    const wanted = ranges(0, 1400, 10_000, 20_000, 30_000, 2_499_000)
    await source.readMany(wanted)
    for (const { position, target } of wanted) expect(target).toEqual(content.subarray(position, position + 1000))
    expect(asked.sort((a, b) => a[0] - b[0])).toEqual([
      [0, 2400],
      ...[10_000, 20_000, 30_000, 2_499_000].map((position) => [position, 1000]),
    ])
    expect(mostAtOnce()).toBe(2)
  })

  it('takes ArrayBuffers', async () => {
    const { reader } = store(content, { read: async (at, length) => content.slice(at, at + length).buffer })
    const target = new Uint8Array(5)
    await fromReader(reader).read(7, target)
    expect(target).toEqual(content.subarray(7, 12))
  })

  it('streams a large range by one call where the reader can, by pieces where it cannot', async () => {
    const { reader, asked } = store()
    expect(Buffer.compare(await collect(fromReader(reader).stream(7, 1_100_000)), content.subarray(7, 1_100_007))).toBe(
      0,
    )
    expect(asked).toEqual([
      [7, 1_048_576],
      [1_048_583, 51_424],
    ])
    const calls: number[][] = []
    const streaming = store(content, {
      async stream(position, length) {
        calls.push([position, length])
        return streamOf(content.slice(position, position + 3), content.slice(position + 3, position + length))
      },
    })
    expect(await collect(fromReader(streaming.reader).stream(100, 50))).toEqual(content.slice(100, 150))
    expect(await collect(fromReader(streaming.reader).stream(100, 0))).toEqual(new Uint8Array(0))
    expect(calls).toEqual([[100, 50]])
    expect(streaming.asked).toEqual([])
  })

  it('never asks beyond the end', async () => {
    const { reader, asked } = store()
    const error = await rejectionOf(fromReader(reader).read(2_499_999, new Uint8Array(2)))
    expect(error).toMatchObject({ code: 'INVALID_FILE', message: expect.stringContaining('byte 2500000') })
    expect(asked).toEqual([])
  })

  it('refuses an answer that is too short or too long', async () => {
    const short = fromReader(store(content, { read: async () => new Uint8Array(3) }).reader)
    expect(await rejectionOf(short.read(10, new Uint8Array(5)))).toMatchObject({
      code: 'INVALID_FILE',
      message: 'corpus: the file is cut off: it ends at byte 13, expected 15 bytes',
    })
    const long = fromReader(store(content, { read: async () => new Uint8Array(7) }).reader)
    expect(await rejectionOf(long.read(10, new Uint8Array(5)))).toMatchObject({ code: 'IO' })
    for (const [bytes, code] of [
      [3, 'INVALID_FILE'],
      [7, 'IO'],
    ] as const) {
      const source = fromReader(store(content, { stream: async () => streamOf(new Uint8Array(bytes)) }).reader)
      expect(await rejectionOf(collect(source.stream(10, 5)))).toMatchObject({ code })
    }
  })

  it('gives an error of the reader its name, and leaves a PackvecError as it is', async () => {
    const fail = (error: unknown) => ({
      read: async () => {
        throw error
      },
    })
    const cause = new Error('the bucket is away')
    expect(await rejectionOf(fromReader(store(content, fail(cause)).reader).read(0, new Uint8Array(1)))).toMatchObject({
      name: 'PackvecError',
      code: 'IO',
      argument: 'source',
      message: 'cannot read corpus: the bucket is away',
      cause,
    })
    const changed = new PackvecError('CHANGED', 'source', 'it is another one')
    expect(await rejectionOf(fromReader(store(content, fail(changed)).reader).read(0, new Uint8Array(1)))).toBe(changed)
    const thrower = store(content, {
      read: () => {
        throw cause
      },
    })
    expect(await rejectionOf(fromReader(thrower.reader).read(0, new Uint8Array(1)))).toMatchObject({ code: 'IO' })
  })

  it('begins no further read once one has failed', async () => {
    let calls = 0
    const { reader } = store(content, {
      read: async () => {
        calls++
        throw new Error('no')
      },
    })
    const source = fromReader(reader, { maxRequests: 1, gapBytes: 0 })
    expect(await rejectionOf(source.readMany(ranges(0, 2000, 4000, 6000)))).toMatchObject({ code: 'IO' })
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(calls).toBe(1)
  })

  it('ends when it is aborted, also where the reader does not', async () => {
    for (const overrides of [{ read: silent }, { stream: silent }, { stream: async () => new ReadableStream() }]) {
      const source = fromReader(store(content, overrides as Partial<RangeReader>).reader)
      const controller = new AbortController()
      const read =
        'read' in overrides
          ? source.read(0, new Uint8Array(1), controller.signal)
          : collect(source.stream(0, 1, controller.signal))
      setTimeout(() => controller.abort(), 5)
      expect(await rejectionOf(read)).toMatchObject({ code: 'ABORTED' })
      expect(await rejectionOf(source.read(0, new Uint8Array(1), controller.signal))).toMatchObject({ code: 'ABORTED' })
    }
  })

  it('lends no place to a read that never ends: others of the same source go on', async () => {
    let hang = true
    const { reader } = store(content, {
      read: (at, length) => (hang ? silent() : Promise.resolve(content.slice(at, at + length))),
    })
    const source = fromReader(reader, { maxRequests: 1 })
    void source.read(0, new Uint8Array(1))
    hang = false
    const target = new Uint8Array(3)
    await source.read(5, target)
    expect(target).toEqual(content.subarray(5, 8))
  })

  it('checks the reader and the options', () => {
    const { reader } = store()
    const argumentOf = (build: () => unknown) => {
      try {
        build()
      } catch (error) {
        return (error as PackvecError).argument
      }
      return undefined
    }
    expect(argumentOf(() => fromReader({ ...reader, name: 1 as unknown as string }))).toBe('reader.name')
    expect(argumentOf(() => fromReader({ ...reader, byteLength: 1.5 }))).toBe('reader.byteLength')
    expect(argumentOf(() => fromReader({ ...reader, read: undefined as never }))).toBe('reader.read')
    expect(argumentOf(() => fromReader(reader, { maxRequests: 0 }))).toBe('maxRequests')
    expect(argumentOf(() => fromReader(reader, { gapBytes: -1 }))).toBe('gapBytes')
  })

  it('is what an index opens from, with the results of the index in memory', async () => {
    const rows = matrix(3000, 64, 1)
    const index = QuantizedIndex.build(rows)
    const bytes = encodeIndex(index)
    let closed = 0
    const { reader, asked } = store(bytes, {
      close: async () => {
        closed++
      },
    })
    const opened = await openIndex(fromReader(reader))
    const opening = asked.length
    const query = rows.data.subarray(0, 64)
    const { ids, scores } = await opened.search(query, { topK: 5 })
    expect({ ids, scores }).toEqual(index.search(query, { topK: 5 }))
    expect(asked.length).toBeGreaterThan(opening)
    await opened.close()
    expect(closed).toBe(1)
  })
})
