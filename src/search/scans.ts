import { setCodebook } from '../codes/codebook.js'
import { isSigned, type PrecisionKind, paddedRowBytes } from '../codes/precision.js'
import { popcountForm } from '../kernels/popcount.js'
import { dotScratchBytes, hammingScratchBytes } from '../kernels/scratch-sizes.js'
import type { TopKKernel } from '../kernels/search-kernels.js'
import type { CodeStore } from './code-store.js'
import { copyStaged } from './rescorers.js'
import { foldedScan, tableScan } from './rounded-scans.js'
import type { Scan, Scoring } from './scan.js'

function runKernel(topK: TopKKernel, rowBytes: number): Scan['run'] {
  return ({ codesPtr, rowCount, allowedPtr }, queriesPtr, queryCount, k, scratchPtr, idsPtr, scoresPtr) =>
    topK(queriesPtr, queryCount, codesPtr, rowCount, rowBytes, k, scratchPtr, idsPtr, scoresPtr, allowedPtr)
}

/** Twice the centre of 2-bit codes, as the kernel takes it: 0 1 2 count as -2 0 2, and 0 1 2 3 as -3 -1 1 3. */
const CENTRES = { ternary: 2, quaternary: 3 } as const

/** int4 has no scan of codes with codes: the caller decodes the query from its own codes and scans it as a float query. */
export function openScan(store: CodeStore, kind: PrecisionKind, scoring: Scoring): Scan {
  if (kind === 'floats') return floatScan(store)
  if (kind === 'bytes') return scoring === 'symmetric' ? byteScan(store) : foldedScan(store)
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
    factorsPtr: 0,
    formBytes: rowBytes,
    queryBytes: rowBytes,
    rounded: undefined,
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
  const { precision, book } = store.column('pairs')
  const rowBytes = paddedRowBytes(precision, store.dims)
  const codesPtr = store.codesPtr('pairs')
  const centre = CENTRES[precision as keyof typeof CENTRES]
  return {
    codesPtr,
    rowBytes,
    factorsPtr: 0,
    formBytes: rowBytes,
    queryBytes: rowBytes,
    rounded: undefined,
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

function floatScan(store: CodeStore): Scan {
  const { kernels } = store.workspace
  const rowBytes = paddedRowBytes('float32', store.dims)
  const codesPtr = store.codesPtr('floats')
  return {
    codesPtr,
    rowBytes,
    factorsPtr: 0,
    formBytes: rowBytes,
    queryBytes: rowBytes,
    rounded: undefined,
    scoreType: 'float',
    scratchBytes: dotScratchBytes,
    begin: () => {},
    prepare: (stagedRow, queryPtr) => copyStaged(store, stagedRow, rowBytes, queryPtr),
    run: runKernel(kernels.dotF32TopK, rowBytes),
  }
}

/** A sum of products of bytes may leave an int32 from 33,026 dimensions on: it is then counted from its least value. */
const LOWEST = -(2 ** 31)

/** 8-bit codes with 8-bit codes: the dot of the two. */
function byteScan(store: CodeStore): Scan {
  const { kernels, buffer } = store.workspace
  const { precision, book } = store.column('bytes')
  const rowBytes = paddedRowBytes(precision, store.dims)
  const signed = isSigned(precision)
  const topK = signed ? kernels.dotI8TopK : kernels.dotU8TopK
  const greatest = store.dims * (signed ? 128 ** 2 : 255 ** 2)
  const start = greatest < 2 ** 31 ? 0 : LOWEST
  const prepareCodes = (codes: Uint8Array, queryPtr: number) =>
    new Int16Array(buffer, queryPtr, rowBytes)
      .fill(0)
      .set(signed ? new Int8Array(codes.buffer, codes.byteOffset, codes.length) : codes)
  return {
    codesPtr: store.codesPtr('bytes'),
    rowBytes,
    factorsPtr: 0,
    formBytes: 2 * rowBytes,
    queryBytes: 2 * rowBytes,
    rounded: undefined,
    scoreType: 'integer',
    scoreStart: start,
    mayTie: greatest > 2 ** 24,
    scratchBytes: dotScratchBytes,
    begin: () => setCodebook(store.encoder, precision, book),
    prepare(stagedRow, queryPtr) {
      // The codes of the query stand in the form's own bytes until they are widened.
      store.encoder.encode(precision, stagedRow, 1, queryPtr)
      prepareCodes(new Uint8Array(buffer, queryPtr, store.dims).slice(), queryPtr)
    },
    prepareCodes,
    run: ({ codesPtr, rowCount, allowedPtr }, queriesPtr, queryCount, k, scratchPtr, idsPtr, scoresPtr) =>
      topK(
        ...([queriesPtr, queryCount, codesPtr, rowCount, rowBytes, k, scratchPtr, idsPtr, scoresPtr] as const),
        ...([allowedPtr, 0, 0, start] as const),
      ),
  }
}
