/**
 * 53 bits of a text: two FNV-1a sums of 32 bits with different beginnings. Equal texts have equal hashes; whoever finds equal
 * hashes compares the texts.
 */
export function hashOf(bytes: Uint8Array): number {
  let a = 0x811c9dc5
  let b = 0x050c5d1f
  for (const byte of bytes) {
    a = Math.imul(a ^ byte, 0x01000193)
    b = Math.imul(b ^ byte ^ (a >>> 24), 0x01000193)
  }
  return (a >>> 0) * 2 ** 21 + (b >>> 11)
}
