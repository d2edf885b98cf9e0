import { Calibration } from './calibration.js'
import { checkOneOf } from './check.js'
import type { CodeStore, Slot, SlotRows } from './code-store.js'
import type { Codebook, ScaleType } from './codebook.js'
import { PackvecError } from './errors.js'
import { floatBits, halfBits } from './format/half.js'
import { type DecodedTensor, decodeSafetensors, encodeSafetensors, type Tensor } from './format/safetensors.js'
import { isLevelPrecision, type LevelPrecision, Levels } from './levels.js'
import { checkPrecision, codeRowBytes, isSigned, MAX_DIMS, type Precision } from './precision.js'
import { Rotation, type RotationKind } from './rotation.js'
import { type Stages, storedPrecisions } from './stages.js'
import type { Transform } from './transform.js'

/** The version this build writes; it reads the same and refuses later ones. */
const FORMAT_VERSION = 1

/** What a file holds, checked: every array has the length that dims and rows say. */
export interface IndexContents {
  readonly stages: Stages
  readonly transform: Transform
  readonly rows: number
  readonly slots: readonly Slot[]
  readonly codes: readonly SlotRows[]
}

/** One safetensors file: codes, scales and codebooks as tensors, the rest as metadata. `docs/format.md` has the names. */
export function writeIndex(
  store: CodeStore,
  { coarse, rescore }: Stages,
  transform: Transform,
): Uint8Array<ArrayBuffer> {
  const { dims, size } = store
  const tensors: Tensor[] = []
  const metadata: Record<string, string> = {
    format: 'packvec-index',
    format_version: String(FORMAT_VERSION),
    dims: String(dims),
    rows: String(size),
    coarse,
    rescore,
    bit_order: 'msb-first',
    input_dims: String(transform.inputDims),
    renormalize: String(transform.renormalize),
  }
  for (const slot of store.spec.slots) {
    const name = tensorName(slot.precision)
    tensors.push({ name, ...tensorLayout(slot.precision, size, dims), data: store.copyCodes(slot) })
    if (slot.scale !== undefined) tensors.push(scaleTensor(name, slot.scale, store.scales(slot)!))
    if (slot.book instanceof Levels) {
      tensors.push(...levelTensors(name, slot.book))
      metadata[`${name}.scope`] = slot.book.scope
    } else if (slot.book !== undefined) {
      tensors.push({ name: 'ranges', dtype: 'F32', shape: [2, dims], data: slot.book.ranges })
      metadata['calibration_rows'] = String(slot.book.rows)
    }
  }
  const rotation = transform.rotation?.toTensors()
  if (rotation !== undefined) {
    metadata['rotation'] = rotation.kind
    if (rotation.seed !== undefined) metadata['rotation_seed'] = String(rotation.seed)
    if (rotation.matrix) tensors.push({ name: 'rotation', dtype: 'F32', shape: [dims, dims], data: rotation.matrix })
    if (rotation.centre) tensors.push({ name: 'centre', dtype: 'F32', shape: [dims], data: rotation.centre })
  }
  return encodeSafetensors(tensors, metadata) as Uint8Array<ArrayBuffer>
}

/** @throws PackvecError INVALID_FILE, or UNSUPPORTED for a later version */
export function readIndex(bytes: Uint8Array | ArrayBuffer): IndexContents {
  try {
    return readContents(bytes)
  } catch (cause) {
    if (!(cause instanceof PackvecError) || cause.code === 'UNSUPPORTED') throw cause
    // Whatever part found the fault, it is the file that is wrong.
    throw cause.code === 'INVALID_FILE' ? cause : invalid(cause.message, { cause })
  }
}

function readContents(bytes: Uint8Array | ArrayBuffer): IndexContents {
  const file = new IndexReader(bytes)
  const dims = file.count('dims')
  const rows = file.count('rows')
  const inputDims = file.count('input_dims')
  file.oneOf('bit_order', ['msb-first'])
  if (dims < 1 || dims > MAX_DIMS) throw invalid(`dims must be 1 to ${MAX_DIMS}, got ${dims}`)
  if (inputDims < dims || inputDims > MAX_DIMS)
    throw invalid(`input_dims must be ${dims} to ${MAX_DIMS}, got ${inputDims}`)
  const rescore = file.metadata['rescore'] === 'none' ? 'none' : file.precision('rescore')
  const stages = { coarse: file.precision('coarse'), rescore } as const
  const transform = {
    inputDims,
    dims,
    renormalize: file.oneOf('renormalize', ['true', 'false']) === 'true',
    rotation: file.rotation(dims),
  }
  const read = storedPrecisions(stages).map((precision) => file.slot(precision, rows, dims))
  return { stages, transform, rows, slots: read.map(({ slot }) => slot), codes: read.map(({ codes }) => codes) }
}

class IndexReader {
  readonly metadata: Readonly<Record<string, string>>
  readonly #tensors: ReadonlyMap<string, DecodedTensor>

  constructor(bytes: Uint8Array | ArrayBuffer) {
    const { tensors, metadata } = decodeSafetensors(bytes)
    this.#tensors = tensors
    this.metadata = metadata
    if (metadata['format'] !== 'packvec-index') {
      throw invalid(`the file must be a packvec index, its metadata has format ${metadata['format'] ?? 'missing'}`)
    }
    const version = metadata['format_version']
    if (version === String(FORMAT_VERSION)) return
    const message = `the file has format version ${version}, this packvec reads version ${FORMAT_VERSION}`
    throw new PackvecError('UNSUPPORTED', 'bytes', message)
  }

  slot(precision: Precision, rows: number, dims: number): { slot: Slot; codes: SlotRows } {
    const name = tensorName(precision)
    const { dtype, shape } = tensorLayout(precision, rows, dims)
    const bytes = this.#tensor(name, dtype, shape).data
    const { scale, scales } = this.#scales(name, rows)
    return { slot: { precision, book: this.#book(name, precision, dims), scale }, codes: { precision, bytes, scales } }
  }

  rotation(dims: number): Rotation | undefined {
    const kind = this.metadata['rotation']
    if (kind === undefined) return undefined
    this.oneOf('rotation', ['svd', 'hadamard', 'random', 'itq'])
    const seed = this.metadata['rotation_seed'] === undefined ? undefined : this.count('rotation_seed')
    const matrix = kind === 'hadamard' ? undefined : this.#floats('rotation', [dims, dims])
    const centre = this.#tensors.has('centre') ? this.#floats('centre', [dims]) : undefined
    return Rotation.fromTensors({ kind: kind as RotationKind, dims, seed, rank: undefined, matrix, centre })
  }

  oneOf(key: string, allowed: readonly string[]): string {
    return checkOneOf(this.metadata[key], allowed, `metadata ${key}`)
  }

  count(key: string): number {
    const text = this.metadata[key]
    const value = Number(text)
    if (text === undefined || !/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
      throw invalid(`metadata ${key} must be a whole number, got ${text ?? 'nothing'}`)
    }
    return value
  }

  precision(key: string): Precision {
    return checkPrecision(this.metadata[key], `metadata ${key}`)
  }

  #book(name: string, precision: Precision, dims: number): Codebook | undefined {
    if (isLevelPrecision(precision)) return this.#levels(name, precision, dims)
    if (precision !== 'int8' && precision !== 'uint8') return undefined
    const [min, max] = rowsOf(this.#floats('ranges', [2, dims]), dims)
    const rows = this.count('calibration_rows')
    return Calibration.fromJSON({ format: 'packvec-calibration', version: 1, dims, rows, min: min!, max: max! })
  }

  #levels(name: string, precision: LevelPrecision, dims: number): Levels {
    const { thresholds, values } = LEVEL_COUNTS[precision]
    return Levels.fromJSON({
      format: 'packvec-levels',
      version: 1,
      precision,
      scope: this.metadata[`${name}.scope`] as 'global',
      dims,
      thresholds: rowsOf(this.#floats(`${name}.thresholds`, [thresholds, dims]), dims),
      values: rowsOf(this.#floats(`${name}.levels`, [values, dims]), dims),
    })
  }

  #scales(name: string, rows: number): { scale: ScaleType | undefined; scales: Float32Array | undefined } {
    const found = this.#tensors.get(`${name}.scale`)
    if (found === undefined) return { scale: undefined, scales: undefined }
    if (found.dtype !== 'F16') return { scale: 'float32', scales: this.#floats(`${name}.scale`, [rows]) }
    const halves = new Uint16Array(this.#tensor(`${name}.scale`, 'F16', [rows]).data.slice().buffer)
    const scales = new Float32Array(Uint32Array.from(halves, floatBits).buffer)
    return { scale: 'float16', scales: checkFinite(scales, `${name}.scale`) }
  }

  #floats(name: string, shape: readonly number[]): Float32Array {
    // A copy: the file's floats need not stand at a multiple of 4.
    return checkFinite(new Float32Array(this.#tensor(name, 'F32', shape).data.slice().buffer), name)
  }

  #tensor(name: string, dtype: string, shape: readonly number[]): DecodedTensor {
    const found = this.#tensors.get(name)
    if (found === undefined) throw invalid(`tensor ${name} is missing`)
    if (found.dtype === dtype && String(found.shape) === String(shape)) return found
    throw invalid(`tensor ${name} must be ${dtype} [${shape}], got ${found.dtype} [${found.shape}]`)
  }
}

const LEVEL_COUNTS = {
  ternary: { thresholds: 2, values: 3 },
  quaternary: { thresholds: 3, values: 4 },
  int4: { thresholds: 2, values: 16 },
} as const

/** Bits are kept as unsigned bytes. */
function tensorName(precision: Precision): string {
  return precision === 'ubinary' ? 'binary' : precision
}

function tensorLayout(precision: Precision, rows: number, dims: number): { dtype: string; shape: number[] } {
  if (precision === 'float32') return { dtype: 'F32', shape: [rows, dims] }
  return { dtype: isSigned(precision) ? 'I8' : 'U8', shape: [rows, codeRowBytes(precision, dims)] }
}

function levelTensors(name: string, levels: Levels): Tensor[] {
  const matrix = (rows: readonly Float32Array[]) => ({
    dtype: 'F32',
    shape: [rows.length, levels.dims],
    data: Float32Array.from(rows.flatMap((row) => Array.from(row))),
  })
  return [
    { name: `${name}.thresholds`, ...matrix(levels.cuts) },
    { name: `${name}.levels`, ...matrix(levels.table) },
  ]
}

function scaleTensor(name: string, type: ScaleType, scales: Float32Array): Tensor {
  const shape = [scales.length]
  if (type === 'float32') return { name: `${name}.scale`, dtype: 'F32', shape, data: scales.slice() }
  return { name: `${name}.scale`, dtype: 'F16', shape, data: Uint16Array.from(scales, halfBits) }
}

function rowsOf(values: Float32Array, dims: number): number[][] {
  return Array.from({ length: values.length / dims }, (_, i) => Array.from(values.subarray(i * dims, (i + 1) * dims)))
}

function checkFinite(values: Float32Array, name: string): Float32Array {
  const at = values.findIndex((value) => !Number.isFinite(value))
  if (at < 0) return values
  throw invalid(`tensor ${name} must hold finite numbers, got ${values[at]} at ${at}`)
}

function invalid(message: string, options?: ErrorOptions): PackvecError {
  return new PackvecError('INVALID_FILE', 'bytes', message, options)
}
