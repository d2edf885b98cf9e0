import { describe, fail } from '../base/check.js'
import { forEachOf } from '../base/each.js'
import { bytesOf } from '../index-file/layout.js'
import { checkId, checkIds, type IdKind } from '../rows/check-ids.js'
import { encodeOffsets, type Id, type IdsLayout } from '../rows/ids.js'
import { Growing } from './growing.js'
import type { IndexWriter } from './index-writer.js'
import type { Ids } from './options.js'
import { Spool } from './spool.js'
import { hashOf } from './text-hash.js'

/** Texts gathered before they go to the spool, and read from it at a time. */
const BUFFER_BYTES = 1 << 20
/** Ids given at a time. */
const RUN_IDS = 8192
const NO_ROWS = { rows: 0, kind: undefined } as const

/** How far a list was. */
export interface IdMark {
  readonly count: number
  readonly kind: IdKind | undefined
  readonly buffered: number
  readonly spooled: number
}

/** The ids of all rows of an index under way: numbers stay in memory; of texts a hash and a length, 16 bytes per row. */
export class IdList {
  readonly #target: string
  readonly #numbers = new Growing(Uint32Array)
  /** Where text i ends; `#hashes` has one for each. */
  readonly #ends = new Growing(Float64Array)
  readonly #hashes = new Growing(Float64Array)
  readonly #buffer: Uint8Array[] = []
  #bufferBytes = 0
  #spool: Spool | undefined
  #kind: IdKind | undefined
  /** The row of the first id, for messages. */
  readonly #first: number

  /**
   * @param target the file beside which texts are kept meanwhile
   * @param behind the rows before these ids, and the kind of their ids
   */
  constructor(target: string, behind: { readonly rows: number; readonly kind: IdKind | undefined } = NO_ROWS) {
    this.#target = target
    this.#first = behind.rows
    this.#kind = behind.kind
  }

  get count(): number {
    return this.#numbers.length + this.#ends.length
  }

  /** How the ids lie in a file; 'rows' if there are none. */
  get layout(): IdsLayout {
    if (this.#kind !== 'texts') return { kind: this.#kind ?? 'rows' }
    return { kind: 'texts', byteLength: this.#textBytes }
  }

  /** @throws PackvecError INVALID_ARGUMENT for an invalid id, or one of another kind than the ids before */
  async add(ids: Ids): Promise<void> {
    checkIds(ids)
    await forEachOf<Id>(ids, 'ids', (id) => (this.#push(id) ? this.#flush() : undefined))
  }

  /** All ids in order, some at a time. */
  async *all(): AsyncGenerator<Id[]> {
    const count = this.count
    if (this.#kind === 'texts') await this.#flush()
    for (let first = 0; first < count; first += RUN_IDS) {
      const end = Math.min(first + RUN_IDS, count)
      yield this.#kind === 'texts'
        ? await this.#texts(first, end)
        : Array.from(this.#numbers.values.subarray(first, end))
    }
  }

  /** A mark from which `rollBack` can forget later ids. */
  mark(): IdMark {
    return { count: this.count, kind: this.#kind, buffered: this.#buffer.length, spooled: this.#spool?.byteLength ?? 0 }
  }

  /** Forgets the ids that came after a mark. */
  async rollBack({ count, kind, buffered, spooled }: IdMark): Promise<void> {
    this.#kind = kind
    this.#numbers.truncate(count)
    this.#ends.truncate(count)
    this.#hashes.truncate(count)
    const flushed = this.#spool !== undefined && this.#spool.byteLength > spooled
    // What was in the buffer then is in the spool now.
    if (flushed) await this.#spool!.truncate(this.#textBytes)
    this.#buffer.length = flushed ? 0 : Math.min(buffered, this.#buffer.length)
    this.#bufferBytes = this.#buffer.reduce((sum, { length }) => sum + length, 0)
  }

  /** Refuses the ids that `add` would refuse, without adding any. */
  check(ids: readonly Id[]): void {
    let kind = this.#kind
    for (const [i, id] of ids.entries()) kind = checkId(id, kind, this.#first + this.count + i)
  }

  /**
   * @param isDeleted rows whose ids may come again
   * @throws PackvecError INVALID_ARGUMENT where two rows have one id
   */
  async checkUnique(isDeleted: (row: number) => boolean = () => false): Promise<void> {
    const keys = this.#kind === 'texts' ? this.#hashes.values : this.#numbers.values
    const twice = repeated(keys.filter((_, row) => !isDeleted(row)).sort())
    const seen = new Map<Id, number>()
    for (let row = 0; twice.size > 0 && row < keys.length; row++) {
      if (isDeleted(row) || !twice.has(keys[row]!)) continue
      // Texts with one hash are compared as texts.
      const id = this.#kind === 'texts' ? await this.#text(row) : keys[row]!
      const first = seen.get(id)
      if (first !== undefined) fail('INVALID_ARGUMENT', 'ids', 'unique', `${describe(id)} at rows ${first} and ${row}`)
      seen.set(id, row)
    }
  }

  /** Writes the tensors of the ids. */
  async write(writer: IndexWriter): Promise<void> {
    if (this.#kind === 'numbers') await writer.append('ids', bytesOf(this.#numbers.values))
    if (this.#kind !== 'texts') return
    await this.#flush()
    const offsets = new Float64Array(this.#ends.length + 1)
    offsets.set(this.#ends.values, 1)
    await writer.append('keys.offsets', encodeOffsets(offsets, this.#textBytes))
    const piece = new Uint8Array(Math.min(BUFFER_BYTES, this.#textBytes))
    for (let at = 0; at < this.#textBytes; at += piece.length) {
      const part = piece.subarray(0, Math.min(piece.length, this.#textBytes - at))
      await this.#spool!.read(at, part)
      await writer.append('keys', part)
    }
  }

  async close(): Promise<void> {
    await this.#spool?.close()
  }

  get #textBytes(): number {
    return this.#ends.last ?? 0
  }

  /** Whether the buffer is full. */
  #push(id: Id): boolean {
    this.#kind = checkId(id, this.#kind, this.#first + this.count)
    if (typeof id === 'number') {
      this.#numbers.push(id)
      return false
    }
    const bytes = new TextEncoder().encode(id)
    this.#hashes.push(hashOf(bytes))
    this.#ends.push(this.#textBytes + bytes.length)
    this.#buffer.push(bytes)
    this.#bufferBytes += bytes.length
    return this.#bufferBytes >= BUFFER_BYTES || this.#buffer.length >= BUFFER_BYTES / 64
  }

  async #flush(): Promise<void> {
    this.#spool ??= await Spool.open(this.#target)
    await this.#spool.append(Buffer.concat(this.#buffer))
    this.#buffer.length = 0
    this.#bufferBytes = 0
  }

  async #text(row: number): Promise<string> {
    await this.#flush()
    return (await this.#texts(row, row + 1))[0]!
  }

  async #texts(first: number, end: number): Promise<string[]> {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
    const ends = this.#ends.values
    const begin = first === 0 ? 0 : ends[first - 1]!
    const bytes = new Uint8Array(ends[end - 1]! - begin)
    await this.#spool!.read(begin, bytes)
    return Array.from({ length: end - first }, (_, i) => {
      const from = i === 0 ? begin : ends[first + i - 1]!
      return decoder.decode(bytes.subarray(from - begin, ends[first + i]! - begin))
    })
  }
}

/** Values that stand more than once in a sorted array: the first million, one of which is enough to refuse the rest. */
function repeated(sorted: Uint32Array | Float64Array): Set<number> {
  const found = new Set<number>()
  for (let i = 1; i < sorted.length && found.size < 1 << 20; i++) {
    if (sorted[i] === sorted[i - 1]) found.add(sorted[i]!)
  }
  return found
}
