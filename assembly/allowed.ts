/**
 * Whether a filter lets a row through: a bit a row, the first row in the lowest bit of the first byte. Address 0 is no
 * filter. Asked only about rows that would be accepted, which are few.
 */
export function isAllowed(allowedPtr: usize, row: u32): bool {
  if (!allowedPtr) return true
  return <bool>((<u32>load<u8>(allowedPtr + <usize>(row >> 3)) >> (row & 7)) & 1)
}
