// One bit per row: row i is bit i & 7, counted from the lowest, of byte i >>> 3. Rows go up to 2^32.

/** Set bits of 32, by adding neighbours: in pairs, in fours, in bytes, then the four bytes by one multiplication. */
export function popcount32(bits: number): number {
  const pairs = bits - ((bits >>> 1) & 0x55555555)
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333)
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

export function isSet(bits: Uint8Array, row: number): boolean {
  return ((bits[row >>> 3]! >> (row & 7)) & 1) === 1
}

export function setBit(bits: Uint8Array, row: number): void {
  bits[row >>> 3]! |= 1 << (row & 7)
}

/** Clears what stands behind the bits of `rows` rows. */
export function clearBehind(bits: Uint8Array, rows: number): void {
  if (rows % 8 !== 0) bits[rows >>> 3]! &= (1 << (rows & 7)) - 1
}

/** Number of set bits. */
export function countBits(bits: Uint8Array): number {
  const words = bits.length >> 2
  const view = new DataView(bits.buffer, bits.byteOffset, bits.length)
  let count = 0
  for (let word = 0; word < words; word++) count += popcount32(view.getUint32(4 * word))
  for (let at = 4 * words; at < bits.length; at++) count += popcount32(bits[at]!)
  return count
}

/** Whether bits beyond those of `rows` rows are set: added rows would give them a meaning. */
export function isSetBehind(bits: Uint8Array, rows: number): boolean {
  return rows % 8 !== 0 && bits[rows >>> 3]! >> (rows & 7) !== 0
}

/** The rows of the set bits, ascending. */
export function rowsOfBits(bits: Uint8Array, count: number): Uint32Array<ArrayBuffer> {
  const rows = new Uint32Array(count)
  let found = 0
  for (let at = 0; at < bits.length; at++) {
    for (let rest = bits[at]!; rest; rest &= rest - 1) rows[found++] = 8 * at + (31 - Math.clz32(rest & -rest))
  }
  return rows
}

/** Rows one behind the other: `first`, and the one behind the last. */
export interface RowRange {
  readonly first: number
  readonly end: number
}

/** The ranges of the set bits, ascending; undefined where there are more than `most`. */
export function rangesOfBits(bits: Uint8Array, most: number): RowRange[] | undefined {
  const ranges: RowRange[] = []
  let first = -1
  for (let at = 0; at <= bits.length; at++) {
    const byte = bits[at] ?? 0
    if (byte === (first < 0 ? 0 : 0xff)) continue
    for (let row = 8 * at; row < 8 * at + 8; row++) {
      const isIn = ((byte >> (row & 7)) & 1) === 1
      if (isIn === first >= 0) continue
      if (isIn) first = row
      else {
        if (ranges.length === most) return undefined
        ranges.push({ first, end: row })
        first = -1
      }
    }
  }
  return ranges
}

/** Copies the bits of `count` rows of `source`, from row `from` on, to row `to` on. The target's bits must be clear. */
export function copyBits(source: Uint8Array, from: number, target: Uint8Array, to: number, count: number): void {
  // First up to a whole byte of the target, then whole bytes, then the rest.
  let row = 0
  for (; row < count && (to + row) & 7; row++) copyBit(row)
  const shift = (from + row) & 7
  for (; row + 8 <= count; row += 8) {
    const at = (from + row) >>> 3
    target[(to + row) >>> 3] = (source[at]! | ((source[at + 1] ?? 0) << 8)) >> shift
  }
  for (; row < count; row++) copyBit(row)

  function copyBit(row: number): void {
    if (isSet(source, from + row)) setBit(target, to + row)
  }
}
