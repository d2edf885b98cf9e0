/** The bytes of lower-case hexadecimal text. */
export function decodeHex(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length / 2)
  for (let i = 0; i < bytes.length; i++) bytes[i] = (digit(text, 2 * i) << 4) | digit(text, 2 * i + 1)
  return bytes
}

/** '0' to '9' are 0x30 to 0x39, 'a' to 'f' are 0x61 to 0x66. */
function digit(text: string, at: number): number {
  const char = text.charCodeAt(at)
  return (char & 15) + 9 * (char >> 6)
}
