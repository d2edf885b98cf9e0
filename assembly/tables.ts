/** Bytes of the sums for one byte of a row: 256 float32. */
const BYTE_TABLE_SHIFT: usize = 10

export function expandTable(nibbleTablePtr: usize, rowBytes: usize, tablePtr: usize): void {
  for (; rowBytes; --rowBytes) {
    const low0 = v128.load(nibbleTablePtr, 64)
    const low1 = v128.load(nibbleTablePtr, 80)
    const low2 = v128.load(nibbleTablePtr, 96)
    const low3 = v128.load(nibbleTablePtr, 112)
    for (let high: usize = 0; high < 64; high += 16) {
      const four = v128.load(nibbleTablePtr + high)
      addLows(tablePtr, i32x4.shuffle(four, four, 0, 0, 0, 0), low0, low1, low2, low3)
      addLows(tablePtr + 64, i32x4.shuffle(four, four, 1, 1, 1, 1), low0, low1, low2, low3)
      addLows(tablePtr + 128, i32x4.shuffle(four, four, 2, 2, 2, 2), low0, low1, low2, low3)
      addLows(tablePtr + 192, i32x4.shuffle(four, four, 3, 3, 3, 3), low0, low1, low2, low3)
      tablePtr += 256
    }
    nibbleTablePtr += 128
  }
}

/** The sixteen bytes that share a high nibble. */
function addLows(tablePtr: usize, high: v128, low0: v128, low1: v128, low2: v128, low3: v128): void {
  v128.store(tablePtr, f32x4.add(high, low0))
  v128.store(tablePtr, f32x4.add(high, low1), 16)
  v128.store(tablePtr, f32x4.add(high, low2), 32)
  v128.store(tablePtr, f32x4.add(high, low3), 48)
}

export function dotTableRows(
  tablePtr: usize,
  codesPtr: usize,
  rowBytes: usize,
  idsPtr: usize,
  idCount: usize,
  scoresPtr: usize,
): void {
  assert(rowBytes !== 0 && rowBytes % 8 === 0, 'rowBytes must be a multiple of 8')
  for (let i: usize = 0; i < idCount; ++i) {
    const rowPtr = codesPtr + <usize>load<u32>(idsPtr + (i << 2)) * rowBytes
    store<f32>(scoresPtr + (i << 2), dotTableRow(tablePtr, rowPtr, rowBytes))
  }
}

/** Eight look-ups a step, added as a tree: one addition on the chain, and the next row starts while this one ends. */
function dotTableRow(tablePtr: usize, rowPtr: usize, rowBytes: usize): f32 {
  let sum: f32 = 0
  for (let byte: usize = 0; byte < rowBytes; byte += 8) {
    const word = load<u64>(rowPtr + byte)
    const t = tablePtr + (byte << BYTE_TABLE_SHIFT)
    const s0 = load<f32>(t + entryOf(word)) + load<f32>(t + entryOf(word >> 8), 1024)
    const s1 = load<f32>(t + entryOf(word >> 16), 2048) + load<f32>(t + entryOf(word >> 24), 3072)
    const s2 = load<f32>(t + entryOf(word >> 32), 4096) + load<f32>(t + entryOf(word >> 40), 5120)
    const s3 = load<f32>(t + entryOf(word >> 48), 6144) + load<f32>(t + entryOf(word >> 56), 7168)
    sum += s0 + s1 + (s2 + s3)
  }
  return sum
}

/** Byte offset of the sum for the lowest byte of `word`. */
function entryOf(word: u64): usize {
  return <usize>((word & 0xff) << 2)
}

export function dotNibblesRows(
  nibbleTablePtr: usize,
  codesPtr: usize,
  rowBytes: usize,
  idsPtr: usize,
  idCount: usize,
  scoresPtr: usize,
): void {
  assert(rowBytes !== 0 && rowBytes % 8 === 0, 'rowBytes must be a multiple of 8')
  for (let i: usize = 0; i < idCount; ++i) {
    let rowPtr = codesPtr + <usize>load<u32>(idsPtr + (i << 2)) * rowBytes
    const end = rowPtr + rowBytes
    let t = nibbleTablePtr
    // In the order of `dotTableRow`, over what `expandTable` would have added: the same bits.
    let sum: f32 = 0
    for (; rowPtr !== end; rowPtr += 8) {
      const word = load<u64>(rowPtr)
      const s0 = byteSum(t, word) + byteSum(t + 128, word >> 8)
      const s1 = byteSum(t + 256, word >> 16) + byteSum(t + 384, word >> 24)
      const s2 = byteSum(t + 512, word >> 32) + byteSum(t + 640, word >> 40)
      const s3 = byteSum(t + 768, word >> 48) + byteSum(t + 896, word >> 56)
      sum += s0 + s1 + (s2 + s3)
      t += 1024
    }
    store<f32>(scoresPtr + (i << 2), sum)
  }
}

/** The sum for the two nibbles of the lowest byte of `word`. */
function byteSum(tablesPtr: usize, word: u64): f32 {
  return load<f32>(tablesPtr + <usize>((word & 0xf0) >> 2)) + load<f32>(tablesPtr + <usize>((word & 15) << 2), 64)
}
