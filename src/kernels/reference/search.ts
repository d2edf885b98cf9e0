import { popcount32 } from '../../base/bits.js'
import type { SearchKernels } from '../search-kernels.js'
import { bestPairs, bestRows, bestWriter } from './best.js'
import { referenceMemory } from './memory.js'
import { referencePackedKernels } from './packed.js'

/** The kernels that search, in plain TypeScript. */
export function referenceSearchKernels(buffer: ArrayBuffer): SearchKernels {
  const memory = referenceMemory(buffer)
  const { floats, words, shorts, int8, uint8, write } = memory
  const { filterAt, boundsOf, writeBest } = bestWriter(memory)

  type Codes = typeof int8 | typeof uint8

  const dotBytesTopK =
    (codesAt: Codes): SearchKernels['dotI8TopK'] =>
    (
      queriesPtr,
      queryCount,
      codesPtr,
      rowCount,
      rowBytes,
      k,
      _scratchPtr,
      idsPtr,
      scoresPtr,
      allowedPtr,
      factorsPtr,
      boundsPtr,
      start = 0,
    ) => {
      const codes = codesAt(codesPtr, rowCount * rowBytes)
      for (let q = 0; q < queryCount; q++) {
        const query = shorts(queriesPtr + q * rowBytes * 2, rowBytes)
        const sums = new Int32Array(rowCount).map((_, row) => start + dot(query, codes, row * rowBytes))
        writeBest(boundsOf(sums, q, factorsPtr, boundsPtr), k, q, idsPtr, scoresPtr, allowedPtr)
      }
    }

  const dotBytesRows =
    (codesAt: Codes): SearchKernels['dotI8Rows'] =>
    (queryPtr, codesPtr, rowBytes, idsPtr, idCount, scoresPtr) => {
      const query = floats(queryPtr, rowBytes)
      const scoreOf = (id: number) => dot(query, codesAt(codesPtr + id * rowBytes, rowBytes), 0)
      write(scoresPtr, Float32Array.from(words(idsPtr, idCount), scoreOf))
    }

  const hammingTopK: SearchKernels['hammingTopK'] = (
    queriesPtr,
    queryCount,
    codesPtr,
    rowCount,
    rowBytes,
    k,
    _scratchPtr,
    idsPtr,
    distancesPtr,
    allowedPtr,
  ) => {
    const rowWords = rowBytes / 4
    const codes = words(codesPtr, rowCount * rowWords)
    for (let q = 0; q < queryCount; q++) {
      const query = words(queriesPtr + q * rowBytes, rowWords)
      const scores = new Int32Array(rowCount).map((_, row) => -hammingDistance(query, codes, row * rowWords))
      const best = bestRows(scores, k, filterAt(allowedPtr, rowCount))
      const offset = 4 * q * best.length
      write(idsPtr + offset, best)
      write(
        distancesPtr + offset,
        best.map((row) => -scores[row]!),
      )
    }
  }

  return {
    ...referencePackedKernels(buffer),

    hammingTopK,
    hammingTopKLanes: hammingTopK,

    dotI8TopK: dotBytesTopK(int8),
    dotU8TopK: dotBytesTopK(uint8),

    dotF32TopK(queriesPtr, queryCount, rowsPtr, rowCount, rowBytes, k, _scratchPtr, idsPtr, scoresPtr, allowedPtr) {
      const dims = rowBytes / 4
      const rows = floats(rowsPtr, rowCount * dims)
      for (let q = 0; q < queryCount; q++) {
        const query = floats(queriesPtr + q * rowBytes, dims)
        const scores = new Float32Array(rowCount).map((_, row) => dot(query, rows, row * dims))
        writeBest(scores, k, q, idsPtr, scoresPtr, allowedPtr)
      }
    },

    dotI8Rows: dotBytesRows(int8),
    dotU8Rows: dotBytesRows(uint8),

    dotF32Rows(queryPtr, rowsPtr, rowBytes, idsPtr, idCount, scoresPtr) {
      const query = floats(queryPtr, rowBytes / 4)
      const scoreOf = (id: number) => dot(query, floats(rowsPtr + id * rowBytes, rowBytes / 4), 0)
      write(scoresPtr, Float32Array.from(words(idsPtr, idCount), scoreOf))
    },

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
