import { afterAll, describe, expect, it } from 'vitest'
import { decodeNpy } from '../../src/formats/npy.js'
import { decodeSafetensors } from '../../src/formats/safetensors.js'
import { type BuildOptions, Calibration, Levels, QuantizedIndex } from '../../src/index.js'
import { type BuildProgress, buildIndex, IndexBuilder, loadIndex, verifyIndex } from '../../src/node.js'
import { itqRotation, Rotation, svdRotation } from '../../src/rotations.js'
import { encodeIndex } from '../../src/storage.js'
import { randomSource } from '../random.js'
import { Folder, type Rows, rejectionOf, rowsOf, slice } from './files.js'

const folder = new Folder()
afterAll(() => folder.remove())

const ROWS = 2500
const DIMS = 40
const corpus = rowsOf(ROWS, DIMS, 1)
const parts = [0, 700, 701, ROWS].slice(1).map((end, i, ends) => slice(corpus, ends[i - 1] ?? 0, end))
const paths = parts.map((part, i) => folder.npy(`part-${i}.npy`, part))
const target = folder.at('index.safetensors')
const silent = { onWarning: () => {} }

function* batchesOf(rows: Rows, seed = 3): Generator<Rows> {
  const random = randomSource(seed)
  for (let first = 0; first < rows.dims[0]; ) {
    const end = Math.min(rows.dims[0], first + Math.floor(random() * 300))
    yield slice(rows, first, end)
    first = end
  }
}

async function* late<T>(items: Iterable<T>): AsyncGenerator<T> {
  for (const item of items) {
    await new Promise((resolve) => setImmediate(resolve))
    yield item
  }
}

const OPTIONS: [string, BuildOptions][] = [
  ['the usual codes', {}],
  ['float32 alone', { coarse: 'float32' }],
  ['signed bits, one range for all', { coarse: 'binary', rescore: 'uint8', scope: 'global', scale: true }],
  ['ternary and int4, scaled', { coarse: 'ternary', rescore: 'int4', scale: 'float32' }],
  ['quaternary of each dimension, percentiles', { coarse: 'quaternary', scope: 'dimension', percentiles: [2, 98] }],
  ['truncated, renormalised', { truncate: 21, renormalize: true, rotation: Rotation.hadamard(21, { seed: 5 }) }],
  ['a rotation about a centre', { coarse: 'int4', rotation: svdRotation(corpus, { center: true }) }],
  ['ranges that are given', { ranges: Calibration.from(slice(corpus, 0, 200)) }],
  ['levels that are given', { coarse: 'int4', rescore: 'none', levels: Levels.from(corpus, 'int4') }],
  ['a sample that is given', { coarse: 'ternary', calibrationEmbeddings: slice(corpus, 3, 333) }],
]

describe('buildIndex', () => {
  describe.each(OPTIONS)('gives the bytes of an index built in memory: %s', (_, options) => {
    const expected = encodeIndex(QuantizedIndex.build(corpus, options))

    it('from files', async () => {
      await buildIndex(target, paths, options)
      expect(folder.bytes('index.safetensors')).toEqual(expected)
    })

    it('from batches', async () => {
      await buildIndex(target, batchesOf(corpus), options)
      expect(folder.bytes('index.safetensors')).toEqual(expected)
    })

    it('from batches that take their time', async () => {
      await buildIndex(target, late(batchesOf(corpus, 4)), options)
      expect(folder.bytes('index.safetensors')).toEqual(expected)
    })
  })

  it('takes levels and percentiles of a large corpus from the rows that an index in memory takes them from', async () => {
    const large = rowsOf(40_000, 8, 2)
    for (const options of [{ coarse: 'ternary', rescore: 'none' }, { percentiles: [1, 99] }] as BuildOptions[]) {
      await buildIndex(target, [folder.npy('large.npy', large)], options)
      expect(folder.bytes('index.safetensors')).toEqual(encodeIndex(QuantizedIndex.build(large, options)))
    }
  })

  it('fits rotations to the sample, and makes those that a seed gives', async () => {
    for (const [rotation, fitted] of [
      [{ kind: 'svd', center: true }, svdRotation(corpus, { center: true })],
      [{ kind: 'itq', seed: 3 }, itqRotation(corpus, { seed: 3 })],
      [{ kind: 'hadamard', seed: 9 }, Rotation.hadamard(DIMS, { seed: 9 })],
    ] as const) {
      await buildIndex(target, paths, { rotation })
      expect(folder.bytes('index.safetensors')).toEqual(encodeIndex(QuantizedIndex.build(corpus, { rotation: fitted })))
    }
  })

  it('draws a sample by its seed, the same from files and from batches', async () => {
    const draw = async (source: string[] | Iterable<Rows>, seed: number) => {
      await buildIndex(target, source, { calibrateOn: { sample: 300, seed } })
      return folder.bytes('index.safetensors')
    }
    const one = await draw(paths, 1)
    expect(await draw(batchesOf(corpus), 1)).toEqual(one)
    expect(await draw(paths, 2)).not.toEqual(one)
    expect(decodeSafetensors(one).metadata['calibration_rows']).toBe('300')
  })

  it('reads float16 and float64 files as numpy would round them', async () => {
    const half = folder.npyHalf('half.npy', corpus)
    const widened = decodeNpy(folder.bytes('half.npy'))
    expect(widened.dtype).toBe('float16')
    await buildIndex(target, half)
    expect(folder.bytes('index.safetensors')).toEqual(
      encodeIndex(QuantizedIndex.build({ data: widened.data, dims: corpus.dims })),
    )
    const wide = { data: Float64Array.from(corpus.data), dims: corpus.dims }
    await buildIndex(target, folder.npy('wide.npy', wide as unknown as Rows))
    expect(folder.bytes('index.safetensors')).toEqual(encodeIndex(QuantizedIndex.build(corpus)))
  })

  it('follows another index: its precisions, ranges and rotation', async () => {
    const options = { coarse: 'int4', rotation: Rotation.hadamard(DIMS) } as const
    const first = QuantizedIndex.build(slice(corpus, 0, 900), options)
    const like = folder.write('like.safetensors', encodeIndex(first))
    await buildIndex(target, paths.slice(1), { like })
    const rest = QuantizedIndex.build(corpus, { ...options, ranges: first.calibration! })
    const query = corpus.data.subarray(0, DIMS)
    const hits = (await loadIndex(target)).search(query, { topK: 2 })
    expect(hits.ids.length).toBe(2)
    const whole = decodeSafetensors(encodeIndex(rest)).tensors.get('int8')!.data
    const built = decodeSafetensors(folder.bytes('index.safetensors')).tensors.get('int8')!.data
    expect(built).toEqual(whole.subarray(700 * DIMS))
  })

  it('keeps ids that are numbers, and ids that are texts', async () => {
    const numbers = Uint32Array.from({ length: ROWS }, (_, i) => (i * 2654435761) >>> 0)
    await buildIndex(target, paths, { ids: numbers, metadata: { model: 'MiniLM' } })
    const { tensors, metadata } = decodeSafetensors(folder.bytes('index.safetensors'))
    expect(new Uint32Array(tensors.get('ids')!.data.slice().buffer)).toEqual(numbers)
    expect(metadata['model']).toBe('MiniLM')
    const texts = Array.from(numbers, (id) => (id % 5 === 0 ? `ключ ${id} 🗝` : `key-${id}`))
    await buildIndex(target, paths, { ids: late(texts) })
    const found = decodeSafetensors(folder.bytes('index.safetensors')).tensors
    const offsets = new Uint32Array(found.get('keys.offsets')!.data.slice().buffer)
    const decoded = Array.from(texts, (_, i) =>
      new TextDecoder().decode(found.get('keys')!.data.subarray(offsets[i], offsets[i + 1])),
    )
    expect(decoded).toEqual(texts)
    expect(await verifyIndex(target)).toMatchObject({ rows: ROWS, deletedRows: 0 })
  })

  it('takes the ids of each batch with it', async () => {
    let next = 0
    const batches = [...batchesOf(corpus)].map((embeddings) => {
      return { embeddings, ids: Array.from({ length: embeddings.dims[0] }, () => 7 * next++) }
    })
    await buildIndex(target, batches)
    const { tensors } = decodeSafetensors(folder.bytes('index.safetensors'))
    const expected = Uint32Array.from({ length: ROWS }, (_, i) => 7 * i)
    expect(new Uint32Array(tensors.get('ids')!.data.slice().buffer)).toEqual(expected)
  })

  it('says how far it is, and how long it will take', async () => {
    const heard: BuildProgress[] = []
    await buildIndex(target, paths, { onProgress: (progress) => heard.push(progress) })
    for (const phase of ['calibrate', 'encode'] as const) {
      const last = heard.filter((progress) => progress.phase === phase).at(-1)
      expect(last).toMatchObject({ rows: ROWS, totalRows: ROWS, secondsLeft: 0 })
      expect(last!.bytesPerSecond).toBeGreaterThan(0)
    }
  })

  it('ends when it is told to, and leaves the old file and nothing beside it', async () => {
    const old = folder.write('index.safetensors', 'old')
    const before = folder.list()
    for (const phase of ['calibrate', 'encode'] as const) {
      const abort = new AbortController()
      const onProgress = (progress: BuildProgress) => {
        if (progress.phase === phase) abort.abort()
      }
      const error = await rejectionOf(buildIndex(old, paths, { signal: abort.signal, onProgress }))
      expect(error).toMatchObject({ name: 'PackvecError', code: 'ABORTED' })
    }
    expect(folder.list()).toEqual(before)
    expect(Buffer.from(folder.bytes('index.safetensors')).toString()).toBe('old')
  })
})

describe('what a build refuses leaves the old file, and nothing beside it', () => {
  const nan = slice(corpus, 0, 100)
  nan.data[57 * DIMS + 3] = Number.NaN
  folder.npy('nan.npy', nan)
  folder.npy('narrow.npy', rowsOf(10, DIMS - 1, 4))
  const many = Array.from({ length: ROWS }, (_, i) => i)

  it.each<[string, () => Parameters<typeof buildIndex>[1], Parameters<typeof buildIndex>[2], string, RegExp]>([
    [
      'NaN, by its row over all files',
      () => [...paths, folder.at('nan.npy')],
      {},
      'NOT_FINITE',
      /nan\.npy must be finite.*NaN at row 2557, dimension 3/,
    ],
    [
      'NaN where nothing is calibrated',
      () => [...paths, folder.at('nan.npy')],
      { rescore: 'none' },
      'NOT_FINITE',
      /row 2557, dimension 3/,
    ],
    [
      'NaN in a sample',
      () => [...paths, folder.at('nan.npy')],
      { coarse: 'ternary', rescore: 'none' },
      'NOT_FINITE',
      /row 2557, dimension 3/,
    ],
    ['NaN in a batch', () => [corpus, nan], {}, 'NOT_FINITE', /row 2557, dimension 3/],
    [
      'other dims',
      () => [paths[0]!, folder.at('narrow.npy')],
      {},
      'DIMS_MISMATCH',
      /narrow\.npy has 39 dimensions, .*part-0\.npy has 40/,
    ],
    [
      'batches of other dims',
      () => [corpus, rowsOf(3, 7, 1)],
      {},
      'DIMS_MISMATCH',
      /embeddings have 7 dimensions, the earlier rows have 40/,
    ],
    ['no files', () => [], {}, 'EMPTY', /at least 1 row/],
    ['no batches', () => new Set<Rows>(), {}, 'EMPTY', /at least 1 row/],
    ['files without rows', () => folder.npy('none.npy', slice(corpus, 0, 0)), {}, 'EMPTY', /at least 1 row/],
    ['a missing file', () => [folder.at('no.npy')], {}, 'IO', /no\.npy: no such file/],
    [
      'ids that come twice',
      () => paths,
      { ids: [...many.slice(1), 5] },
      'INVALID_ARGUMENT',
      /ids must be unique, got 5 at rows 4 and 2499/,
    ],
    [
      'texts that come twice',
      () => paths,
      { ids: many.map((i) => `k${i % 2499}`) },
      'INVALID_ARGUMENT',
      /unique, got "k0" at rows 0 and 2499/,
    ],
    [
      'ids of two kinds',
      () => paths,
      { ids: many.map((i) => (i < 9 ? i : String(i))) },
      'INVALID_ARGUMENT',
      /ids must be numbers, as the other ids are, got "9" for row 9/,
    ],
    [
      'ids that are not whole',
      () => paths,
      { ids: [1.5] },
      'INVALID_ARGUMENT',
      /below 2\^32, or texts, got 1\.5 for row 0/,
    ],
    ['half a character', () => paths, { ids: ['\ud800'] }, 'INVALID_ARGUMENT', /well-formed/],
    ['too few ids', () => paths, { ids: [1, 2] }, 'INVALID_ARGUMENT', /every row needs one id, so pass 2500; got 2/],
    ['one row to take ranges from', () => [slice(corpus, 0, 1)], {}, 'CALIBRATION_REQUIRED', /single embedding/],
    ['metadata of its own', () => paths, { metadata: { rows: '1' } }, 'INVALID_ARGUMENT', /metadata/],
    [
      'codes beside an index to follow',
      () => paths,
      { like: target, coarse: 'int8' },
      'INVALID_ARGUMENT',
      /coarse must be left out/,
    ],
    ['an unknown precision', () => paths, { coarse: 'int3' as never }, 'INVALID_ARGUMENT', /coarse must be one of/],
    ['no source', () => 7 as never, {}, 'INVALID_ARGUMENT', /paths of .npy files/],
  ])('%s', async (_, source, options, code, message) => {
    folder.write('index.safetensors', 'old')
    const before = folder.list()
    const error = await rejectionOf(buildIndex(target, source(), { ...silent, ...options }))
    expect(error).toMatchObject({ name: 'PackvecError', code, message: expect.stringMatching(message) })
    expect(folder.list().filter((name) => name !== 'none.npy')).toEqual(before.filter((name) => name !== 'none.npy'))
    expect(Buffer.from(folder.bytes('index.safetensors')).toString()).toBe('old')
  })
})

describe('IndexBuilder', () => {
  it('goes on after a batch that it refused', async () => {
    const builder = await IndexBuilder.open(target, silent)
    await builder.add(slice(corpus, 0, 1000))
    const bad = slice(corpus, 1000, 1001)
    bad.data[2] = Number.POSITIVE_INFINITY
    expect((await rejectionOf(builder.add(bad))).message).toMatch(/Infinity at row 1000, dimension 2/)
    expect((await rejectionOf(builder.add(slice(corpus, 0, 2), { ids: [1, 2] }))).message).toMatch(
      /these cannot have any; got/,
    )
    await builder.add(slice(corpus, 1000, ROWS))
    await builder.finish()
    expect(folder.bytes('index.safetensors')).toEqual(encodeIndex(QuantizedIndex.build(corpus)))
    expect((await rejectionOf(builder.add(corpus))).message).toMatch(/finished/)
  })

  it('leaves nothing when it is discarded', async () => {
    const before = folder.list()
    const builder = await IndexBuilder.open(folder.at('never.safetensors'))
    await builder.add(corpus)
    await builder.discard()
    expect(folder.list()).toEqual(before)
  })
})

describe('batches that cannot be read', () => {
  /** Every property throws, `then` too: awaiting such a batch would throw what it throws. */
  const hostile = new Proxy([1, 2], {
    get() {
      throw new TypeError('not to be read')
    },
  })

  it('are refused with a PackvecError, in a list as in an async iterable', async () => {
    async function* later() {
      yield corpus
    }
    for (const source of [[hostile], [corpus, hostile]]) {
      const error = await rejectionOf(buildIndex(folder.at('never.safetensors'), source as never, silent))
      expect(error).toMatchObject({ name: 'PackvecError', code: 'INVALID_ARGUMENT' })
    }
    await buildIndex(target, later(), silent)
    expect(folder.bytes('index.safetensors')).toEqual(encodeIndex(QuantizedIndex.build(corpus)))
  })

  it('may be promises of batches', async () => {
    await buildIndex(target, [Promise.resolve(corpus)] as never, silent)
    expect(folder.bytes('index.safetensors')).toEqual(encodeIndex(QuantizedIndex.build(corpus)))
  })
})
