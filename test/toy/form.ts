import { roundUp } from '../../src/kernels/regions.js'
import type { CodeStore, StoredColumn } from '../../src/search/code-store.js'
import { copyStaged, type SearchForm } from '../../src/search/forms/form.js'
import { registerForm } from '../../src/search/forms/registry.js'
import { toy3 } from './code.js'

const queryBytes = (store: CodeStore) => roundUp(4 * store.dims, 64)

/** The dots of a query with rows of codes, added up as float32 in the order of dimensions. */
function openDot(store: CodeStore, { column, stride }: StoredColumn) {
  const decode = toy3.openDecoder(column.book)
  const decoded = new Float32Array(store.dims)
  return (queryPtr: number, codesPtr: number, row: number) => {
    const { buffer } = store.workspace
    const query = new Float32Array(buffer, queryPtr, store.dims)
    decode(new Uint8Array(buffer, codesPtr + row * stride, stride), 0, decoded)
    let sum = 0
    for (let d = 0; d < decoded.length; d++) sum = Math.fround(sum + Math.fround(query[d]! * decoded[d]!))
    return sum
  }
}

/** Every row is scored, and the best are sorted: a family needs no kernel. */
export const toyForm: SearchForm = {
  usualScoring: 'asymmetric',
  symmetricScore: 'float',
  decodesQueries: true,
  openScan(store, stored) {
    const dot = openDot(store, stored)
    return {
      usesFactors: stored.factorsPtr !== 0,
      formBytes: queryBytes(store),
      queryBytes: queryBytes(store),
      rounded: undefined,
      scoreType: 'float',
      scratchBytes: () => 0,
      begin: () => {},
      prepare: (stagedRow, queryPtr) => copyStaged(store, stagedRow, queryBytes(store), queryPtr),
      run({ codesPtr, rowCount, allowedPtr, factorsPtr }, queriesPtr, queryCount, k, _scratchPtr, idsPtr, scoresPtr) {
        const { buffer } = store.workspace
        const bits = new Uint8Array(buffer, allowedPtr, allowedPtr === 0 ? 0 : Math.ceil(rowCount / 8))
        const factors = new Float32Array(buffer, factorsPtr, factorsPtr === 0 ? 0 : rowCount)
        for (let q = 0; q < queryCount; q++) {
          const found: { row: number; score: number }[] = []
          for (let row = 0; row < rowCount; row++) {
            if (allowedPtr !== 0 && ((bits[row >> 3]! >> (row & 7)) & 1) === 0) continue
            const score = dot(queriesPtr + q * queryBytes(store), codesPtr, row)
            found.push({ row, score: Math.fround(score * (factors[row] ?? 1)) })
          }
          found.sort((a, b) => b.score - a.score || a.row - b.row)
          const best = found.slice(0, k)
          new Uint32Array(buffer, idsPtr + 4 * k * q, k).set(best.map(({ row }) => row))
          new Float32Array(buffer, scoresPtr + 4 * k * q, k).set(best.map(({ score }) => score))
        }
      },
    }
  },
  openRescorer(store, stored) {
    const dot = openDot(store, stored)
    return {
      queryBytes: queryBytes(store),
      prepare(stagedRow, queryPtr) {
        copyStaged(store, stagedRow, queryBytes(store), queryPtr)
        return 0
      },
      run(queryPtr, idsPtr, idCount, scoresPtr) {
        const { buffer } = store.workspace
        const ids = new Uint32Array(buffer, idsPtr, idCount)
        const scores = new Float32Array(buffer, scoresPtr, idCount)
        for (let i = 0; i < idCount; i++) scores[i] = dot(queryPtr, stored.codesPtr, ids[i]!)
      },
    }
  },
}

registerForm(toy3.family, toyForm)
