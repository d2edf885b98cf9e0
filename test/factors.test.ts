import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { dequantizeEmbeddings, type Precision, QuantizedIndex, quantizeEmbeddings } from '../src/index.js'
import { appendToIndex, buildIndex } from '../src/node.js'
import { decodeIndex, encodeIndex, openIndex } from '../src/storage.js'
import { matrix, unitRows } from './random.js'

const PRECISIONS: Precision[] = ['int8', 'uint8', 'int4', 'quaternary', 'ternary', 'binary', 'ubinary']
const [ROWS, DIMS] = [300, 40]
const quiet = { onWarning: () => {} }
const folder = mkdtempSync(join(tmpdir(), 'packvec-factors-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Unit rows, of which one is multiplied by `factor`. */
function oneRowTimes(factor: number, row: number) {
  const data = unitRows(ROWS, DIMS, 3)
  for (let d = 0; d < DIMS; d++) data[row * DIMS + d]! *= factor
  return { data, dims: [ROWS, DIMS] }
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, d) => sum + value * b[d]!, 0)
}

describe.each(PRECISIONS)('a factor for each row of %s codes', (precision) => {
  const coarse = precision
  const options = { coarse, rescore: 'none', ...quiet } as const

  it.each([true, 'float16', 'float32'] as const)('gives a row of zeros the score 0, kept as %s', (scale) => {
    const embeddings = oneRowTimes(0, 7)
    const codes = quantizeEmbeddings(embeddings, precision, { scale, ...quiet })
    expect(codes.scales![7]).toBe(0)
    expect(dequantizeEmbeddings(codes).data.slice(7 * DIMS, 8 * DIMS)).toEqual(new Float32Array(DIMS))
    const index = QuantizedIndex.build(embeddings, { ...options, scale })
    for (const result of index.search(matrix(5, DIMS, 4), { topK: ROWS, scoring: 'asymmetric' })) {
      expect(result.scores[result.ids.indexOf(7)]).toBe(0)
    }
  })

  it.each([1e-8, 1e-5, 1e6, 1e12])('keeps what float16 cannot hold: a row times %d keeps its length', (length) => {
    // Ranges and levels of the other rows, so that the long row is the code of its direction.
    const calibrationEmbeddings = matrix(ROWS, DIMS, 3)
    const embeddings = oneRowTimes(length, 11)
    for (const scale of [true, 'float16', 'float32'] as const) {
      const codes = quantizeEmbeddings(embeddings, precision, { scale, calibrationEmbeddings, ...quiet })
      const row = embeddings.data.slice(11 * DIMS, 12 * DIMS)
      const decoded = dequantizeEmbeddings(codes).data.slice(11 * DIMS, 12 * DIMS)
      expect(dot(row, decoded) / dot(row, row)).toBeCloseTo(1, 2)
    }
  })
})

describe('factors that float16 cannot hold', () => {
  const options = { coarse: 'binary', rescore: 'none', scale: true } as const
  const embeddings = oneRowTimes(1e-8, 200)

  it('are the same in memory, in a file, from the builder and behind an addition', async () => {
    const index = QuantizedIndex.build(embeddings, options)
    const grown = QuantizedIndex.build(matrix(1, DIMS, 3), options)
    grown.add(embeddings.data.subarray(DIMS), { dims: DIMS })
    const bytes = encodeIndex(index)
    expect(encodeIndex(grown)).toEqual(bytes)
    const path = join(folder, 'built.safetensors')
    await buildIndex(path, [embeddings], options)
    expect(new Uint8Array(readFileSync(path))).toEqual(bytes)
    const query = unitRows(1, DIMS, 5)
    const search = { topK: ROWS, scoring: 'asymmetric' } as const
    const expected = index.search(query, search)
    expect(decodeIndex(bytes).search(query, search)).toEqual(expected)
    const opened = await openIndex(bytes)
    expect(await opened.search(query, search)).toMatchObject({ scores: expected.scores })
    await opened.close()
    const score = expected.scores[expected.ids.indexOf(200)]!
    expect(Math.abs(score)).toBeLessThan(1e-7)
  })

  it('leave the column as float16 where all of them fit', () => {
    const fitting = encodeIndex(QuantizedIndex.build(matrix(ROWS, DIMS, 3), options))
    const wide = encodeIndex(QuantizedIndex.build(embeddings, options))
    expect(new TextDecoder().decode(fitting.subarray(0, 4000))).toContain('"dtype":"F16"')
    expect(new TextDecoder().decode(wide.subarray(0, 4000))).not.toContain('"dtype":"F16"')
  })

  it('are refused by name where they are appended to a float16 column, and the file stays', async () => {
    const path = join(folder, 'appended.safetensors')
    await buildIndex(path, [matrix(ROWS, DIMS, 3)], options)
    const before = readFileSync(path)
    await expect(appendToIndex(path, [embeddings])).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/row 200 .* float16 column of binary codes .* scale: 'float32'/),
    })
    expect(readFileSync(path)).toEqual(before)
  })
})
