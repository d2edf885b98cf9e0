import { popcount32 } from '../../base/bits.js'
import type { SearchKernels } from '../search-kernels.js'
import { bestPairs, searchShapes } from './best.js'
import { referenceMemory } from './memory.js'
import { referencePackedKernels } from './packed.js'

/** The kernels that search, in plain TypeScript. */
export function referenceSearchKernels(buffer: ArrayBuffer): SearchKernels {
  const memory = referenceMemory(buffer)
  const { floats, words, shorts, int8, uint8, write } = memory
  const { scan, scoreRows } = searchShapes(memory)

  type Codes = typeof int8 | typeof uint8

  const dotBytesTopK = (codesAt: Codes) =>
    scan(Int32Array, (queriesPtr, q, codesPtr, rowCount, rowBytes, start) => {
      const query = shorts(queriesPtr + q * rowBytes * 2, rowBytes)
      const codes = codesAt(codesPtr, rowCount * rowBytes)
      return (row) => start + dot(query, codes, row * rowBytes)
    })

  const dotBytesRows = (codesAt: Codes) =>
    scoreRows((queryPtr, rowBytes) => {
      const query = floats(queryPtr, rowBytes)
      return (rowPtr) => dot(query, codesAt(rowPtr, rowBytes), 0)
    })

  const hammingTopK = scan(
    Int32Array,
    (queriesPtr, q, codesPtr, rowCount, rowBytes) => {
      const rowWords = rowBytes / 4
      const query = words(queriesPtr + q * rowBytes, rowWords)
      const codes = words(codesPtr, rowCount * rowWords)
      return (row) => -hammingDistance(query, codes, row * rowWords)
    },
    -1,
  )

  return {
    ...referencePackedKernels(buffer),

    hammingTopK,
    hammingTopKLanes: hammingTopK,

    dotI8TopK: dotBytesTopK(int8),
    dotU8TopK: dotBytesTopK(uint8),

    dotF32TopK: scan(Float32Array, (queriesPtr, q, rowsPtr, rowCount, rowBytes) => {
      const dims = rowBytes / 4
      const query = floats(queriesPtr + q * rowBytes, dims)
      const rows = floats(rowsPtr, rowCount * dims)
      return (row) => dot(query, rows, row * dims)
    }),

    dotI8Rows: dotBytesRows(int8),
    dotU8Rows: dotBytesRows(uint8),

    dotF32Rows: scoreRows((queryPtr, rowBytes) => {
      const query = floats(queryPtr, rowBytes / 4)
      return (rowPtr) => dot(query, floats(rowPtr, rowBytes / 4), 0)
    }),

    selectBest(idsPtr, scoresPtr, count, k, _scratchPtr, outIdsPtr, outScoresPtr) {
      const best = bestPairs(words(idsPtr, count), floats(scoresPtr, count), k)
      write(outIdsPtr, best.ids)
      write(outScoresPtr, best.scores)
    },
  }
}

type Numbers = Float32Array | Int16Array | Int8Array | Uint8Array

/** Dot product of a query with the row that starts at `first`, summed in double: exact for integers. */
function dot(query: Numbers, rows: Numbers, first: number): number {
  let sum = 0
  for (let d = 0; d < query.length; d++) sum += query[d]! * rows[first + d]!
  return sum
}

/** Bits in which a query differs from the row of uint32 words that starts at `first`. */
function hammingDistance(query: Uint32Array, rows: Uint32Array, first: number): number {
  let distance = 0
  for (let i = 0; i < query.length; i++) distance += popcount32(query[i]! ^ rows[first + i]!)
  return distance
}
