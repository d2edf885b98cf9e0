import { digestsOf, sha256, withHeaderSum } from '../format/sealed.js'
import { below, mutate, pick, type Random } from './mutate.js'
import { INDEX_WORDS } from './words.js'

// Sums keep random bytes out of all that lies behind them; these changes are made with right sums, so that they get there.

interface Entry {
  dtype: string
  shape: number[]
  data_offsets: number[]
}

/** A safetensors file taken apart. */
interface Draft {
  readonly entries: Record<string, Entry>
  readonly metadata: Record<string, string>
  data: Buffer
}

const VALUES = [
  ...[
    '0',
    '1',
    '-1',
    '9',
    '65535',
    '65536',
    '4294967295',
    '4294967296',
    '1e3',
    '',
    ' 1',
    '01',
    'true',
    'false',
    'none',
  ],
  ...['binary', 'ubinary', 'int8', 'uint8', 'int4', 'ternary', 'quaternary', 'float32', 'hadamard', 'svd', 'random'],
  ...['itq', 'global', 'dimension', 'msb-first', 'dot', '4096', '__proto__', 'constructor'],
]
const KEYS = [
  'rotation',
  'rotation_seed',
  'calibration_rows',
  'input_dims',
  'rescore',
  'coarse',
  'rows',
  'dims',
  'scope',
]
const NAMES = [
  'deleted',
  'ids',
  'keys',
  'keys.offsets',
  'centre',
  'rotation',
  'ranges',
  'x',
  'binary.scale',
  'toString',
]
const DTYPES = ['U8', 'I8', 'F32', 'F16', 'U32', 'U64', 'BOOL', 'F64', 'F4', 'C64', 'BF16']
const LENGTHS = [0, 1, 2, 3, 5, 9, 16, 255, 2 ** 32, 2 ** 53, -1, 1.5]
const BYTES = [0, 1, 0x7f, 0x80, 0xff]
const FLOATS = [Number.NaN, Infinity, -Infinity, 0, -0, 1e38, -1e38, 1e-45, 1, -1]

/** Changes an index file as its format goes; what is no such file is changed byte by byte. */
export function mutateIndex(input: Uint8Array, others: readonly Uint8Array[], random: Random): Uint8Array {
  const draft = random() < 0.8 ? takeApart(input) : undefined
  if (draft === undefined) return mutate(input, INDEX_WORDS, others, random)
  for (let left = 1 + below(random, 3); left > 0; left--) pick(random, CHANGES)(draft, random)
  if (random() < 0.35) layOut(draft)
  const kind = random()
  return put(draft, { sums: kind < 0.8, header: kind < 0.9 })
}

function takeApart(input: Uint8Array): Draft | undefined {
  const bytes = Buffer.from(input)
  try {
    const length = Number(bytes.readBigUInt64LE(0))
    const { __metadata__: metadata, ...entries } = JSON.parse(bytes.toString('utf8', 8, 8 + length))
    const isEntry = (entry: Partial<Entry> | null) => Array.isArray(entry?.shape) && entry.data_offsets?.length === 2
    if (typeof metadata !== 'object' || metadata === null || !Object.values<Entry>(entries).every(isEntry))
      return undefined
    return { entries, metadata, data: bytes.subarray(8 + length) }
  } catch {
    return undefined
  }
}

type Change = (draft: Draft, random: Random) => void

const CHANGES: readonly Change[] = [
  ({ metadata }, random) => {
    metadata[pick(random, [...Object.keys(metadata), ...KEYS])] = pick(random, VALUES)
  },
  ({ metadata }, random) => {
    delete metadata[pick(random, [...Object.keys(metadata), 'x'])]
  },
  ({ metadata }, random) => {
    metadata['rows'] = String(pick(random, [0, 1, 2, 5, 8]))
  },
  ({ entries }, random) => {
    delete entries[pick(random, [...Object.keys(entries), 'x'])]
  },
  (draft, random) => {
    const { shape } = someEntry(draft, random)
    shape[below(random, shape.length)] = pick(random, LENGTHS)
  },
  (draft, random) => {
    someEntry(draft, random).dtype = pick(random, DTYPES)
  },
  (draft, random) => {
    const entry = someEntry(draft, random)
    const places = [0, 1, draft.data.length, draft.data.length + 1, 2 ** 53 - 1, -1, entry.data_offsets[0]!]
    entry.data_offsets[below(random, 2)] = pick(random, places)
  },
  changeData,
  changeData,
  changeData,
  (draft, random) => {
    const { data } = draft
    const more = Uint8Array.from({ length: 1 + below(random, 16) }, () => below(random, 256))
    draft.data = random() < 0.5 ? data.subarray(0, below(random, data.length + 1)) : Buffer.concat([data, more])
  },
  (draft, random) => {
    const { entries } = draft
    const [one, other] = [0, 1].map(() => pick(random, Object.keys(entries)))
    if (one === undefined || other === undefined) return
    ;[entries[one], entries[other]] = [entries[other]!, entries[one]!]
  },
  (draft, random) => {
    draft.entries[pick(random, NAMES)] = structuredClone(someEntry(draft, random))
  },
]

function someEntry({ entries }: Draft, random: Random): Entry {
  const all = Object.values(entries)
  return all.length > 0 ? pick(random, all) : { dtype: 'U8', shape: [0], data_offsets: [0, 0] }
}

function changeData(draft: Draft, random: Random): void {
  const [begin = 0, end = 0] = someEntry(draft, random).data_offsets
  if (!(begin >= 0 && begin < end && end <= draft.data.length)) return
  const at = begin + below(random, end - begin)
  if (random() < 0.5) draft.data[at] = pick(random, [...BYTES, below(random, 256)])
  else if (end - begin >= 4) draft.data.writeFloatLE(pick(random, FLOATS), Math.min(at, end - 4))
}

/** Gives each tensor the bytes that its shape asks for, one behind the other. */
function layOut(draft: Draft): void {
  const sizes: Record<string, number> = { F32: 4, F16: 2, U32: 4, U64: 8, F64: 8 }
  const parts: Buffer[] = []
  let at = 0
  for (const entry of Object.values(draft.entries)) {
    const needed = entry.shape.reduce((product, length) => product * length, sizes[entry.dtype] ?? 1)
    const length = Number.isInteger(needed) ? Math.min(Math.max(needed, 0), 4096) : 0
    const [begin = 0, end = 0] = entry.data_offsets
    const part = Buffer.alloc(length)
    part.set(draft.data.subarray(Math.max(0, begin), Math.max(0, Math.min(end, begin + length))))
    parts.push(part)
    entry.data_offsets = [at, at + length]
    at += length
  }
  draft.data = Buffer.concat(parts)
}

/** Puts the file together again, with the digests and sums that its bytes have now, or with the old ones. */
function put({ entries, metadata, data }: Draft, right: { sums: boolean; header: boolean }): Uint8Array {
  const own = Buffer.from(data)
  const bytesOf = ({ data_offsets: [begin = 0, end = 0] }: Entry) => own.subarray(Math.max(0, begin), Math.max(0, end))
  const sums = { ...metadata }
  if (right.sums) {
    for (const [name, entry] of Object.entries(entries)) {
      const digests = entries[`${name}.digests`]
      if (digests === undefined) continue
      const place = bytesOf(digests)
      place.set(digestsOf(bytesOf(entry)).subarray(0, place.length))
    }
    for (const [name, entry] of Object.entries(entries)) sums[`sha256.${name}`] = sha256(bytesOf(entry)).toString('hex')
  }
  const { sha256: old, ...others } = sums
  const header = { __metadata__: { ...others, sha256: right.header ? '0'.repeat(64) : old }, ...entries }
  const text = Buffer.from(JSON.stringify(header))
  const padded = Buffer.alloc(Math.ceil((8 + text.length) / 64) * 64, ' ')
  padded.writeBigUInt64LE(BigInt(padded.length - 8))
  text.copy(padded, 8)
  const file = new Uint8Array(Buffer.concat([padded, own]))
  return right.header ? withHeaderSum(file) : file
}
