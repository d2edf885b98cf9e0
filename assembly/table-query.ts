/** Bytes of a block: what the rows of a group give to one step of the transposition. */
export const BLOCK_BYTES: usize = 8

/** Blocks that are summed before the first look at the limit: a quarter of them rarely exceeds it. */
export function uncheckedBlocks(rowBytes: usize): usize {
  return rowBytes / (BLOCK_BYTES << 2)
}

/** Bytes of a prepared query: distance tables, then the order of the blocks. */
export function preparedBytes(rowBytes: usize): usize {
  return (rowBytes << 5) + orderBytes(rowBytes)
}

/** Address of the tables of a prepared query: 256 bytes a block, in the order of the blocks. */
export function distanceTables(preparedPtr: usize, rowBytes: usize): usize {
  return preparedPtr + orderBytes(rowBytes)
}

/** Position in a row of the block that comes `place`-th. */
export function blockOffset(preparedPtr: usize, place: usize): usize {
  return <usize>load<u16>(preparedPtr + (place << 2))
}

/**
 * Prepares a query and returns the sum of its greatest entries. Entries become distances, the greatest of their table less
 * the entry: partial sums then only grow, and a group of rows can be left as soon as all are beyond the k-th. Blocks come
 * by how much they can add, so that this is soon.
 */
export function prepareQuery(tablesPtr: usize, rowBytes: usize, preparedPtr: usize): u32 {
  let sum: u32 = 0
  for (let offset: usize = 0; offset < rowBytes; offset += BLOCK_BYTES) {
    const weight = greatestSum(tablesPtr + (offset << 5))
    sum += weight
    // A block is its weight, at most 4 · 255 in a valid table, and its offset, at most 32,760.
    insert(preparedPtr, offset / BLOCK_BYTES, (weight << 16) | <u32>offset)
  }
  const targetPtr = distanceTables(preparedPtr, rowBytes)
  for (let at: usize = 0; at < rowBytes; at += BLOCK_BYTES) {
    const source = tablesPtr + (blockOffset(preparedPtr, at / BLOCK_BYTES) << 5)
    for (let table: usize = 0; table < BLOCK_BYTES << 5; table += 16) {
      const entries = v128.load(source + table)
      v128.store(targetPtr + (at << 5) + table, i8x16.sub(i8x16.splat(<i8>greatest(source + table)), entries))
    }
  }
  return sum
}

/** Distance of one row, look-up by look-up. */
export function tableDistance(preparedPtr: usize, rowPtr: usize, rowBytes: usize): u32 {
  let tablePtr = distanceTables(preparedPtr, rowBytes)
  let distance: u32 = 0
  for (let at: usize = 0; at < rowBytes; at += BLOCK_BYTES) {
    let bytes = load<u64>(rowPtr + blockOffset(preparedPtr, at / BLOCK_BYTES))
    for (let left = BLOCK_BYTES; left; --left) {
      const byte = <usize>bytes & 255
      distance += <u32>load<u8>(tablePtr + (byte >> 4)) + <u32>load<u8>(tablePtr + (byte & 15), 16)
      bytes >>= 8
      tablePtr += 32
    }
  }
  return distance
}

function orderBytes(rowBytes: usize): usize {
  return (rowBytes / BLOCK_BYTES) << 2
}

/** The sum of the greatest entries of the tables of a block. */
function greatestSum(blockPtr: usize): u32 {
  let sum: u32 = 0
  for (let group: usize = 0; group < BLOCK_BYTES << 5; group += 64) {
    const four =
      greatest(blockPtr + group) +
      greatest(blockPtr + group + 16) +
      greatest(blockPtr + group + 32) +
      greatest(blockPtr + group + 48)
    assert(four <= 255, 'the greatest entries of the four tables of two bytes must add up to at most 255')
    sum += four
  }
  return sum
}

function greatest(tablePtr: usize): u32 {
  let most: u32 = 0
  for (let entry: usize = 0; entry < 16; ++entry) most = max<u32>(most, load<u8>(tablePtr + entry))
  return most
}

/** Puts a block among the first `count`, greatest first. */
function insert(orderPtr: usize, count: usize, block: u32): void {
  let ptr = orderPtr + (count << 2)
  for (; ptr !== orderPtr && load<u32>(ptr - 4) < block; ptr -= 4) store<u32>(ptr, load<u32>(ptr - 4))
  store<u32>(ptr, block)
}
