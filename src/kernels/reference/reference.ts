import type { Kernels } from '../kernels.js'
import { referenceMemory, scaled } from './memory.js'
import { referencePackedKernels } from './packed.js'
import { referenceRotateKernels } from './rotate.js'
import { bestPairs, bestRows, hammingDistance } from './search.js'

/** The kernels in plain TypeScript over the same memory layout: the oracle of the tests, and what runs without SIMD. */
export function referenceKernels(buffer: ArrayBuffer): Kernels {
  const { floats, words, shorts, int8, uint8, write, filterAt, boundsOf, writeBest } = referenceMemory(buffer)

  type Codes = typeof int8 | typeof uint8

  const dotBytesTopK =
    (codesAt: Codes): Kernels['dotI8TopK'] =>
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
    (codesAt: Codes): Kernels['dotI8Rows'] =>
    (queryPtr, codesPtr, rowBytes, idsPtr, idCount, scoresPtr) => {
      const query = floats(queryPtr, rowBytes)
      const scoreOf = (id: number) => dot(query, codesAt(codesPtr + id * rowBytes, rowBytes), 0)
      write(scoresPtr, Float32Array.from(words(idsPtr, idCount), scoreOf))
    }

  const hammingTopK: Kernels['hammingTopK'] = (
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
    ...referenceRotateKernels(buffer),
    ...referencePackedKernels(buffer),

    firstNonFinite(valuesPtr, floatCount) {
      return floats(valuesPtr, floatCount).findIndex((value) => !Number.isFinite(value))
    },

    minMax(valuesPtr, valueRowBytes, rowCount, minsPtr, maxsPtr) {
      const dims = valueRowBytes / 4
      const values = floats(valuesPtr, rowCount * dims)
      const mins = floats(minsPtr, dims)
      const maxs = floats(maxsPtr, dims)
      for (let i = 0; i < values.length; i++) {
        if (values[i]! < mins[i % dims]!) mins[i % dims] = values[i]!
        if (values[i]! > maxs[i % dims]!) maxs[i % dims] = values[i]!
      }
      write(minsPtr, mins)
      write(maxsPtr, maxs)
    },

    packBits(valuesPtr, codesPtr, codeBytes) {
      const values = floats(valuesPtr, 8 * codeBytes)
      const codes = uint8(codesPtr, codeBytes).fill(0)
      for (let i = 0; i < values.length; i++) if (values[i]! > 0) codes[i >> 3]! |= 0x80 >> (i & 7)
    },

    bucket(valuesPtr, valueRowBytes, rowCount, startsPtr, stepsPtr, codesPtr, codeRowBytes, flip) {
      const starts = floats(startsPtr, codeRowBytes)
      const steps = floats(stepsPtr, codeRowBytes)
      for (let row = 0; row < rowCount; row++) {
        const values = floats(valuesPtr + row * valueRowBytes, codeRowBytes)
        const codes = uint8(codesPtr + row * codeRowBytes, codeRowBytes)
        for (let d = 0; d < codeRowBytes; d++) {
          const level = Math.floor(scaled(values[d]!, starts[d]!, steps[d]!))
          codes[d] = Math.max(0, Math.min(255, level)) ^ flip
        }
      }
    },

    bucketTruncate(valuesPtr, valueRowBytes, rowCount, startsPtr, stepsPtr, codesPtr, codeRowBytes) {
      const starts = floats(startsPtr, codeRowBytes)
      const steps = floats(stepsPtr, codeRowBytes)
      for (let row = 0; row < rowCount; row++) {
        const values = floats(valuesPtr + row * valueRowBytes, codeRowBytes)
        const codes = int8(codesPtr + row * codeRowBytes, codeRowBytes)
        for (let d = 0; d < codeRowBytes; d++) {
          const level = Math.trunc(Math.fround(scaled(values[d]!, starts[d]!, steps[d]!) - 128))
          codes[d] = Math.max(-128, Math.min(127, level))
        }
      }
    },

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
