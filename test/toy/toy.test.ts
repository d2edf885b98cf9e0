import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { evaluate } from '../../src/eval.js'
import {
  type BuildOptions,
  dequantizeEmbeddings,
  type Precision,
  QuantizedIndex,
  quantizeEmbeddings,
  type SearchOptions,
  semanticSearch,
} from '../../src/index.js'
import { appendToIndex, buildIndex, loadIndex, verifyIndex } from '../../src/node.js'
import { createPool } from '../../src/pool.js'
import { encodeIndex, openIndex } from '../../src/storage-node.js'
import { retrieval } from '../evaluation/setup.js'
import { dots, ranking } from '../oracle.js'
import { bundlePool } from '../pool-bundle.js'
import { matrix, thrownBy } from '../random.js'
import { FileServer } from '../storage/server.js'
import './form.js'
import { ToyBook } from './code.js'

const [ROWS, DIMS] = [300, 21]
const rows = matrix(ROWS, DIMS, 1)
const queries = matrix(4, DIMS, 2)
const quiet = { onWarning: () => {} }
const folder = mkdtempSync(join(tmpdir(), 'packvec-toy-'))
const BUILDS: readonly BuildOptions[] = [
  { coarse: 'toy3', rescore: 'none' },
  { coarse: 'toy3', rescore: 'int8' },
  { coarse: 'binary', rescore: 'toy3' },
  { coarse: 'toy3', rescore: 'none', scale: true },
  { coarse: 'toy3', rescore: 'toy3' },
]
const SEARCHES: readonly SearchOptions[] = [
  { topK: 7 },
  { topK: 7, scoring: 'symmetric' },
  { topK: 3, filter: [5, 17, 99, 250] },
  { topK: 400 },
]

afterAll(() => rmSync(folder, { recursive: true }))

describe('a family of codes that the library does not know, of 3 bits a dimension', () => {
  it('quantizes and decodes: each value comes back within half a step', () => {
    const codes = quantizeEmbeddings(rows, 'toy3')
    expect(codes).toMatchObject({ rowBytes: 8, precision: 'toy3' })
    const book = codes.codebook as ToyBook
    const decoded = dequantizeEmbeddings(codes).data
    expect(decoded.length).toBe(ROWS * DIMS)
    decoded.forEach((value, i) => {
      expect(Math.abs(value - rows.data[i]!)).toBeLessThanOrEqual(book.step * 0.5001)
    })
  })

  it('refuses codes without their codebook by the option that gives one', () => {
    const { data } = quantizeEmbeddings(rows, 'toy3')
    const bare = { data, dims: [ROWS, 8] }
    const error = thrownBy(() => dequantizeEmbeddings(bare, { precision: 'toy3', dims: DIMS }))
    expect(error).toMatchObject({ code: 'CALIBRATION_REQUIRED', argument: 'codebook' })
    expect(thrownBy(() => quantizeEmbeddings(rows, 'toy3', { codebook: new ToyBook(2, 0, 1) })).code).toBe(
      'DIMS_MISMATCH',
    )
  })

  it('is searched: the best by the dot with decoded rows come first', () => {
    const codes = quantizeEmbeddings(rows, 'toy3')
    const decoded = dequantizeEmbeddings(codes).data
    const index = QuantizedIndex.build(rows, { coarse: 'toy3', rescore: 'none' })
    for (const [q, { ids, scores }] of index.search(queries, { topK: 5 }).entries()) {
      const exact = dots(queries.data.subarray(q * DIMS, (q + 1) * DIMS), decoded, DIMS)
      const order = ranking(exact, 5)
      expect([...ids]).toEqual(order)
      expect(scores[0]).toBeCloseTo(exact[order[0]!]!, 5)
    }
    expect(semanticSearch(queries, codes, { topK: 5, scoring: 'asymmetric' })).toEqual(
      index.search(queries, { topK: 5 }),
    )
  })

  it('grows as an index of all rows would', () => {
    const whole = QuantizedIndex.build(rows, { coarse: 'toy3', rescore: 'none', ...quiet })
    const grown = QuantizedIndex.build(rows.data.subarray(0, 120 * DIMS), {
      coarse: 'toy3',
      rescore: 'none',
      dims: DIMS,
      ...quiet,
    })
    grown.add({ data: rows.data.subarray(120 * DIMS), dims: [ROWS - 120, DIMS] })
    expect(grown.search(queries)).toEqual(whole.search(queries))
  })
})

describe.each(BUILDS)('an index of %o', (options) => {
  const index = QuantizedIndex.build(rows, { ...options, ...quiet })
  const expected = SEARCHES.map((search) => index.search(queries, search))
  const file = encodeIndex(index)

  it('is saved, and loaded as it was', async () => {
    const path = join(folder, 'loaded.safetensors')
    await buildIndex(path, [rows], { ...options, ...quiet })
    await verifyIndex(path)
    const loaded = await loadIndex(path)
    for (const [i, search] of SEARCHES.entries()) expect(loaded.search(queries, search)).toEqual(expected[i])
    await appendToIndex(path, [matrix(9, DIMS, 3)], quiet)
    expect(await verifyIndex(path)).toMatchObject({ rows: ROWS + 9 })
  })

  it('is opened over HTTP with the same results, whether rescoring codes are read or kept', async () => {
    const server = await new FileServer(file).open()
    try {
      for (const load of ['coarse', 'all'] as const) {
        const opened = await openIndex(server.url, { load })
        for (const [i, search] of SEARCHES.entries()) expect(await opened.search(queries, search)).toEqual(expected[i])
        await opened.close()
      }
    } finally {
      await server.close()
    }
  })
})

describe('a pool whose workers know the family', () => {
  let workerUrl: URL

  beforeAll(async () => {
    workerUrl = (await bundlePool('test/toy/worker.ts')).url('pool-worker.js')
  })

  it.each(BUILDS)('finds what one index finds: %o', async (options) => {
    const index = QuantizedIndex.build(rows, { ...options, ...quiet })
    const pool = await createPool({ workers: 2, workerUrl })
    try {
      for (const pooled of [await pool.build(rows, { ...options, ...quiet }), await pool.open(encodeIndex(index))]) {
        for (const search of SEARCHES) {
          expect(await pooled.search(queries, search)).toEqual(index.search(queries, search))
        }
      }
    } finally {
      await pool.close()
    }
  })
})

describe('the evaluation of the family', () => {
  it('ranks it by its name, with a rotation and a scale', async () => {
    const techniques = ['float32', 'toy3', 'hadamard-toy3+scale']
    const { rows } = await evaluate(retrieval(), { techniques, spectra: false, ...quiet })
    for (const technique of techniques.slice(1)) {
      const [first] = rows.filter((row) => row.technique === technique)
      expect(first).toMatchObject({ scoring: 'symmetric' })
      expect(first!.value).toBeGreaterThan(0.3)
      expect(first!.value).toBeLessThan(1)
    }
  })
})

describe('a precision that nobody registered', () => {
  it('is refused with those that are known, this one among them', () => {
    const error = thrownBy(() => quantizeEmbeddings(rows, 'toy4' as Precision))
    expect(error.code).toBe('INVALID_ARGUMENT')
    expect(error.message).toContain('toy3')
  })
})
