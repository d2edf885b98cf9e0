import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  Calibration,
  dequantizeEmbeddings,
  init,
  Levels,
  PackvecError,
  QuantizedIndex,
  quantizeEmbeddings,
  semanticSearch,
  transformEmbeddings,
} from '../src/index.js'

const rows = [
  [0.5, -1, 0.25],
  [-0.5, 1, 0.125],
  [1, 0.5, -2],
]
const query = [1, 0, 0]
const onWarning = () => {}
const index = QuantizedIndex.build(rows, { onWarning })
const codes = quantizeEmbeddings(rows, 'int8', { onWarning })

/** Calls of the core, each with the options that a test gives it. */
const calls = {
  quantizeEmbeddings: (options: object) => quantizeEmbeddings(rows, 'int8', options),
  dequantizeEmbeddings: (options: object) => dequantizeEmbeddings(codes, options),
  'QuantizedIndex.build': (options: object) => QuantizedIndex.build(rows, options),
  'index.add': (options: object) => QuantizedIndex.build(rows, { onWarning }).add(rows, options),
  'index.search': (options: object) => index.search(query, options),
  semanticSearch: (options: object) => semanticSearch(query, rows, options),
  transformEmbeddings: (options: object) => transformEmbeddings(rows, options),
  'Calibration.from': (options: object) => Calibration.from(rows, options),
  'Calibration.fromRanges': (options: object) => Calibration.fromRanges([query, query], options),
  'Levels.from': (options: object) => Levels.from(rows, 'ternary', options),
  init: (options: object) => init(options),
}
const named = Object.entries(calls)

afterEach(() => vi.restoreAllMocks())

function thrownBy(call: () => unknown): PackvecError {
  try {
    call()
  } catch (error) {
    expect(error).toBeInstanceOf(PackvecError)
    return error as PackvecError
  }
  throw new Error('nothing was thrown')
}

describe('options that do not exist', () => {
  it.each([
    ['index.search', { top_k: 1 }, 'topK'],
    ['index.search', { k: 1 }, 'topK'],
    ['index.search', { limit: 1 }, 'topK'],
    ['index.search', { ids: [0] }, 'filter'],
    ['index.search', { multiplier: 2 }, 'rescoreMultiplier'],
    ['index.search', { rescore_multiplier: 2 }, 'rescoreMultiplier'],
    ['index.search', { rescoreMultiplyer: 2 }, 'rescoreMultiplier'],
    ['QuantizedIndex.build', { precision: 'int8' }, 'coarse'],
    ['QuantizedIndex.build', { calibration: rows }, 'ranges'],
    ['QuantizedIndex.build', { normalize: true }, 'renormalize'],
    ['QuantizedIndex.build', { truncate_dim: 2 }, 'truncate'],
    ['QuantizedIndex.build', { corse: 'int8' }, 'coarse'],
    ['quantizeEmbeddings', { calibration_embeddings: rows }, 'calibrationEmbeddings'],
    ['quantizeEmbeddings', { calibration: rows }, 'ranges'],
    ['semanticSearch', { corpus_precision: 'int8' }, 'precision'],
    ['index.add', { dim: 3 }, 'dims'],
  ] as const)('%s refuses %o and names the nearest', (call, options, nearest) => {
    const error = thrownBy(() => calls[call](options))
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', argument: Object.keys(options)[0] })
    expect(error.message).toContain(`did you mean ${nearest}?`)
  })

  it.each(named)('%s names its options where none is near', (_, call) => {
    const error = thrownBy(() => call({ somethingElseEntirely: 1 }))
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'somethingElseEntirely' })
    expect(error.message).toMatch(/: its options are \w+/)
  })

  it.each(named)('%s takes no notice of those that are undefined', (_, call) => {
    vi.spyOn(console, 'warn').mockReturnValue()
    expect(() => call({ top_k: undefined })).not.toThrow()
  })
})

describe('what is no object of options', () => {
  it.each(named)('%s refuses null, other values and arrays', (_, call) => {
    for (const junk of [
      null,
      5,
      'topK',
      Symbol('topK'),
      10n,
      [],
      new Float32Array(3),
      () => {},
      new Map(),
      new Date(),
    ]) {
      expect(thrownBy(() => call(junk as object))).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'options' })
    }
  })

  it.each(named)('%s says what a getter or a proxy threw', (_, call) => {
    const getter = Object.defineProperty({}, 'dims', { enumerable: true, get: () => JSON.parse('{') })
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    for (const junk of [getter, proxy]) {
      const error = thrownBy(() => call(junk))
      expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'options' })
      expect(error.cause).toBeInstanceOf(Error)
    }
  })

  it('options may be inherited', () => {
    const { ids } = index.search(query, Object.create({ topK: 1 }))
    expect(ids).toHaveLength(1)
  })
})

describe('messages recommend options that the call has', () => {
  it.each([
    ['QuantizedIndex.build', () => QuantizedIndex.build([query]), '`ranges` or `calibrationEmbeddings`'],
    ['quantizeEmbeddings', () => quantizeEmbeddings([query], 'int8'), '`ranges` or `calibrationEmbeddings`'],
    ['quantizeEmbeddings', () => quantizeEmbeddings([query], 'int4'), '`levels` or `calibrationEmbeddings`'],
    ['semanticSearch', () => semanticSearch(query, [query], { precision: 'int8' }), 'give `ranges` from'],
    [
      'semanticSearch',
      () => semanticSearch(query, { data: new Uint8Array(3), dims: [1, 3] }, { precision: 'uint8' }),
      'give `ranges`',
    ],
    [
      'dequantizeEmbeddings',
      () => dequantizeEmbeddings({ data: new Uint8Array(3), dims: [1, 3] }, { precision: 'uint8' }),
      'give `ranges`',
    ],
  ])('%s', (_, call, remedy) => {
    const error = thrownBy(call)
    expect(error.code).toBe('CALIBRATION_REQUIRED')
    expect(error.message).toContain(remedy)
  })

  it('in a warning too', () => {
    const warnings: string[] = []
    QuantizedIndex.build(rows, { onWarning: (message) => warnings.push(message) })
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toContain('`ranges` or `calibrationEmbeddings`')
  })

  it('and speaks of the option by its name where its value is wrong', () => {
    const error = thrownBy(() => QuantizedIndex.build(rows, { ranges: [1, 2, 3] as never }))
    expect(error.argument).toBe('ranges')
  })
})

describe('values of options', () => {
  it.each([
    ['QuantizedIndex.build', { onWarning: 'console' }],
    ['QuantizedIndex.build', { renormalize: 'yes' }],
    ['QuantizedIndex.build', { rotation: () => {} }],
    ['QuantizedIndex.build', { rotation: { dims: 3, apply() {} } }],
    ['QuantizedIndex.build', { percentiles: 99 }],
    ['QuantizedIndex.build', { percentiles: [Symbol('low'), 99] }],
    ['semanticSearch', { rescore: 1 }],
    ['init', { module: new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)) }],
  ] as const)('%s refuses %o', (call, options) => {
    const error = thrownBy(() => calls[call](options))
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', argument: Object.keys(options)[0] })
  })
})
