import type { ByteRange } from './source.js'

/** Several ranges that are read as one. */
export interface Span {
  readonly position: number
  readonly length: number
  readonly ranges: readonly ByteRange[]
}

/** A longer span would hold up the ranges in it, and be lost as a whole. */
const MAX_SPAN_BYTES = 1 << 22

/** Joins ranges (rising) that lie at most `gapBytes` apart. */
export function joinRanges(ranges: readonly ByteRange[], gapBytes: number): Span[] {
  const spans: { position: number; length: number; ranges: ByteRange[] }[] = []
  for (const range of ranges) {
    const last = spans.at(-1)
    const end = range.position + range.target.length
    const gap = last === undefined ? 0 : range.position - (last.position + last.length)
    if (last !== undefined && gap <= gapBytes && gap >= 0 && end - last.position <= MAX_SPAN_BYTES) {
      last.length = end - last.position
      last.ranges.push(range)
    } else {
      spans.push({ position: range.position, length: range.target.length, ranges: [range] })
    }
  }
  return spans
}

/** Copies what of a piece at `position` belongs to the ranges. */
export function scatter(ranges: readonly ByteRange[], position: number, piece: Uint8Array): void {
  for (const range of ranges) {
    const from = Math.max(range.position, position)
    const to = Math.min(range.position + range.target.length, position + piece.length)
    if (from < to) range.target.set(piece.subarray(from - position, to - position), from - range.position)
  }
}
