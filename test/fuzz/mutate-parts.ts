import { parseFaissHeader } from '../../src/formats/faiss-header.js'
import { parseNpyHeader } from '../../src/formats/npy.js'
import { below, mutate, pick, type Random } from './mutate.js'

type Mutate = (input: Uint8Array, others: readonly Uint8Array[], random: Random) => Uint8Array

const MOST_DATA_BYTES = 1 << 15
const VALUES = [
  ...[null, true, false, 0, -0, 1, -1, 1.5, 2, 3, 255, 4096, 65_536, 2 ** 31, 2 ** 32, 1e9, 2 ** 53, 1e308, -1e308],
  ...['', '0', '1', 'int8', 'binary', '__proto__', '\ud800', [], {}, [[]], [1, 2], { length: 1e9 }],
]
const KEYS = ['dims', 'rows', 'min', 'max', 'values', 'format', '__proto__', 'constructor', 'length', 'x']

/** Changes arrays in files: mostly the header, with as many bytes of data behind it as it then asks for. */
export function mutateArray(words: readonly string[]): Mutate {
  return (input, others, random) => {
    const changed = mutate(input, words, others, random)
    const needed = random() < 0.6 ? neededBytes(changed) : undefined
    if (needed === undefined) return changed
    const fitting = new Uint8Array(needed)
    fitting.set(changed.subarray(0, needed))
    return fitting
  }
}

function neededBytes(file: Uint8Array): number | undefined {
  try {
    const { dataOffset, dataBytes } = file[0] === 0x93 ? parseNpyHeader(file) : parseFaissHeader(file)
    return dataBytes <= MOST_DATA_BYTES ? dataOffset + dataBytes : undefined
  } catch {
    return undefined
  }
}

/** Changes values of a JSON text that stays one, or its characters. */
export function mutateJson(words: readonly string[]): Mutate {
  return (input, others, random) => {
    const value = random() < 0.7 ? jsonOf(input) : undefined
    if (value === undefined) return mutate(input, words, others, random)
    for (let left = 1 + below(random, 3); left > 0; left--) changeValue(value, random)
    return new TextEncoder().encode(JSON.stringify(value))
  }
}

function jsonOf(input: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(new TextDecoder().decode(input))
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

/** Replaces, removes, adds or doubles one value, however deep. */
function changeValue(parent: Record<string, unknown>, random: Random): void {
  const keys = Object.keys(parent)
  const key = keys.length > 0 && random() < 0.9 ? pick(random, keys) : pick(random, KEYS)
  if (Array.isArray(parent) && key === 'length') return
  const child = Object.hasOwn(parent, key) ? parent[key] : undefined
  if (typeof child === 'object' && child !== null && random() < 0.7) {
    changeValue(child as Record<string, unknown>, random)
    return
  }
  // `__proto__` becomes a key like any.
  const put = (value: unknown) =>
    Object.defineProperty(parent, key, { value, enumerable: true, writable: true, configurable: true })
  const kind = random()
  if (kind < 0.2) delete parent[key]
  else if (kind < 0.4 && typeof child === 'number') put(child + pick(random, [1, -1, 8, 0.5]))
  else if (kind < 0.5 && keys.length > 0) put(structuredClone(parent[pick(random, keys)]))
  else put(structuredClone(pick(random, VALUES)))
}
