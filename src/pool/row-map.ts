import { copyBits, countBits } from '../base/bits.js'
import type { Allowed } from '../rows/filter.js'

/** Rows of one batch that go to one shard. */
export interface Share {
  readonly shard: number
  /** First row of the share in its batch. */
  readonly first: number
  readonly count: number
}

/** Additions below this stay in one piece, and follow one another in the same shard while it leads by less. */
const WHOLE_ROWS = 4096

/**
 * Which worker holds which rows. Global ids are the order of adding; each shard holds ascending ranges of them, so that
 * among its rows the lower row is the lower id, and ties fall as in one index.
 */
export class RowMap {
  /** For each shard, the ranges it holds: its first own row and the global id of that row, ascending. */
  readonly #starts: { readonly row: number; readonly id: number }[][]
  readonly #sizes: number[]
  #size = 0
  #current = 0

  constructor(shards: number) {
    this.#starts = Array.from({ length: shards }, () => [])
    this.#sizes = Array.from({ length: shards }, () => 0)
  }

  get size(): number {
    return this.#size
  }

  sizeOf(shard: number): number {
    return this.#sizes[shard]!
  }

  /** Shares `rows` new rows out: few go to one shard, many level the shards. Nothing changes until `commit`. */
  share(rows: number): Share[] {
    const sizes = this.#sizes
    const least = Math.min(...sizes)
    if (this.#size > 0 && rows < WHOLE_ROWS) {
      const stay = sizes[this.#current]! - least < WHOLE_ROWS
      return [{ shard: stay ? this.#current : sizes.indexOf(least), first: 0, count: rows }]
    }
    const level = Math.ceil((this.#size + rows) / sizes.length)
    const shares: Share[] = []
    let first = 0
    for (const [shard, size] of sizes.entries()) {
      const count = Math.min(rows - first, Math.max(0, level - size))
      if (count > 0) shares.push({ shard, first, count })
      first += count
    }
    return shares
  }

  commit(shares: readonly Share[]): void {
    for (const { shard, first, count } of shares) {
      const starts = this.#starts[shard]!
      const row = this.#sizes[shard]!
      const id = this.#size + first
      const last = starts.at(-1)
      if (last === undefined || id - last.id !== row - last.row) starts.push({ row, id })
      this.#sizes[shard]! += count
      this.#current = shard
    }
    this.#size = this.#sizes.reduce((sum, size) => sum + size, 0)
  }

  /** The part of a filter that is about the rows of a shard. */
  partOf(shard: number, { bits }: Allowed): Allowed {
    const starts = this.#starts[shard]!
    const rows = this.#sizes[shard]!
    const part = new Uint8Array(Math.ceil(rows / 8))
    for (const [i, { row, id }] of starts.entries()) {
      copyBits(bits, id, part, row, (starts[i + 1]?.row ?? rows) - row)
    }
    return { bits: part, count: countBits(part) }
  }

  /** The global ids of rows of a shard. */
  toIds(shard: number, rows: Uint32Array): Uint32Array<ArrayBuffer> {
    const starts = this.#starts[shard]!
    return new Uint32Array(rows).map((row) => {
      let low = 0
      let high = starts.length
      while (high - low > 1) {
        const middle = (low + high) >> 1
        if (starts[middle]!.row <= row) low = middle
        else high = middle
      }
      return row - starts[low]!.row + starts[low]!.id
    })
  }
}
