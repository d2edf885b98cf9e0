import type { Calibration } from './calibration.js'
import type { CodeStore } from './code-store.js'
import { setCodebook } from './codebook.js'
import { foldQuery, quantizeQuery } from './fold.js'
import { dotScratchBytes, hammingScratchBytes, type TopKKernel, tableScratchBytes } from './kernels.js'
import { popcountForm } from './popcount.js'
import { isSigned, type PrecisionKind, paddedRowBytes } from './precision.js'
import { copyStaged, nibbleTableBytes } from './rescorers.js'
import type { ScanRows } from './scan-area.js'
import { fillNibbleTable, quantizeTable } from './tables.js'

/** How the first stage compares: codes with codes, or the float query with codes. */
export type Scoring = 'symmetric' | 'asymmetric'

/** The scan of rows: a form of the query, and a kernel that gives the k best rows of each query of a batch. */
export interface Scan {
  /** The codes of all rows, and the bytes of one. */
  readonly codesPtr: number
  readonly rowBytes: number
  /** Bytes of one query in the form the kernel takes. */
  readonly queryBytes: number
  /**
   * Candidates wanted above the k asked for, where the scan's scores are the float query's but rounded: the exact scores of
   * the candidates then decide. Undefined where the scan's scores are exact.
   */
  readonly margin: ((k: number) => number) | undefined
  readonly scoreType: 'distance' | 'integer' | 'float'
  /** What integer scores are multiples of; 1 by default. */
  readonly scoreUnit?: number
  scratchBytes(queryCount: number, k: number): number
  /** Called before the queries of a batch are prepared. */
  begin(): void
  /** Writes the query's form to `queryPtr`, from the float query in a staged row. */
  prepare(stagedRow: number, queryPtr: number): void
  /** The same from codes, unpadded and unsigned bits; only where codes meet codes. */
  prepareCodes?(codes: Uint8Array, queryPtr: number): void
  /** Finds the k best of `rows`, of which at least k may be found; row numbers count from the first of `rows`. */
  run(
    rows: ScanRows,
    queriesPtr: number,
    queryCount: number,
    k: number,
    scratchPtr: number,
    idsPtr: number,
    scoresPtr: number,
  ): void
}

function runKernel(topK: TopKKernel, rowBytes: number): Scan['run'] {
  return ({ codesPtr, rowCount, allowedPtr }, queriesPtr, queryCount, k, scratchPtr, idsPtr, scoresPtr) =>
    topK(queriesPtr, queryCount, codesPtr, rowCount, rowBytes, k, scratchPtr, idsPtr, scoresPtr, allowedPtr)
}

/** Twice the centre of 2-bit codes, as the kernel takes it: 0 1 2 count as -2 0 2, and 0 1 2 3 as -3 -1 1 3. */
const CENTRES = { ternary: 2, quaternary: 3 } as const

/** int4 has no scan of codes with codes: the caller decodes the query from its own codes and scans it as a float query. */
export function openScan(store: CodeStore, kind: PrecisionKind, scoring: Scoring): Scan {
  if (kind === 'floats') return floatScan(store)
  if (kind === 'bytes') return byteScan(store, scoring)
  if (kind === 'nibbles' || scoring === 'asymmetric') return tableScan(store, kind)
  return kind === 'bits' ? hammingScan(store) : pairScan(store)
}

function hammingScan(store: CodeStore): Scan {
  const { kernels, buffer, backend } = store.workspace
  const rowBytes = paddedRowBytes('ubinary', store.dims)
  const codesPtr = store.codesPtr('bits')
  const topK = { i64: kernels.hammingTopK, i8x16: kernels.hammingTopKLanes }
  return {
    codesPtr,
    rowBytes,
    queryBytes: rowBytes,
    margin: undefined,
    scoreType: 'distance',
    scratchBytes: (queryCount, k) => hammingScratchBytes(queryCount, k, rowBytes),
    begin: () => {},
    prepare: (stagedRow, queryPtr) => kernels.packBits(store.encoder.stagedPtr(stagedRow), queryPtr, rowBytes),
    prepareCodes: (codes, queryPtr) => new Uint8Array(buffer, queryPtr, rowBytes).fill(0).set(codes),
    run(rows, queriesPtr, queryCount, k, scratchPtr, idsPtr, scoresPtr) {
      // The twins are one. Otherwise the forms are tried on the first query and rows, where the answer goes anyway.
      const form =
        backend === 'typescript'
          ? 'i64'
          : popcountForm(rowBytes, store.size, (form, count) =>
              topK[form](queriesPtr, 1, codesPtr, count, rowBytes, 1, scratchPtr, idsPtr, scoresPtr),
            )
      runKernel(topK[form], rowBytes)(rows, queriesPtr, queryCount, k, scratchPtr, idsPtr, scoresPtr)
    },
  }
}

/** 2-bit codes with 2-bit codes, by popcounts: the dot of their centred values, -1 0 1 or -3 -1 1 3. */
function pairScan(store: CodeStore): Scan {
  const { kernels, buffer } = store.workspace
  const { precision, book } = store.slot('pairs')
  const rowBytes = paddedRowBytes(precision, store.dims)
  const codesPtr = store.codesPtr('pairs')
  const centre = CENTRES[precision as keyof typeof CENTRES]
  return {
    codesPtr,
    rowBytes,
    queryBytes: rowBytes,
    margin: undefined,
    scoreType: 'integer',
    scoreUnit: precision === 'ternary' ? 4 : 1,
    scratchBytes: dotScratchBytes,
    begin: () => setCodebook(store.encoder, precision, book),
    prepare: (stagedRow, queryPtr) => store.encoder.encode(precision, stagedRow, 1, queryPtr),
    prepareCodes: (codes, queryPtr) => new Uint8Array(buffer, queryPtr, rowBytes).fill(0).set(codes),
    run: ({ codesPtr, rowCount, allowedPtr }, queriesPtr, queryCount, k, scratchPtr, idsPtr, scoresPtr) =>
      kernels.dotPairsTopK(
        queriesPtr,
        queryCount,
        codesPtr,
        rowCount,
        rowBytes,
        k,
        centre,
        store.dims,
        scratchPtr,
        idsPtr,
        scoresPtr,
        allowedPtr,
      ),
  }
}

/** The float query with codes below 8 bits: byte look-ups in a table of 8-bit sums find candidates for the exact table. */
function tableScan(store: CodeStore, kind: PrecisionKind): Scan {
  const { kernels, buffer } = store.workspace
  const slot = store.slot(kind)
  const rowBytes = paddedRowBytes(slot.precision, store.dims)
  const codesPtr = store.codesPtr(kind)
  const table = new Float32Array(nibbleTableBytes(rowBytes) / 4)
  return {
    codesPtr,
    rowBytes,
    queryBytes: table.length,
    // Sums are off by half a unit a nibble at most, and factors of the rows come in with the exact scores only.
    margin: (k) => (slot.scale === undefined ? k : 3 * k) + 64,
    scoreType: 'integer',
    scratchBytes: (queryCount, k) => tableScratchBytes(queryCount, k, rowBytes),
    begin: () => {},
    prepare(stagedRow, queryPtr) {
      fillNibbleTable(store.encoder.stagedRow(stagedRow), slot, table)
      quantizeTable(table, new Uint8Array(buffer, queryPtr, table.length))
    },
    run: runKernel(kernels.scanTableTopK, rowBytes),
  }
}

function floatScan(store: CodeStore): Scan {
  const { kernels } = store.workspace
  const rowBytes = paddedRowBytes('float32', store.dims)
  const codesPtr = store.codesPtr('floats')
  return {
    codesPtr,
    rowBytes,
    queryBytes: rowBytes,
    margin: undefined,
    scoreType: 'float',
    scratchBytes: dotScratchBytes,
    begin: () => {},
    prepare: (stagedRow, queryPtr) => copyStaged(store, stagedRow, rowBytes, queryPtr),
    run: runKernel(kernels.dotF32TopK, rowBytes),
  }
}

/** 8-bit codes: dots with the query's own codes, or with the folded query in int16. */
function byteScan(store: CodeStore, scoring: Scoring): Scan {
  const { kernels, buffer } = store.workspace
  const { precision, book } = store.slot('bytes')
  const rowBytes = paddedRowBytes(precision, store.dims)
  const codesPtr = store.codesPtr('bytes')
  const signed = isSigned(precision)
  const topK = signed ? kernels.dotI8TopK : kernels.dotU8TopK
  const symmetric = scoring === 'symmetric'
  const widened = (queryPtr: number) => new Int16Array(buffer, queryPtr, rowBytes).fill(0)
  const prepareCodes = (codes: Uint8Array, queryPtr: number) =>
    widened(queryPtr).set(signed ? new Int8Array(codes.buffer, codes.byteOffset, codes.length) : codes)
  return {
    codesPtr,
    rowBytes,
    queryBytes: 2 * rowBytes,
    // Rows are misplaced only if more than these lie within the rounding of the last place.
    margin: symmetric ? undefined : () => 32,
    scoreType: 'integer',
    scratchBytes: dotScratchBytes,
    begin() {
      if (symmetric) setCodebook(store.encoder, precision, book)
    },
    prepare(stagedRow, queryPtr) {
      if (symmetric) {
        // The codes of the query stand in the form's own bytes until they are widened.
        store.encoder.encode(precision, stagedRow, 1, queryPtr)
        prepareCodes(new Uint8Array(buffer, queryPtr, store.dims).slice(), queryPtr)
        return
      }
      const { folded } = foldQuery(store.encoder.stagedRow(stagedRow), precision, book as Calibration)
      quantizeQuery(folded, precision, widened(queryPtr))
    },
    prepareCodes,
    run: runKernel(topK, rowBytes),
  }
}
