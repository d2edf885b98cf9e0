import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { init, quantizeEmbeddings } from '../src/index.js'
import { CODE_PRECISIONS, goldenCases, type QuantizeCase, truncatedCases } from './golden.js'

const cases = goldenCases()
const truncated = truncatedCases()

function expectGoldenCodes(golden: QuantizeCase, rounding: 'floor' | 'truncate'): void {
  const { embeddings, ranges, calibrationEmbeddings, outputs } = golden
  const options = { rounding, onWarning: () => {}, ...(ranges && { ranges }) }
  const calibrated = { ...options, ...(calibrationEmbeddings && { calibrationEmbeddings }) }
  for (const precision of CODE_PRECISIONS) {
    const expected = outputs[precision]
    if (!expected) continue
    const codes = quantizeEmbeddings(embeddings, precision, calibrated)
    expect([codes.rows, codes.rowBytes, codes.dims]).toEqual([...expected.dims, embeddings.dims[1]])
    expect(codes.data.constructor).toBe(expected.data.constructor)
    // Buffers compare in one step, where an array of codes would be walked; only a difference is worth the walk.
    if (Buffer.compare(bytesOf(codes.data), bytesOf(expected.data)) !== 0) {
      expect(Array.from(codes.data), precision).toEqual(Array.from(expected.data))
    }
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

describe.each(['wasm', 'typescript'] as const)('on the %s kernels', (backend) => {
  beforeAll(() => init({ backend }))
  afterAll(() => init({ backend: 'wasm' }))

  test.each(cases)('$name: int8, uint8, binary and ubinary are the codes of sentence-transformers', (golden) => {
    expect(Object.keys(golden.outputs)).toEqual([...CODE_PRECISIONS])
    expectGoldenCodes(golden, 'floor')
  })

  test.each(truncated)('$name: truncated int8 and uint8 are those of sentence-transformers up to 5.6', (golden) => {
    expectGoldenCodes(golden, 'truncate')
  })
})
