import type { CodeStore } from './code-store.js'
import { dotScratchBytes, hammingScratchBytes } from './kernels.js'
import { isSigned, type PrecisionKind, paddedRowBytes } from './precision.js'

/** How the first stage compares: codes with codes, or the float query with codes. */
export type Scoring = 'symmetric' | 'asymmetric'

/** The scan of all rows: a form of the query, and a kernel that gives the k best rows of each query of a batch. */
export interface Scan {
  /** Bytes of one query in the form the kernel takes. */
  readonly queryBytes: number
  /** Candidates wanted above those asked for, where the scan's scores are only near the exact ones. */
  readonly margin: number
  readonly scoreType: 'distance' | 'integer' | 'float'
  scratchBytes(queryCount: number, k: number): number
  /** Writes the query's form to `queryPtr`, from the float query in a staged row. */
  prepare(stagedRow: number, queryPtr: number): void
  /** The same from codes of the store's precision (padded rows); only where codes meet codes. */
  prepareCodes?(codes: Uint8Array, queryPtr: number): void
  run(queriesPtr: number, queryCount: number, k: number, scratchPtr: number, idsPtr: number, scoresPtr: number): void
}

/** Exact scores of named rows for the float query. */
export interface Rescorer {
  readonly queryBytes: number
  /** Writes the query's form and returns what to add to each score. */
  prepare(stagedRow: number, queryPtr: number): number
  run(queryPtr: number, idsPtr: number, idCount: number, scoresPtr: number): void
}

/** Rows that the int16 query may misplace at the k-th rank; they are rescored with the float query before the cut. */
const INT16_MARGIN = 32

export function openScan(store: CodeStore, kind: PrecisionKind, scoring: Scoring): Scan {
  if (kind === 'floats') return floatScan(store)
  if (kind === 'bits') return scoring === 'symmetric' ? hammingScan(store) : bitSumScan(store)
  return byteScan(store, scoring)
}

export function openRescorer(store: CodeStore, kind: PrecisionKind): Rescorer {
  const { kernels, buffer } = store.workspace
  const { rowBytes, codesPtr } = layout(store, kind)
  switch (kind) {
    case 'floats':
      return {
        queryBytes: rowBytes,
        prepare(stagedRow, queryPtr) {
          copyStaged(store, stagedRow, rowBytes, queryPtr)
          return 0
        },
        run: (queryPtr, idsPtr, idCount, scoresPtr) =>
          kernels.dotF32Rows(queryPtr, codesPtr, rowBytes, idsPtr, idCount, scoresPtr),
      }
    case 'bits':
      return {
        queryBytes: 1024 * rowBytes,
        prepare(stagedRow, queryPtr) {
          kernels.bitTable(store.encoder.stagedPtr(stagedRow), rowBytes, queryPtr)
          return 0
        },
        run: (queryPtr, idsPtr, idCount, scoresPtr) =>
          kernels.dotBitsRows(queryPtr, codesPtr, rowBytes, idsPtr, idCount, scoresPtr),
      }
    default: {
      const dot = isSigned(store.precisionOf('bytes')!) ? kernels.dotI8Rows : kernels.dotU8Rows
      const fold = openFold(store)
      return {
        queryBytes: 4 * rowBytes,
        prepare(stagedRow, queryPtr) {
          const { folded, constant } = fold(stagedRow)
          new Float32Array(buffer, queryPtr, rowBytes).fill(0).set(folded)
          return constant
        },
        run: (queryPtr, idsPtr, idCount, scoresPtr) => dot(queryPtr, codesPtr, rowBytes, idsPtr, idCount, scoresPtr),
      }
    }
  }
}

function hammingScan(store: CodeStore): Scan {
  const { kernels, buffer } = store.workspace
  const { rowBytes, codesPtr } = layout(store, 'bits')
  return {
    queryBytes: rowBytes,
    margin: 0,
    scoreType: 'distance',
    scratchBytes: (queryCount, k) => hammingScratchBytes(queryCount, k, rowBytes),
    prepare: (stagedRow, queryPtr) => kernels.packBits(store.encoder.stagedPtr(stagedRow), queryPtr, rowBytes),
    prepareCodes: (codes, queryPtr) => new Uint8Array(buffer, queryPtr, rowBytes).fill(0).set(codes),
    run: (queriesPtr, queryCount, k, scratchPtr, idsPtr, scoresPtr) =>
      kernels.hammingTopK(queriesPtr, queryCount, codesPtr, store.size, rowBytes, k, scratchPtr, idsPtr, scoresPtr),
  }
}

function bitSumScan(store: CodeStore): Scan {
  const { kernels } = store.workspace
  const { rowBytes, codesPtr } = layout(store, 'bits')
  return {
    queryBytes: 1024 * rowBytes,
    margin: 0,
    scoreType: 'float',
    scratchBytes: dotScratchBytes,
    prepare: (stagedRow, queryPtr) => kernels.bitTable(store.encoder.stagedPtr(stagedRow), rowBytes, queryPtr),
    run: (queriesPtr, queryCount, k, scratchPtr, idsPtr, scoresPtr) =>
      kernels.dotBitsTopK(queriesPtr, queryCount, codesPtr, store.size, rowBytes, k, scratchPtr, idsPtr, scoresPtr),
  }
}

function floatScan(store: CodeStore): Scan {
  const { kernels } = store.workspace
  const { rowBytes, codesPtr } = layout(store, 'floats')
  return {
    queryBytes: rowBytes,
    margin: 0,
    scoreType: 'float',
    scratchBytes: dotScratchBytes,
    prepare: (stagedRow, queryPtr) => copyStaged(store, stagedRow, rowBytes, queryPtr),
    run: (queriesPtr, queryCount, k, scratchPtr, idsPtr, scoresPtr) =>
      kernels.dotF32TopK(queriesPtr, queryCount, codesPtr, store.size, rowBytes, k, scratchPtr, idsPtr, scoresPtr),
  }
}

function byteScan(store: CodeStore, scoring: Scoring): Scan {
  const { kernels, buffer } = store.workspace
  const { rowBytes, codesPtr } = layout(store, 'bytes')
  const precision = store.precisionOf('bytes')!
  const signed = isSigned(precision)
  const topK = signed ? kernels.dotI8TopK : kernels.dotU8TopK
  const query = (queryPtr: number) => new Int16Array(buffer, queryPtr, rowBytes).fill(0)
  const shared = {
    queryBytes: 2 * rowBytes,
    scratchBytes: dotScratchBytes,
    run: (queriesPtr: number, queryCount: number, k: number, scratchPtr: number, idsPtr: number, scoresPtr: number) =>
      topK(queriesPtr, queryCount, codesPtr, store.size, rowBytes, k, scratchPtr, idsPtr, scoresPtr),
  }
  if (scoring === 'symmetric') {
    const prepareCodes = (codes: Uint8Array, queryPtr: number) => {
      query(queryPtr).set(signed ? new Int8Array(codes.buffer, codes.byteOffset, codes.length) : codes)
    }
    return {
      ...shared,
      margin: 0,
      scoreType: 'integer',
      prepareCodes,
      prepare(stagedRow, queryPtr) {
        // The codes of the query stand in the form's own bytes until they are widened.
        store.encoder.encode(precision, stagedRow, 1, queryPtr)
        prepareCodes(new Uint8Array(buffer, queryPtr, store.dims).slice(), queryPtr)
      },
    }
  }
  const fold = openFold(store)
  return {
    ...shared,
    margin: INT16_MARGIN,
    scoreType: 'integer',
    prepare(stagedRow, queryPtr) {
      const { folded } = fold(stagedRow)
      const scale = int16Scale(folded, signed ? 128 : 255)
      const values = query(queryPtr)
      for (let d = 0; d < folded.length; d++) values[d] = Math.round(folded[d]! * scale)
    },
  }
}

/**
 * query · decode(codes) = sum (q · step) · code + q · (min + 128 · step for signed codes): the step goes into the query once,
 * so that raw codes are dotted and nothing is decoded.
 */
function openFold(store: CodeStore): (stagedRow: number) => { folded: Float32Array; constant: number } {
  const { mins, steps } = store.calibration!.buckets
  const offset = isSigned(store.precisionOf('bytes')!) ? 128 : 0
  return (stagedRow) => {
    const query = new Float32Array(store.workspace.buffer, store.encoder.stagedPtr(stagedRow), store.dims)
    let constant = 0
    const folded = query.map((value, d) => {
      constant += value * (mins[d]! + offset * steps[d]!)
      return value * steps[d]!
    })
    return { folded, constant }
  }
}

/**
 * The largest factor that keeps every |q| within int16 and every sum of |q| · |code| below 2^31. The rounded query is off by
 * at most 1/2 in each dimension, so a score is off by at most dims · codeLimit / (2 · scale) in the query's own units.
 */
function int16Scale(folded: Float32Array, codeLimit: number): number {
  let largest = 0
  let sum = 0
  for (const value of folded) {
    largest = Math.max(largest, Math.abs(value))
    sum += Math.abs(value)
  }
  if (largest === 0) return 0
  const sumLimit = 2 ** 31 / codeLimit - folded.length / 2 - 1
  return Math.min(32_767 / largest, sumLimit / sum)
}

function copyStaged(store: CodeStore, stagedRow: number, rowBytes: number, queryPtr: number): void {
  const from = store.encoder.stagedPtr(stagedRow)
  new Uint8Array(store.workspace.buffer).copyWithin(queryPtr, from, from + rowBytes)
}

function layout(store: CodeStore, kind: PrecisionKind): { rowBytes: number; codesPtr: number } {
  return { rowBytes: paddedRowBytes(store.precisionOf(kind)!, store.dims), codesPtr: store.codesPtr(kind) }
}
