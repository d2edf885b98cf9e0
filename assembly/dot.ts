import { boundOf, sumsToBounds } from './bounds'
import { checkSums, dotEightStreams, dotFourStreams } from './dot-bytes'
import { dotFloats } from './dot-floats'
import { heapBytes, resetBest, selectBest, writeBest } from './heap'
import { TILE_ROWS, tileRows } from './lanes'
import { keysToScores, scoresToKeys } from './order'
import { dotPairs } from './pairs'

/** Codes of more bytes have left the cache by the next search. */
const CACHE_BYTES: usize = 8_388_608

/** What the rows of a tile are, and so which loop scores them. A branch for each tile costs nothing (measured). */
enum Form {
  I8,
  U8,
  F32,
  QUATERNARY,
  TERNARY,
}

export function dotI8TopK(
  queriesPtr: usize,
  queryCount: usize,
  codesPtr: usize,
  rowCount: usize,
  rowBytes: usize,
  k: usize,
  scratchPtr: usize,
  idsPtr: usize,
  scoresPtr: usize,
  allowedPtr: usize,
  factorsPtr: usize,
  boundsPtr: usize,
  start: i32,
): void {
  assert(rowBytes !== 0 && rowBytes % 16 === 0, 'rowBytes must be a multiple of 16')
  if (!ASC_NO_ASSERT)
    for (let q: usize = 0; q < queryCount; ++q) checkSums<i8>(queriesPtr + q * (rowBytes << 1), rowBytes, start)
  bestRows(
    Form.I8,
    queriesPtr,
    rowBytes << 1,
    queryCount,
    codesPtr,
    rowCount,
    rowBytes,
    k,
    scratchPtr,
    idsPtr,
    scoresPtr,
    allowedPtr,
    factorsPtr,
    boundsPtr,
    start,
  )
}

export function dotU8TopK(
  queriesPtr: usize,
  queryCount: usize,
  codesPtr: usize,
  rowCount: usize,
  rowBytes: usize,
  k: usize,
  scratchPtr: usize,
  idsPtr: usize,
  scoresPtr: usize,
  allowedPtr: usize,
  factorsPtr: usize,
  boundsPtr: usize,
  start: i32,
): void {
  assert(rowBytes !== 0 && rowBytes % 16 === 0, 'rowBytes must be a multiple of 16')
  if (!ASC_NO_ASSERT)
    for (let q: usize = 0; q < queryCount; ++q) checkSums<u8>(queriesPtr + q * (rowBytes << 1), rowBytes, start)
  bestRows(
    Form.U8,
    queriesPtr,
    rowBytes << 1,
    queryCount,
    codesPtr,
    rowCount,
    rowBytes,
    k,
    scratchPtr,
    idsPtr,
    scoresPtr,
    allowedPtr,
    factorsPtr,
    boundsPtr,
    start,
  )
}

export function dotF32TopK(
  queriesPtr: usize,
  queryCount: usize,
  codesPtr: usize,
  rowCount: usize,
  rowBytes: usize,
  k: usize,
  scratchPtr: usize,
  idsPtr: usize,
  scoresPtr: usize,
  allowedPtr: usize,
): void {
  assert(rowBytes !== 0 && rowBytes % 64 === 0, 'rowBytes must be a multiple of 64')
  bestRows(
    Form.F32,
    queriesPtr,
    rowBytes,
    queryCount,
    codesPtr,
    rowCount,
    rowBytes,
    k,
    scratchPtr,
    idsPtr,
    scoresPtr,
    allowedPtr,
    0,
    0,
    0,
  )
}

export function dotPairsTopK(
  queriesPtr: usize,
  queryCount: usize,
  codesPtr: usize,
  rowCount: usize,
  rowBytes: usize,
  k: usize,
  centre2: i32,
  dims: i32,
  scratchPtr: usize,
  idsPtr: usize,
  scoresPtr: usize,
  allowedPtr: usize,
): void {
  assert(rowBytes !== 0 && rowBytes % 8 === 0, 'rowBytes must be a multiple of 8')
  assert(centre2 === 2 || centre2 === 3, 'centre2 must be 2 or 3')
  bestRows(
    centre2 === 3 ? Form.QUATERNARY : Form.TERNARY,
    queriesPtr,
    rowBytes,
    queryCount,
    codesPtr,
    rowCount,
    rowBytes,
    k,
    scratchPtr,
    idsPtr,
    scoresPtr,
    allowedPtr,
    0,
    0,
    dims,
  )
}

/**
 * The driver of all scans that keep the best rows in a heap: tile by tile, each tile scored for every query while it is in the
 * cache. `start` is what sums of 8-bit codes are counted from, and the number of dimensions of 2-bit codes.
 */
function bestRows(
  form: Form,
  queriesPtr: usize,
  queryBytes: usize,
  queryCount: usize,
  codesPtr: usize,
  rowCount: usize,
  rowBytes: usize,
  k: usize,
  scratchPtr: usize,
  idsPtr: usize,
  scoresPtr: usize,
  allowedPtr: usize,
  factorsPtr: usize,
  boundsPtr: usize,
  start: i32,
): void {
  assert(k !== 0, 'k must be at least 1')
  const heapsPtr = scratchPtr + (TILE_ROWS << 2)
  for (let q: usize = 0; q < queryCount; ++q) resetBest(heapsPtr + q * heapBytes(k))
  const step = tileRows(rowBytes)
  const fromMemory = queryCount === 1 && rowCount * rowBytes > CACHE_BYTES
  for (let first: usize = 0; first < rowCount; first += step) {
    const rowsPtr = codesPtr + first * rowBytes
    const tile = min<usize>(step, rowCount - first)
    for (let q: usize = 0; q < queryCount; ++q) {
      scoreTile(form, fromMemory, queriesPtr + q * queryBytes, rowsPtr, tile, rowBytes, start, scratchPtr)
      if (factorsPtr) sumsToBounds(scratchPtr, tile, factorsPtr + (first << 2), boundOf(boundsPtr, q))
      selectBest(scratchPtr, tile, <u32>first, k, heapsPtr + q * heapBytes(k), allowedPtr)
    }
  }
  const found = min(k, rowCount)
  for (let q: usize = 0; q < queryCount; ++q) {
    const offset = (q * found) << 2
    writeBest(heapsPtr + q * heapBytes(k), found, idsPtr + offset, scoresPtr + offset)
    if (factorsPtr || form === Form.F32) keysToScores(scoresPtr + offset, found)
  }
}

function scoreTile(
  form: Form,
  fromMemory: bool,
  queryPtr: usize,
  rowsPtr: usize,
  rowCount: usize,
  rowBytes: usize,
  start: i32,
  scoresPtr: usize,
): void {
  if (form === Form.I8) {
    if (fromMemory) dotEightStreams<i8>(queryPtr, rowsPtr, rowCount, rowBytes, start, scoresPtr)
    else dotFourStreams<i8>(queryPtr, rowsPtr, rowCount, rowBytes, start, scoresPtr)
  } else if (form === Form.U8) {
    if (fromMemory) dotEightStreams<u8>(queryPtr, rowsPtr, rowCount, rowBytes, start, scoresPtr)
    else dotFourStreams<u8>(queryPtr, rowsPtr, rowCount, rowBytes, start, scoresPtr)
  } else if (form === Form.QUATERNARY) dotPairs<u8>(queryPtr, rowsPtr, rowCount, rowBytes, start, scoresPtr)
  else if (form === Form.TERNARY) dotPairs<i8>(queryPtr, rowsPtr, rowCount, rowBytes, start, scoresPtr)
  else {
    dotFloats(queryPtr, rowsPtr, rowCount, rowBytes, scoresPtr)
    scoresToKeys(scoresPtr, rowCount)
  }
}
