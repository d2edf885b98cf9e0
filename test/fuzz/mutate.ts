/** Numbers at the edges of what a field of a file can hold. */
const EDGES_32 = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 255, 256, 65_535, 65_536, 4096]
const EDGES_64 = [0n, 1n, -1n, 2n ** 63n - 1n, 2n ** 53n, 2n ** 53n - 1n, 2n ** 32n, 2n ** 31n, 100_000_001n]
/** Longer inputs show nothing that these do not. */
const MOST_BYTES = 1 << 15

export type Random = () => number

export function below(random: Random, count: number): number {
  return Math.floor(random() * count)
}

export function pick<T>(random: Random, items: readonly T[]): T {
  return items[below(random, items.length)]!
}

/** Changes bytes at random places, one to sixteen times: bits, numbers, words of the format, pieces of other inputs. */
export function mutate(
  input: Uint8Array,
  words: readonly string[],
  others: readonly Uint8Array[],
  random: Random,
): Uint8Array {
  let bytes: Buffer<ArrayBufferLike> = Buffer.from(input)
  for (let left = 1 << below(random, 5); left > 0; left--) {
    bytes = pick(random, CHANGES)(bytes, below(random, bytes.length + 1), { words, others, random })
    if (bytes.length > MOST_BYTES) bytes = bytes.subarray(0, MOST_BYTES)
  }
  return new Uint8Array(bytes)
}

interface Material {
  readonly words: readonly string[]
  readonly others: readonly Uint8Array[]
  readonly random: Random
}
type Change = (bytes: Buffer<ArrayBufferLike>, at: number, material: Material) => Buffer<ArrayBufferLike>

const spliced = (bytes: Buffer, at: number, removed: number, added: Uint8Array): Buffer =>
  Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at + removed)])

/** Words hold each of their characters as a byte where that is possible: magic numbers are no UTF-8. */
function bytesOfWord(word: string): Buffer {
  return Buffer.from(word, /[^\0-\xff]/.test(word) ? 'utf8' : 'latin1')
}

const CHANGES: readonly Change[] = [
  (bytes, at, { random }) => {
    if (at < bytes.length) bytes[at]! ^= 1 << below(random, 8)
    return bytes
  },
  (bytes, at, { random }) => {
    if (at < bytes.length) bytes[at] = below(random, 256)
    return bytes
  },
  (bytes, at, { random }) => spliced(bytes, at, 0, Uint8Array.of(below(random, 256))),
  (bytes, at, { random }) => spliced(bytes, at, 1 + below(random, 16), new Uint8Array(0)),
  (bytes, at, { words, random }) => spliced(bytes, at, 0, bytesOfWord(pick(random, words))),
  (bytes, at, { words, random }) => {
    const word = bytesOfWord(pick(random, words))
    return spliced(bytes, at, word.length, word)
  },
  (bytes, at, { random }) => {
    const from = below(random, bytes.length + 1)
    return spliced(bytes, at, 0, Buffer.from(bytes.subarray(from, from + below(random, 32))))
  },
  (bytes, at, { others, random }) => {
    const other = pick(random, others)
    return Buffer.concat([bytes.subarray(0, at), other.subarray(below(random, other.length + 1))])
  },
  (bytes, at, { random }) => {
    if (at + 4 <= bytes.length) bytes.writeInt32LE(pick(random, [...EDGES_32, below(random, 1000)]), at)
    return bytes
  },
  (bytes, at, { random }) => {
    if (at + 8 <= bytes.length) {
      bytes.writeBigInt64LE(pick(random, [...EDGES_64, BigInt(below(random, 1_000_000))]), at)
    }
    return bytes
  },
  (bytes, at) => bytes.subarray(0, at),
]
