import type { Kernels } from '../kernels/kernels.js'
import { roundUp } from '../kernels/regions.js'
import { bestScratchBytes } from '../kernels/scratch-sizes.js'
import { fewCandidates } from './forms/rounding.js'

/** Arrays of row numbers and of their scores (uint32, float32), and scratch for `bestScratchBytes` of the k wanted. */
export interface RowScores {
  readonly idsPtr: number
  readonly scoresPtr: number
  readonly scratchPtr: number
}

/** Writes the final score of each of `count` rows. */
export type ScoreRows = (idsPtr: number, count: number, scoresPtr: number) => void

/** Rows that are scored at a time where all are. */
const PIECE_ROWS = 4096

/** A selection of the best rows by final scores, ties by lower row, in the memory of the kernels. */
export class BestRows {
  readonly #buffer: ArrayBuffer
  readonly #kernels: Kernels
  readonly #at: RowScores
  readonly #k: number
  readonly #score: ScoreRows

  constructor(memory: { buffer: ArrayBuffer; kernels: Kernels }, at: RowScores, k: number, score: ScoreRows) {
    this.#buffer = memory.buffer
    this.#kernels = memory.kernels
    this.#at = at
    this.#k = k
    this.#score = score
  }

  /** Places that `ofAll` needs for k rows of `rows`, and the scratch beside them. */
  static roomOfAll(k: number, rows: number): { readonly places: number; readonly scratchBytes: number } {
    return { places: Math.min(rows, k + PIECE_ROWS), scratchBytes: roundUp(bestScratchBytes(k), 16) }
  }

  /**
   * The best of all rows where only `count` are candidates: they stand in the arrays, best bound first, and `bound` tells what
   * no final score of the candidate at a place, or of one behind it, exceeds. Candidates are scored as far as their bounds
   * reach the k-th score; how many were is returned. Infinity where rows that are no candidates might be better; `isAll`: there
   * are none.
   */
  ofCandidates(count: number, isAll: boolean, bound: (place: number) => number): number {
    const k = this.#k
    const lastBound = bound(count - 1)
    const first = Math.min(count, fewCandidates(k))
    this.#take(0, 0, first)
    let end = first
    for (let above = count; end < above; ) {
      const middle = (end + above) >> 1
      if (bound(middle) >= this.#least) end = middle + 1
      else above = middle
    }
    if (end > first) this.#take(k, first, end - first)
    return isAll || lastBound < this.#least ? end : Number.POSITIVE_INFINITY
  }

  /** The best of the first `count` rows of the arrays. */
  of(count: number): void {
    this.#take(0, 0, count)
  }

  /** The best of `count` rows by scores of all of them: those of a list, or the first ones. */
  ofAll(count: number, rows: Uint32Array | undefined): void {
    let found = 0
    const places = BestRows.roomOfAll(this.#k, count).places
    for (let first = 0; first < count; ) {
      const piece = Math.min(count - first, places - found)
      const ids = new Uint32Array(this.#buffer, this.#at.idsPtr + 4 * found, piece)
      if (rows !== undefined) ids.set(rows.subarray(first, first + piece))
      else for (let i = 0; i < piece; i++) ids[i] = first + i
      this.#take(found, found, piece)
      first += piece
      found = Math.min(this.#k, first)
    }
  }

  /** The k-th score so far. */
  get #least(): number {
    return new Float32Array(this.#buffer, this.#at.scoresPtr, this.#k)[this.#k - 1]!
  }

  /** Scores `count` rows from place `from` on and keeps the best of them and of the `found` in front, in front. */
  #take(found: number, from: number, count: number): void {
    const { idsPtr, scoresPtr, scratchPtr } = this.#at
    const ids = new Uint32Array(this.#buffer, idsPtr, from + count)
    if (from !== found) ids.copyWithin(found, from)
    // In order of rows, so that memory is walked one way.
    ids.subarray(found, found + count).sort()
    this.#score(idsPtr + 4 * found, count, scoresPtr + 4 * found)
    this.#kernels.selectBest(idsPtr, scoresPtr, found + count, this.#k, scratchPtr, idsPtr, scoresPtr)
  }
}
