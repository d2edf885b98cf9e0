import type { RowSource } from '../rows/matrix.js'
import type { Encoder, MinMax, Rounding } from './encoder.js'
import type { Precision } from './precision.js'
import type { Percentiles, Scope } from './quantiles.js'

/** What gives codes their meaning, beyond their precision: ranges of 8-bit codes, levels of 2- and 4-bit codes. */
export interface Codebook {
  readonly dims: number
  /** What the codebook's family reads back, exactly. */
  toJSON(): object
}

/** How a per-vector scale is kept: float16 is for columns in which every factor fits one, and float32 for the others. */
export type ScaleType = 'float16' | 'float32'

/** Where rows are encoded: staged floats, and memory for the parameters of one kind of code. */
export interface Encoding {
  readonly encoder: Encoder
  /** `parameterBytes` of memory. */
  readonly parametersPtr: number
  readonly book: Codebook | undefined
  readonly rounding: Rounding
}

/** Encodes `count` staged rows from row `first` on to rows of `stride` bytes at `codesPtr`. */
export type RowEncoder = (first: number, count: number, codesPtr: number) => void

/** Decodes one row of codes (unpadded or padded, at `offset` bytes) to `target`, one float a dimension. */
export type RowDecoder = (codes: Uint8Array, offset: number, target: Float32Array) => void

/**
 * One way to write a row as bytes: what it takes, how it is made, what it means. A family of codes is a file in this folder;
 * how it is searched is a file of the same name in `search/forms/`, so that whoever only encodes carries no search.
 */
export interface Code {
  readonly name: Precision
  /** Codes of one family lie in memory in the same way and are searched by the same form: an index keeps one of each. */
  readonly family: string
  /** The code of the family that an index keeps in the place of this one; bits are kept unsigned. */
  readonly keptAs: Precision
  /** What files call the codes; bits of either sign have one name. */
  readonly savedAs: string
  /** Bits of a dimension, on average. */
  readonly bits: number
  /** The typed array that codes are given in. */
  readonly array: 'Float32Array' | 'Int8Array' | 'Uint8Array'
  /** Whether bytes are those of the unsigned code XOR 0x80. */
  readonly isSigned: boolean
  /** Dimensions that one element of the typed array stands for, where codes alone are to tell how many there are. */
  readonly dimsAnElement: number
  /** Factors of a row, where the caller asks for a scale. */
  readonly factors: 0 | 1
  /** What else codes of this precision need; undefined where they need nothing. */
  readonly books: CodebookFamily | undefined
  /** Bytes of one row as users, files and sentence-transformers see it. */
  rowBytes(dims: number, book?: Codebook): number
  /** Bytes of one row in kernel memory: whole loop steps (see `kernels.ts`), zeros behind the last dimension. */
  stride(dims: number, book?: Codebook): number
  /** Bytes of memory for what `openEncoder` hands to the kernels. */
  parameterBytes(dims: number, book?: Codebook): number
  /** `rowBytes` from a file's metadata, where the codebook, which is read later, decides. @throws PackvecError INVALID_FILE */
  savedRowBytes?(name: string, dims: number, metadata: Readonly<Record<string, string>>): number
  openEncoder(encoding: Encoding): RowEncoder
  openDecoder(book: Codebook | undefined): RowDecoder
  /** Zeroes what lies behind the last dimension, whoever packed the codes. */
  clearTail(codes: Uint8Array, stride: number, rows: number, dims: number): void
  /** The values that codes can hold, where what lies outside is cut off. */
  bounds?(book: Codebook): MinMax
  /** The share of codes that stand for the least or the greatest of these values. */
  edgeShare?(codes: Uint8Array): number
}

/** How a codebook is taken from embeddings. */
export interface FitOptions {
  readonly scope?: Scope
  readonly percentiles?: Percentiles
}

/** A small tensor of float32 that belongs to a codebook. */
export interface BookTensor {
  readonly name: string
  readonly shape: readonly number[]
}

/** What a file says of a codebook. */
export interface SavedBook {
  readonly dims: number
  readonly metadata: Readonly<Record<string, string>>
  /** The values of a tensor that `tensors` names. */
  floats(name: string): Float32Array
}

/** The codebooks of a code: where they come from, and how they are saved. */
export interface CodebookFamily {
  /** The option that gives one, and the property of quantized embeddings that carries it. */
  readonly option: 'ranges' | 'levels' | 'codebook'
  readonly property: 'calibration' | 'levels' | 'codebook'
  /** What messages call one. */
  readonly noun: string
  /** Whose values are taken together where nobody says so. */
  readonly scope: Scope
  /** Whether it may follow the rows that are added: minima and maxima of 8-bit codes widen. */
  readonly isWidened: boolean
  /** Whether a sample of the rows is enough for these options; otherwise all of them are looked at. */
  isSampled(options: FitOptions): boolean
  /** Takes one from embeddings. @throws PackvecError EMPTY, NOT_FINITE, INVALID_RANGES, INVALID_ARGUMENT */
  fit(sources: readonly RowSource[], options: FitOptions, argument: string): Codebook
  /** Takes one from all rows, batch by batch: where no sample is enough. */
  collect?(dims: number, options: FitOptions): BookCollector
  /** One from what a caller gave under `option`. @throws PackvecError INVALID_ARGUMENT, INVALID_RANGES, DIMS_MISMATCH */
  read(given: unknown, dims: number | undefined, argument: string): Codebook
  /** Whether something is one for codes of so many dimensions. @throws PackvecError INVALID_ARGUMENT, DIMS_MISMATCH */
  check(book: unknown, dims: number, argument: string): Codebook
  /** The tensors that a file has of one, and its words of metadata; `name` is that of the codes. */
  tensors(name: string, dims: number): readonly BookTensor[]
  metadata(name: string, book: Codebook): Readonly<Record<string, string>>
  /** Checks the words of a file. @throws PackvecError INVALID_ARGUMENT */
  checkMetadata(name: string, metadata: Readonly<Record<string, string>>): void
  /** The values of the tensor number `i` of `tensors`. */
  values(book: Codebook, i: number): Float32Array
  open(name: string, saved: SavedBook): Codebook
  /** Reads what the codebook's `toJSON` gave. */
  fromJSON(json: object): Codebook
}

/** Gathers a codebook over batches of rows. */
export interface BookCollector {
  add(rows: RowSource, argument: string): void
  finish(argument: string): Codebook
}
