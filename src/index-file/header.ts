import { checkOneOf } from '../base/check.js'
import { BLOCK_BYTES, blockCount, DIGEST_BYTES, type NewHasher } from '../base/checksum.js'
import { PackvecError } from '../base/errors.js'
import { countIn, invalid } from '../base/invalid.js'
import { MAX_DIMS } from '../base/max-dims.js'
import type { ScaleType } from '../codes/code.js'
import type { Precision } from '../codes/precision.js'
import { checkPrecision, codeOf } from '../codes/registry.js'
import { parseSafetensorsHeader, type SafetensorsHeader, safetensorsDataOffset } from '../formats/safetensors.js'
import { type Stages, storedPrecisions } from '../search/stages.js'
import {
  FORMAT_VERSION,
  isKnownKey,
  MAX_HEADER_BYTES,
  ROTATIONS,
  readRotation,
  tensorLayout,
  tensorName,
} from './layout.js'
import { headerSum, headerSumAt } from './plan.js'

/** A tensor of an index file: its place in bytes from the start of the file, and the sum of its bytes. */
export interface StoredTensor {
  readonly name: string
  readonly dtype: string
  readonly shape: readonly number[]
  readonly position: number
  readonly byteLength: number
  /** SHA-256 of the whole, 64 hex digits. */
  readonly sha256: string
  /** 16 bytes for each block of 4,096; of tensors of rows only. */
  readonly digests: StoredTensor | undefined
}

/** One kind of codes in the file. */
export interface StoredColumn {
  readonly precision: Precision
  readonly codes: StoredTensor
  readonly scale: { readonly type: ScaleType; readonly tensor: StoredTensor } | undefined
}

export type StoredIdTensors =
  | { readonly kind: 'rows' }
  | { readonly kind: 'numbers'; readonly values: StoredTensor }
  | { readonly kind: 'texts'; readonly texts: StoredTensor; readonly offsets: StoredTensor }

/** What the header of an index file says, checked: every tensor has the dtype and the shape that dims and rows ask for. */
export interface IndexHeader {
  /** Bytes of the whole file, and where its tensors begin. */
  readonly byteLength: number
  readonly dataOffset: number
  readonly rows: number
  readonly dims: number
  readonly inputDims: number
  readonly renormalize: boolean
  readonly stages: Stages
  /** Coarse codes first. */
  readonly columns: readonly StoredColumn[]
  readonly ids: StoredIdTensors
  /** One bit per row, first row in the lowest bit of the first byte; undefined if no row is deleted. */
  readonly deleted: StoredTensor | undefined
  /** The tensors that `openParts` needs: ranges, levels, rotation. */
  readonly small: readonly StoredTensor[]
  /** All that packvec knows, digests too, in the order of the file. */
  readonly tensors: ReadonlyMap<string, StoredTensor>
  readonly metadata: Readonly<Record<string, string>>
  /** The part of the metadata that packvec does not know. */
  readonly ownMetadata: Readonly<Record<string, string>>
}

/** Ids are uint32. */
const MAX_ROWS = 2 ** 32 - 1

/** How long the header is, from the first 8 bytes of the file. @throws PackvecError INVALID_FILE */
export function indexHeaderBytes(prefix: Uint8Array): number {
  const bytes = asFileError(() => safetensorsDataOffset(prefix, 'an index file'))
  if (bytes <= MAX_HEADER_BYTES) return bytes
  throw invalid('bytes', `the header of an index has at most ${MAX_HEADER_BYTES} bytes, but this file says ${bytes}`)
}

/**
 * Reads and checks the header of an index file, its sum included. Nothing is allocated by what it claims.
 * @param prefix the file or its beginning, at least `indexHeaderBytes` bytes
 * @throws PackvecError INVALID_FILE, naming the tensor; UNSUPPORTED for a later version
 */
export function parseIndexHeader(prefix: Uint8Array, fileBytes: number, newHasher: NewHasher): IndexHeader {
  const headerBytes = indexHeaderBytes(prefix)
  return asFileError(() => {
    const file = parseSafetensorsHeader(prefix, fileBytes)
    checkVersion(file.metadata)
    checkHeaderSum(prefix.subarray(0, headerBytes), file.metadata, newHasher)
    return new HeaderReader(file).read(fileBytes)
  })
}

/** Makes any fault a fault of the file, no matter which part finds it. */
export function asFileError<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!(cause instanceof PackvecError) || cause.code === 'UNSUPPORTED') throw cause
    throw cause.code === 'INVALID_FILE' ? cause : invalid('bytes', cause.message, { cause })
  }
}

function checkVersion({ format, format_version: version }: Readonly<Record<string, string>>): void {
  if (format !== 'packvec-index') {
    throw invalid(
      'bytes',
      `the file is not a packvec index: its metadata ${format === undefined ? 'has no format' : `has format ${format}`}`,
    )
  }
  if (version === String(FORMAT_VERSION)) return
  const message = `the file has format version ${version}, but this packvec reads version ${FORMAT_VERSION}: update packvec`
  throw new PackvecError('UNSUPPORTED', 'bytes', message)
}

function checkHeaderSum(header: Uint8Array, { sha256 }: Readonly<Record<string, string>>, newHasher: NewHasher): void {
  const at = headerSumAt(header)
  const given = at < 0 ? undefined : new TextDecoder('latin1').decode(header.subarray(at, at + 64))
  if (given === undefined || given !== sha256)
    throw invalid('bytes', 'the header has no sum of its own (metadata sha256)')
  const found = headerSum(header, at, newHasher)
  if (found !== given) throw invalid('bytes', `the header is damaged: its SHA-256 is ${found}, but it says ${given}`)
}

class HeaderReader {
  readonly #file: SafetensorsHeader
  readonly #tensors = new Map<string, StoredTensor>()

  constructor(file: SafetensorsHeader) {
    this.#file = file
  }

  read(byteLength: number): IndexHeader {
    const { metadata, dataOffset } = this.#file
    this.#oneOf('bit_order', ['msb-first'])
    this.#oneOf('metric', ['dot'])
    this.#oneOf('checksum', ['sha256'])
    this.#oneOf('checksum_block_bytes', [String(BLOCK_BYTES)])
    const dims = this.#count('dims', 1, MAX_DIMS)
    const rows = this.#count('rows', 0, MAX_ROWS)
    const inputDims = this.#count('input_dims', dims, MAX_DIMS)
    const renormalize = this.#oneOf('renormalize', ['true', 'false']) === 'true'
    const coarse = checkPrecision(metadata['coarse'], 'metadata coarse')
    const rescore = metadata['rescore'] === 'none' ? 'none' : checkPrecision(metadata['rescore'], 'metadata rescore')
    const stages = { coarse, rescore } as const
    const kept = storedPrecisions(stages)
    const columns = kept.map((precision) => this.#column(precision, rows, dims))
    const small = [...kept.flatMap((precision) => this.#book(precision, dims)), ...this.#rotation(dims)]
    const facts = { byteLength, dataOffset, rows, dims, inputDims, renormalize, stages, columns, small }
    const deleted = this.#file.tensors.has('deleted') ? this.#rows('deleted', 'U8', [Math.ceil(rows / 8)]) : undefined
    const ownMetadata = Object.fromEntries(Object.entries(metadata).filter(([key]) => !isKnownKey(key)))
    const ids = this.#ids(rows)
    const inOrder = [...this.#tensors].sort(([, a], [, b]) => a.position - b.position)
    return { ...facts, ids, deleted, metadata, ownMetadata, tensors: new Map(inOrder) }
  }

  #column(precision: Precision, rows: number, dims: number): StoredColumn {
    const name = tensorName(precision)
    const { dtype, shape } = tensorLayout(precision, rows, this.#rowBytes(precision, dims))
    const codes = this.#rows(name, dtype, shape)
    const found = this.#file.tensors.get(`${name}.scale`)
    if (found === undefined) return { precision, codes, scale: undefined }
    const type = found.dtype === 'F16' ? 'float16' : 'float32'
    const tensor = this.#rows(`${name}.scale`, type === 'float16' ? 'F16' : 'F32', [rows])
    return { precision, codes, scale: { type, tensor } }
  }

  #book(precision: Precision, dims: number): StoredTensor[] {
    const { books } = codeOf(precision)
    if (books === undefined) return []
    const name = tensorName(precision)
    books.checkMetadata(name, this.#file.metadata)
    return books.tensors(name, dims).map((tensor) => this.#tensor(tensor.name, 'F32', tensor.shape))
  }

  #rotation(dims: number): StoredTensor[] {
    const { metadata, tensors } = this.#file
    if (metadata['rotation'] === undefined) return []
    const { kind, centred } = readRotation(this.#oneOf('rotation', ROTATIONS))
    if (metadata['rotation_seed'] !== undefined) this.#count('rotation_seed', 0, 2 ** 32 - 1)
    const matrix = kind === undefined || kind === 'hadamard' ? [] : [this.#tensor('rotation', 'F32', [dims, dims])]
    return centred || tensors.has('centre') ? [...matrix, this.#tensor('centre', 'F32', [dims])] : matrix
  }

  #ids(rows: number): StoredIdTensors {
    const { tensors } = this.#file
    if (tensors.has('ids') && tensors.has('keys'))
      throw invalid('bytes', 'the file has both ids and keys, expected only one of them')
    if (tensors.has('ids')) return { kind: 'numbers', values: this.#rows('ids', 'U32', [rows]) }
    const keys = tensors.get('keys')
    if (keys === undefined) return { kind: 'rows' }
    const offsets = tensors.get('keys.offsets')?.dtype === 'U64' ? 'U64' : 'U32'
    return {
      kind: 'texts',
      texts: this.#rows('keys', 'U8', [keys.end - keys.begin]),
      offsets: this.#rows('keys.offsets', offsets, [rows + 1]),
    }
  }

  /** Bytes of a row of codes: by the dims, or as the file says where the codebook decides. */
  #rowBytes(precision: Precision, dims: number): number {
    const code = codeOf(precision)
    return code.savedRowBytes?.(tensorName(precision), dims, this.#file.metadata) ?? code.rowBytes(dims)
  }

  /** A tensor of rows, which has digests. */
  #rows(name: string, dtype: string, shape: readonly number[]): StoredTensor {
    const tensor = this.#tensor(name, dtype, shape)
    const digests = this.#tensor(`${name}.digests`, 'U8', [blockCount(tensor.byteLength), DIGEST_BYTES])
    const whole = { ...tensor, digests }
    this.#tensors.set(name, whole)
    return whole
  }

  #tensor(name: string, dtype: string, shape: readonly number[]): StoredTensor {
    const found = this.#file.tensors.get(name)
    if (found === undefined) throw invalid('bytes', `tensor ${name} is missing`)
    if (found.dtype !== dtype || String(found.shape) !== String(shape)) {
      throw invalid('bytes', `tensor ${name} must be ${dtype} [${shape}], got ${found.dtype} [${found.shape}]`)
    }
    const sha256 = this.#file.metadata[`sha256.${name}`]
    if (sha256 === undefined || !/^[0-9a-f]{64}$/.test(sha256)) {
      throw invalid('bytes', `metadata sha256.${name} must be 64 hex digits, got ${sha256?.slice(0, 80) ?? 'nothing'}`)
    }
    const { begin, end } = found
    const position = this.#file.dataOffset + begin
    const tensor = { name, dtype, shape, position, byteLength: end - begin, sha256, digests: undefined }
    this.#tensors.set(name, tensor)
    return tensor
  }

  #oneOf(key: string, allowed: readonly string[]): string {
    return checkOneOf(this.#file.metadata[key], allowed, `metadata ${key}`)
  }

  #count(key: string, least: number, most: number): number {
    return countIn(this.#file.metadata, key, least, most)
  }
}
