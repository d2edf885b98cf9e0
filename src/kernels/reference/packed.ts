import type { SearchKernels } from '../search-kernels.js'
import { searchShapes } from './best.js'
import { referenceMemory } from './memory.js'

type PackedKernels = Pick<
  SearchKernels,
  'dotPairsTopK' | 'expandTable' | 'dotTableRows' | 'dotNibblesRows' | 'scanTableTopK'
>

/** The kernels that search codes below 8 bits, in plain TypeScript. */
export function referencePackedKernels(buffer: ArrayBuffer): PackedKernels {
  const memory = referenceMemory(buffer)
  const { floats, uint8, write } = memory
  const { scan, scoreRows } = searchShapes(memory)

  return {
    dotPairsTopK(queriesPtr, queryCount, codesPtr, rowCount, rowBytes, k, centre2, dims, ...rest) {
      const kernel = scan(Int32Array, (_, q) => {
        const query = uint8(queriesPtr + q * rowBytes, rowBytes)
        const levels = Int32Array.from({ length: dims }, (_, d) => 2 * pairAt(query, 0, d) - centre2)
        const codes = uint8(codesPtr, rowCount * rowBytes)
        return (row) => dotPairs(levels, codes, row * rowBytes, centre2)
      })
      kernel(queriesPtr, queryCount, codesPtr, rowCount, rowBytes, k, ...rest)
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

    dotTableRows: scoreRows((tablePtr, rowBytes) => {
      const table = floats(tablePtr, 256 * rowBytes)
      return (rowPtr) => sumBytes(table, uint8(rowPtr, rowBytes))
    }),

    dotNibblesRows: scoreRows((nibbleTablePtr, rowBytes) => {
      const nibbles = floats(nibbleTablePtr, 32 * rowBytes)
      // The two of a byte are added first, in float32, as `expandTable` adds them.
      const sumOf = (code: number, byte: number) =>
        Math.fround(nibbles[32 * byte + (code >> 4)]! + nibbles[32 * byte + 16 + (code & 15)]!)
      return (rowPtr) => uint8(rowPtr, rowBytes).reduce((sum, code, byte) => sum + sumOf(code, byte), 0)
    }),

    scanTableTopK: scan(Int32Array, (tablesPtr, q, codesPtr, rowCount, rowBytes) => {
      const table = uint8(tablesPtr + q * rowBytes * 32, 32 * rowBytes)
      const codes = uint8(codesPtr, rowCount * rowBytes)
      return (row) => sumNibbles(table, codes, row * rowBytes, rowBytes)
    }),
  }
}

function pairAt(codes: Uint8Array, first: number, d: number): number {
  return (codes[first + (d >> 2)]! >> (6 - 2 * (d & 3))) & 3
}

function dotPairs(levels: Int32Array, codes: Uint8Array, first: number, centre2: number): number {
  let sum = 0
  for (let d = 0; d < levels.length; d++) sum += levels[d]! * (2 * pairAt(codes, first, d) - centre2)
  return sum
}

function sumBytes(table: Float32Array, codes: Uint8Array): number {
  let sum = 0
  for (let byte = 0; byte < codes.length; byte++) sum += table[256 * byte + codes[byte]!]!
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
