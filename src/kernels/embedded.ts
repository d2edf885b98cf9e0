/** Values of a character; the last two announce that another character follows. */
const VALUES = 87
const SINGLES = VALUES - 2
/** What is added to a byte before it is written: opcode prefix 0xfd, and the small numbers, take one character then. */
const SHIFT = 3

/**
 * The bytes of a module that the build wrote as text (`encodeBytes` in `esbuild.wasm.mjs`): a character a byte for the frequent
 * ones, two for the others. Gzip sees bytes in it, which base64 hides: 10 % smaller than hexadecimal digits once compressed.
 */
export function decodeBytes(text: string): Uint8Array<ArrayBuffer> {
  // Characters as bytes first: the loop runs once, uncompiled, where a call for each character would cost twice as much.
  const chars = new TextEncoder().encode(text)
  const bytes = new Uint8Array(chars.length)
  let length = 0
  for (let i = 0; i < chars.length; i++) {
    const value = valueOfChar(chars[i]!)
    bytes[length++] =
      (value < SINGLES ? value : SINGLES + (value - SINGLES) * VALUES + valueOfChar(chars[++i]!)) - SHIFT
  }
  return bytes.subarray(0, length)
}

/** '(' to '~' are 0 to 86; '!' and '%' stand for the backslash and the backtick among them. */
function valueOfChar(char: number): number {
  return char < 0x28 ? char + 19 : char - 0x28
}
