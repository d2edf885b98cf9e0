/** What the user calls the rows of one shard. */
export interface RowNames {
  readonly kind: 'rows' | 'numbers' | 'texts'
  /** The numbers of rows, if the user numbered them. */
  numbers?(rows: Uint32Array): Uint32Array
  /** The texts of rows, if they have texts. */
  texts?(rows: Uint32Array, signal: AbortSignal | undefined): Promise<string[]>
  /** All names in the order of rows, for a look-up. */
  all(signal: AbortSignal | undefined): Promise<Uint32Array | string[]>
}

export const ROW_NUMBERS: RowNames = { kind: 'rows', all: async () => new Uint32Array(0) }

export function numberNames(values: Uint32Array): RowNames {
  return { kind: 'numbers', numbers: (rows) => rows.map((row) => values[row]!), all: async () => values }
}

/**
 * Texts, read with the results that need them: they may be as large as the codes. Where they begin is in memory, or each
 * text would cost two round trips.
 */
export function textNames(offsets: ArrayLike<number>, texts: TextBytes): RowNames {
  const partOf = (row: number) => ({ at: offsets[row]!, length: offsets[row + 1]! - offsets[row]! })
  const read = (loaded: CopyBytes, row: number) => {
    const { at, length } = partOf(row)
    const bytes = new Uint8Array(length)
    loaded.copy(at, length, bytes, 0)
    return decodeText(bytes)
  }
  return {
    kind: 'texts',
    async texts(rows, signal) {
      const loaded = await texts.load(Array.from(rows, partOf), signal)
      return Array.from(rows, (row) => read(loaded, row))
    },
    async all(signal) {
      const names: string[] = []
      const rows = offsets.length - 1
      // A stretch at a time: the blocks of all texts at once would be a second copy of them.
      for (let first = 0; first < rows; first += STRETCH_ROWS) {
        const end = Math.min(first + STRETCH_ROWS, rows)
        const whole = { at: offsets[first]!, length: offsets[end]! - offsets[first]! }
        const loaded = await texts.load([whole], signal)
        for (let row = first; row < end; row++) names.push(read(loaded, row))
      }
      return names
    },
  }
}

/** A part of some bytes. */
export interface Part {
  readonly at: number
  readonly length: number
}

/** Bytes that can be copied. */
export interface CopyBytes {
  copy(at: number, length: number, target: Uint8Array, to: number): void
}

/** The bytes of all texts, wherever they are. */
export interface TextBytes {
  load(parts: Iterable<Part>, signal: AbortSignal | undefined): Promise<CopyBytes>
}

/** Texts that are in memory. */
export function textsInMemory(bytes: Uint8Array): TextBytes {
  const copy: CopyBytes['copy'] = (at, length, target, to) => target.set(bytes.subarray(at, at + length), to)
  return { load: async () => ({ copy }) }
}

// Without ignoreBOM, a text that begins with U+FEFF would lose it.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** A text from its bytes; invalid UTF-8 becomes U+FFFD. */
export function decodeText(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}

const STRETCH_ROWS = 8192
