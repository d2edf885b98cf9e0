import type { Id } from './ids.js'

/** Finds rows by their names, over all shards: names to rows counted from the first shard's first. */
export interface NameLookup {
  /** Calls `use` with the rows of a name: several if it came again after a deletion, or stands in several files. */
  forEachRow(name: Id, use: (row: number) => void): void
}

/** 8 to 16 bytes per row: a table of rows, twice as long as needed, probed from the hash of the number on. */
export function numberLookup(values: readonly Uint32Array[]): NameLookup {
  const all = joined(values)
  const bits = Math.max(4, Math.ceil(Math.log2(2 * all.length + 1)))
  const mask = 2 ** bits - 1
  // Row + 1, so that 0 is free.
  const table = new Uint32Array(mask + 1)
  const hash = seededHash()
  const slotOf = (number: number) => {
    let slot = hash(number) & mask
    while (table[slot] !== 0 && all[table[slot]! - 1] !== number) slot = (slot + 1) & mask
    return slot
  }
  const repeats = new Repeats(all.length)
  for (let row = 0; row < all.length; row++) {
    const slot = slotOf(all[row]!)
    if (table[slot] === 0) table[slot] = row + 1
    else repeats.add(table[slot]! - 1, row)
  }
  return {
    forEachRow(name, use) {
      if (typeof name !== 'number') return
      const entry = table[slotOf(name)]!
      if (entry !== 0) repeats.forEach(entry - 1, use)
    },
  }
}

export function textLookup(texts: readonly string[][]): NameLookup {
  const rows = new Map<Id, number>()
  const repeats = new Repeats(texts.reduce((sum, { length }) => sum + length, 0))
  let row = 0
  for (const part of texts) {
    for (const text of part) {
      const first = rows.get(text)
      if (first === undefined) rows.set(text, row)
      else repeats.add(first, row)
      row++
    }
  }
  return {
    forEachRow(name, use) {
      const first = rows.get(name)
      if (first !== undefined) repeats.forEach(first, use)
    },
  }
}

/** Rows with the name of an earlier row, chained after it: 4 bytes per row once there is one. */
class Repeats {
  readonly #rows: number
  /** The next row of the same name, + 1; 0 ends a chain. */
  #next: Uint32Array | undefined

  constructor(rows: number) {
    this.#rows = rows
  }

  add(first: number, row: number): void {
    this.#next ??= new Uint32Array(this.#rows)
    this.#next[row] = this.#next[first]!
    this.#next[first] = row + 1
  }

  /** The first row and those behind it. */
  forEach(first: number, use: (row: number) => void): void {
    for (let row = first + 1; row !== 0; row = this.#next?.[row - 1] ?? 0) use(row - 1)
  }
}

function joined(values: readonly Uint32Array[]): Uint32Array {
  if (values.length === 1) return values[0]!
  const all = new Uint32Array(values.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of values) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/**
 * Tabulation hashing, each table random: nobody can choose ids that meet in one slot, and linear probing stays short whatever
 * the ids (Patrascu & Thorup 2012).
 */
function seededHash(): (number: number) => number {
  const tables = Uint32Array.from({ length: 1024 }, () => Math.random() * 2 ** 32)
  return (number) =>
    tables[number & 255]! ^
    tables[256 + ((number >>> 8) & 255)]! ^
    tables[512 + ((number >>> 16) & 255)]! ^
    tables[768 + (number >>> 24)]!
}
