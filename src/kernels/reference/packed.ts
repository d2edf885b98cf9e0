import type { SearchKernels } from '../search-kernels.js'
import { bestWriter } from './best.js'
import { referenceMemory } from './memory.js'

type PackedKernels = Pick<
  SearchKernels,
  'dotPairsTopK' | 'expandTable' | 'dotTableRows' | 'dotNibblesRows' | 'scanTableTopK'
>

/** The kernels that search codes below 8 bits, in plain TypeScript. */
export function referencePackedKernels(buffer: ArrayBuffer): PackedKernels {
  const memory = referenceMemory(buffer)
  const { floats, words, uint8, write } = memory
  const { boundsOf, writeBest } = bestWriter(memory)

  return {
    dotPairsTopK(
      queriesPtr,
      queryCount,
      codesPtr,
      rowCount,
      rowBytes,
      k,
      centre2,
      dims,
      _,
      idsPtr,
      scoresPtr,
      allowedPtr,
    ) {
      const codeAt = (rowPtr: Uint8Array, d: number) => (rowPtr[d >> 2]! >> (6 - 2 * (d & 3))) & 3
      for (let q = 0; q < queryCount; q++) {
        const query = uint8(queriesPtr + q * rowBytes, rowBytes)
        const levels = Array.from({ length: dims }, (_, d) => 2 * codeAt(query, d) - centre2)
        const scores = new Int32Array(rowCount).map((_, i) => {
          const row = uint8(codesPtr + i * rowBytes, rowBytes)
          return levels.reduce((sum, level, d) => sum + level * (2 * codeAt(row, d) - centre2), 0)
        })
        writeBest(scores, k, q, idsPtr, scoresPtr, allowedPtr)
      }
    },

    expandTable(nibbleTablePtr, rowBytes, tablePtr) {
      const nibbles = floats(nibbleTablePtr, 32 * rowBytes)
      const high = (i: number) => 32 * (i >> 8) + ((i >> 4) & 15)
      const low = (i: number) => 32 * (i >> 8) + 16 + (i & 15)
      write(
        tablePtr,
        new Float32Array(256 * rowBytes).map((_, i) => nibbles[high(i)]! + nibbles[low(i)]!),
      )
    },

    dotTableRows(tablePtr, codesPtr, rowBytes, idsPtr, idCount, scoresPtr) {
      const table = floats(tablePtr, 256 * rowBytes)
      const scoreOf = (id: number) => sumBytes(table, uint8(codesPtr + id * rowBytes, rowBytes), 0, rowBytes)
      write(scoresPtr, Float32Array.from(words(idsPtr, idCount), scoreOf))
    },

    dotNibblesRows(nibbleTablePtr, codesPtr, rowBytes, idsPtr, idCount, scoresPtr) {
      const nibbles = floats(nibbleTablePtr, 32 * rowBytes)
      const sumOf = (code: number, byte: number) =>
        Math.fround(nibbles[32 * byte + (code >> 4)]! + nibbles[32 * byte + 16 + (code & 15)]!)
      const scoreOf = (id: number) =>
        uint8(codesPtr + id * rowBytes, rowBytes).reduce((sum, code, byte) => sum + sumOf(code, byte), 0)
      write(scoresPtr, Float32Array.from(words(idsPtr, idCount), scoreOf))
    },

    scanTableTopK(
      tablesPtr,
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
    ) {
      const codes = uint8(codesPtr, rowCount * rowBytes)
      for (let q = 0; q < queryCount; q++) {
        const table = uint8(tablesPtr + q * rowBytes * 32, 32 * rowBytes)
        const sums = new Int32Array(rowCount).map((_, row) => sumNibbles(table, codes, row * rowBytes, rowBytes))
        writeBest(boundsOf(sums, q, factorsPtr, boundsPtr), k, q, idsPtr, scoresPtr, allowedPtr)
      }
    },
  }
}

function sumBytes(table: Float32Array, codes: Uint8Array, first: number, rowBytes: number): number {
  let sum = 0
  for (let byte = 0; byte < rowBytes; byte++) sum += table[256 * byte + codes[first + byte]!]!
  return sum
}

function sumNibbles(table: Uint8Array, codes: Uint8Array, first: number, rowBytes: number): number {
  let sum = 0
  for (let byte = 0; byte < rowBytes; byte++) {
    const code = codes[first + byte]!
    sum += table[32 * byte + (code >> 4)]! + table[32 * byte + 16 + (code & 15)]!
  }
  return sum
}
