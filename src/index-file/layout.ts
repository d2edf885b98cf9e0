import { checkOneOf } from '../base/check.js'
import { BLOCK_BYTES, blockCount, DIGEST_BYTES } from '../base/checksum.js'
import { halfBits } from '../base/half.js'
import type { ScaleType } from '../codes/code.js'
import type { BookFit, CodeColumn } from '../codes/column.js'
import { layoutOf } from '../codes/column-encoder.js'
import type { Precision } from '../codes/precision.js'
import type { Calibration } from '../codes/ranges.js'
import { codeOf, precisions } from '../codes/registry.js'
import { type TensorSpec, tensorBytes } from '../formats/safetensors.js'
import type { IdsLayout } from '../rows/ids.js'
import { follows } from '../search/growth.js'
import type { Recipe } from '../search/recipe.js'
import { ROTATION_KINDS, type RotationKind } from '../transform/rotation.js'
import type { Transform } from '../transform/transform.js'

/** The version this build writes; it reads the same and refuses later ones. */
export const FORMAT_VERSION = 1
/** A header of an index is a few KB; more would be memory that a hostile file makes us take. None is written either. */
export const MAX_HEADER_BYTES = 1 << 22

/** What an index file says, beside the bytes of its rows. */
export interface IndexSpec extends Recipe {
  readonly rows: number
  readonly ids: IdsLayout
  /** Whether any row is deleted, so that the file says which. */
  readonly deleted: boolean
  /** Metadata that packvec does not know. */
  readonly metadata: Readonly<Record<string, string>>
}

/** A tensor of an index file. */
export interface IndexTensor extends TensorSpec {
  /** The bytes of small tensors: ranges, levels, rotation. */
  readonly data?: Uint8Array
  /** The tensor of rows whose blocks this tensor holds the digests of. */
  readonly digestsOf?: string
}

/**
 * The tensors of an index in the order of its file, and its metadata without sums: first what opening an index reads as a
 * whole, then what is read in parts.
 */
export function layIndex(spec: IndexSpec): { tensors: IndexTensor[]; metadata: Record<string, string> } {
  const { rows, columns } = spec
  const { dims } = spec.transform
  const [coarse = [], rescore = []] = columns.map((column): IndexTensor[] => {
    const { precision, scale } = column
    const codes = { name: tensorName(precision), ...tensorLayout(precision, rows, layoutOf(column, dims).rowBytes) }
    if (scale === undefined) return [codes]
    return [codes, { name: `${codes.name}.scale`, dtype: scaleDtype(scale), shape: [rows] }]
  })
  const small = [...columns.flatMap((column) => bookTensors(column, dims)), ...rotationTensors(spec.transform)]
  const deleted = spec.deleted ? [{ name: 'deleted', dtype: 'U8', shape: [Math.ceil(rows / 8)] }] : []
  const later = [...rescore, ...idTensors(spec.ids, rows)]
  const digests = [...coarse, ...deleted, ...later].map(digestsTensor)
  return { tensors: [...coarse, ...small, ...digests, ...deleted, ...later], metadata: metadataOf(spec) }
}

function digestsTensor(tensor: TensorSpec): IndexTensor {
  const shape = [blockCount(tensorBytes(tensor)), DIGEST_BYTES]
  return { name: `${tensor.name}.digests`, dtype: 'U8', shape, digestsOf: tensor.name }
}

function metadataOf({ stages, transform, rows, columns, metadata }: IndexSpec): Record<string, string> {
  const known: Record<string, string> = {
    format: 'packvec-index',
    format_version: String(FORMAT_VERSION),
    dims: String(transform.dims),
    rows: String(rows),
    coarse: stages.coarse,
    rescore: stages.rescore,
    metric: 'dot',
    bit_order: 'msb-first',
    input_dims: String(transform.inputDims),
    renormalize: String(transform.renormalize),
  }
  for (const column of columns) {
    const { precision, book, fit } = column
    const { books } = codeOf(precision)
    if (book === undefined) continue
    Object.assign(known, books!.metadata(tensorName(precision), book))
    if (!books!.isWidened) continue
    const said = fit !== undefined && follows(column) ? FITS[fit.scope] : FIXED
    if (said !== impliedFit(book as Calibration, rows)) known['ranges_fit'] = said
  }
  const { rotation, centre } = transform
  const kind = [...(centre === undefined ? [] : [CENTRED]), ...(rotation === undefined ? [] : [rotation.kind])].join(
    ' ',
  )
  if (kind !== '') known['rotation'] = kind
  if (rotation?.seed !== undefined) known['rotation_seed'] = String(rotation.seed)
  return { ...known, ...metadata, checksum: 'sha256', checksum_block_bytes: String(BLOCK_BYTES) }
}

/** Whether a metadata key is packvec's own: others are kept as they are. */
export function isKnownKey(key: string): boolean {
  if (KNOWN_KEYS.has(key) || key.startsWith('sha256.')) return true
  const [name, word] = key.split('.')
  return word !== undefined && precisions().some((precision) => tensorName(precision) === name)
}

const KNOWN_KEYS: ReadonlySet<string> = new Set([
  ...['format', 'format_version', 'dims', 'rows', 'coarse', 'rescore', 'metric', 'bit_order', 'input_dims'],
  ...['renormalize', 'calibration_rows', 'rotation', 'rotation_seed', 'checksum', 'checksum_block_bytes', 'sha256'],
  'ranges_fit',
])

/** The word in metadata `rotation` for a centre that is not the rotation's own: a reader that does not know it must refuse. */
const CENTRED = 'centred'

/** What metadata `rotation` may say. */
export const ROTATIONS = [...ROTATION_KINDS, CENTRED, ...ROTATION_KINDS.map((kind) => `${CENTRED} ${kind}`)]

/** Takes metadata `rotation` apart. */
export function readRotation(rotation: string | undefined): { kind: RotationKind | undefined; centred: boolean } {
  const words = rotation?.split(' ') ?? []
  return { kind: words.find((word) => word !== CENTRED) as RotationKind | undefined, centred: words[0] === CENTRED }
}

/** What `ranges_fit` says: how ranges were taken from the rows of the file itself, and so follow rows that are added. */
const FITS = { dimension: 'min-max', global: 'min-max global' } as const
const FIXED = 'fixed'

/** What is true where `ranges_fit` is missing, as in files of version 0.1.0: ranges that are of as many rows are of these. */
function impliedFit(ranges: Calibration, rows: number): string {
  if (ranges.rows !== rows) return FIXED
  const { mins, maxs } = ranges.minMax
  const isShared = mins.length > 1 && mins.every((min, d) => min === mins[0] && maxs[d] === maxs[0])
  return isShared ? FITS.global : FITS.dimension
}

/** How ranges follow the rows of their file; undefined where they are fixed. @throws PackvecError INVALID_ARGUMENT */
export function readFit(
  { ranges_fit: fit }: Readonly<Record<string, string>>,
  ranges: Calibration,
  rows: number,
): BookFit | undefined {
  const known = checkOneOf(fit ?? impliedFit(ranges, rows), [...Object.values(FITS), FIXED], 'metadata ranges_fit')
  if (known === FIXED) return undefined
  return { scope: known === FITS.global ? 'global' : 'dimension', percentiles: undefined }
}

export function tensorName(precision: Precision): string {
  return codeOf(precision).savedAs
}

export function tensorLayout(precision: Precision, rows: number, rowBytes: number): { dtype: string; shape: number[] } {
  const { array } = codeOf(precision)
  if (array === 'Float32Array') return { dtype: 'F32', shape: [rows, rowBytes / 4] }
  return { dtype: array === 'Int8Array' ? 'I8' : 'U8', shape: [rows, rowBytes] }
}

export function scaleDtype(type: ScaleType): string {
  return type === 'float16' ? 'F16' : 'F32'
}

/** Factors as a file holds them. */
export function scaleBytes(scales: Float32Array, type: ScaleType): Uint8Array {
  return bytesOf(type === 'float32' ? scales.slice() : Uint16Array.from(scales, halfBits))
}

/** The dtype of the offsets of texts that take so many bytes. */
export function offsetsDtype(byteLength: number): string {
  return byteLength >= 2 ** 32 ? 'U64' : 'U32'
}

export function bytesOf(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
}

function bookTensors({ precision, book }: CodeColumn, dims: number): IndexTensor[] {
  if (book === undefined) return []
  const books = codeOf(precision).books!
  const tensors = books.tensors(tensorName(precision), dims)
  return tensors.map(({ name, shape }, i) => floats(name, shape, books.values(book, i)))
}

function rotationTensors({ rotation, dims, centre: own }: Transform): IndexTensor[] {
  const { matrix, centre: itsOwn } = rotation?.toTensors() ?? {}
  const centre = own ?? itsOwn
  return [
    ...(matrix === undefined ? [] : [floats('rotation', [dims, dims], matrix)]),
    ...(centre === undefined ? [] : [floats('centre', [dims], centre)]),
  ]
}

function idTensors(ids: IdsLayout, rows: number): IndexTensor[] {
  if (ids.kind === 'rows') return []
  if (ids.kind === 'numbers') return [{ name: 'ids', dtype: 'U32', shape: [rows] }]
  return [
    { name: 'keys.offsets', dtype: offsetsDtype(ids.byteLength), shape: [rows + 1] },
    { name: 'keys', dtype: 'U8', shape: [ids.byteLength] },
  ]
}

function floats(name: string, shape: readonly number[], values: Float32Array): IndexTensor {
  return { name, dtype: 'F32', shape, data: bytesOf(values) }
}
