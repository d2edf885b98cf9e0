import type { Precision } from './precision.js'
import type { Calibration } from './ranges.js'
import { codeOf } from './registry.js'

/** A dimension whose range is another: what becomes of each of its 256 codes, and of places between them. */
interface Change {
  readonly d: number
  readonly map: Uint8Array
  /** Buckets of the new range that a bucket of the old one has, and the place where the first of them began. */
  readonly ratio: number
  readonly start: number
}

/** 8-bit codes of one set of ranges as those of another. */
export class Recoding {
  readonly #flip: number
  readonly #changes: Change[] = []

  constructor(precision: Precision, from: Calibration, to: Calibration) {
    this.#flip = codeOf(precision).isSigned ? 0x80 : 0
    const [before, after] = [from.minMax, to.minMax]
    const [steps, newSteps] = [from.buckets.steps, to.buckets.steps]
    for (let d = 0; d < steps.length; d++) {
      if (before.mins[d] === after.mins[d] && before.maxs[d] === after.maxs[d]) continue
      // What has no width is one value, not a bucket.
      const ratio = before.mins[d] === before.maxs[d] ? 0 : steps[d]! / newSteps[d]!
      const start = (before.mins[d]! - after.mins[d]!) / newSteps[d]!
      // The middle of the bucket, as a value lies anywhere in it: its lower edge would shift all rows down each time.
      const moved = (code: number) => bucketOf(((code ^ this.#flip) + 0.5) * ratio + start) ^ this.#flip
      this.#changes.push({ d, ratio, start, map: Uint8Array.from({ length: 256 }, (_, code) => moved(code)) })
    }
  }

  /** Rewrites a run of rows of `stride` bytes that begins `offset` bytes behind the start of a row. */
  apply(codes: Uint8Array, stride: number, offset = 0): void {
    for (const { d, map } of this.#changes) {
      for (let at = (d - offset + stride) % stride; at < codes.length; at += stride) codes[at] = map[codes[at]!]!
    }
  }

  /** Rewrites rows of which it is known where in its bucket each value lies, in 256 parts. */
  applyFine(codes: Uint8Array, fractions: Uint8ClampedArray, stride: number): void {
    const flip = this.#flip
    for (const { d, ratio, start } of this.#changes) {
      for (let at = d; at < codes.length; at += stride) {
        const place = ((codes[at]! ^ flip) + fractions[at]! / 256) * ratio + start
        const bucket = bucketOf(place)
        codes[at] = bucket ^ flip
        fractions[at] = (place - bucket) * 256
      }
    }
  }
}

function bucketOf(place: number): number {
  return place < 0 ? 0 : place > 255 ? 255 : place | 0
}
