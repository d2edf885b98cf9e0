import { Calibration } from './calibration.js'
import type { CodeStore } from './code-store.js'
import { PackvecError } from './errors.js'
import { type DecodedTensor, decodeSafetensors, encodeSafetensors, type Tensor } from './format/safetensors.js'
import { checkPrecision, codeRowBytes, isSigned, MAX_DIMS, type Precision, precisionKind } from './precision.js'
import type { Stages } from './search.js'

/** The version this build writes; it reads the same and refuses later ones. */
const FORMAT_VERSION = 1

/** What a file holds, checked: every array has the length that dims and rows say. */
export interface IndexContents {
  readonly stages: Stages
  readonly dims: number
  readonly rows: number
  readonly calibration: Calibration | undefined
  readonly codes: ReadonlyMap<Precision, Uint8Array>
}

/** One safetensors file: a tensor of codes for each precision, `ranges` with 8-bit codes, the rest as metadata. */
export function writeIndex(store: CodeStore, { coarse, rescore }: Stages): Uint8Array<ArrayBuffer> {
  const { dims, size } = store
  const tensors: Tensor[] = store.precisions.map((precision) => {
    const data = store.copyCodes(precision)
    return { name: tensorName(precision), ...tensorLayout(precision, size, dims), data }
  })
  if (store.calibration !== undefined) {
    tensors.push({ name: 'ranges', dtype: 'F32', shape: [2, dims], data: store.calibration.ranges })
  }
  const metadata = {
    format: 'packvec-index',
    format_version: String(FORMAT_VERSION),
    dims: String(dims),
    rows: String(size),
    coarse,
    rescore,
    bit_order: 'msb-first',
    ...(store.calibration === undefined ? {} : { calibration_rows: String(store.calibration.rows) }),
  }
  return encodeSafetensors(tensors, metadata) as Uint8Array<ArrayBuffer>
}

/** @throws PackvecError INVALID_FILE, or UNSUPPORTED for a later version */
export function readIndex(bytes: Uint8Array | ArrayBuffer): IndexContents {
  const { tensors, metadata } = decodeSafetensors(bytes)
  if (metadata['format'] !== 'packvec-index') {
    throw invalid(`the file must be a packvec index, its metadata has format ${metadata['format'] ?? 'missing'}`)
  }
  const version = metadata['format_version']
  if (version !== String(FORMAT_VERSION)) {
    const message = `the file has format version ${version}, this packvec reads version ${FORMAT_VERSION}`
    throw new PackvecError('UNSUPPORTED', 'bytes', message)
  }
  const dims = count(metadata, 'dims')
  const rows = count(metadata, 'rows')
  if (dims < 1 || dims > MAX_DIMS) throw invalid(`dims must be 1 to ${MAX_DIMS}, got ${dims}`)
  const stages = { coarse: precision(metadata, 'coarse'), rescore: 'none' as Precision | 'none' }
  if (metadata['rescore'] !== 'none') stages.rescore = precision(metadata, 'rescore')
  const codes = new Map<Precision, Uint8Array>()
  for (const stage of [stages.coarse, stages.rescore]) {
    if (stage === 'none') continue
    // Bits are kept as unsigned bytes, and codes of one kind once, in the precision of the first stage.
    const kind = precisionKind(stage)
    const kept = kind === 'bits' ? 'ubinary' : kind === precisionKind(stages.coarse) ? stages.coarse : stage
    const layout = tensorLayout(kept, rows, dims)
    codes.set(kept, tensor(tensors, tensorName(kept), layout.dtype, layout.shape).data)
  }
  const hasBytes = [...codes.keys()].some((kept) => precisionKind(kept) === 'bytes')
  return { stages, dims, rows, codes, calibration: hasBytes ? readRanges(tensors, metadata, dims) : undefined }
}

function readRanges(
  tensors: ReadonlyMap<string, DecodedTensor>,
  metadata: Readonly<Record<string, string>>,
  dims: number,
): Calibration {
  // A copy: the file's floats need not stand at a multiple of 4.
  const values = new Float32Array(tensor(tensors, 'ranges', 'F32', [2, dims]).data.slice().buffer)
  const min = Array.from(values.subarray(0, dims))
  const max = Array.from(values.subarray(dims))
  const rows = count(metadata, 'calibration_rows')
  return Calibration.fromJSON({ format: 'packvec-calibration', version: 1, dims, rows, min, max })
}

function tensorName(precision: Precision): string {
  return precision === 'ubinary' ? 'binary' : precision
}

function tensorLayout(precision: Precision, rows: number, dims: number): { dtype: string; shape: number[] } {
  if (precision === 'float32') return { dtype: 'F32', shape: [rows, dims] }
  return { dtype: isSigned(precision) ? 'I8' : 'U8', shape: [rows, codeRowBytes(precision, dims)] }
}

function tensor(
  tensors: ReadonlyMap<string, DecodedTensor>,
  name: string,
  dtype: string,
  shape: readonly number[],
): DecodedTensor {
  const found = tensors.get(name)
  if (found === undefined) throw invalid(`tensor ${name} is missing`)
  if (found.dtype === dtype && String(found.shape) === String(shape)) return found
  throw invalid(`tensor ${name} must be ${dtype} [${shape}], got ${found.dtype} [${found.shape}]`)
}

function count(metadata: Readonly<Record<string, string>>, key: string): number {
  const text = metadata[key]
  const value = Number(text)
  if (text === undefined || !/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw invalid(`metadata ${key} must be a whole number, got ${text ?? 'nothing'}`)
  }
  return value
}

function precision(metadata: Readonly<Record<string, string>>, key: string): Precision {
  try {
    return checkPrecision(metadata[key], `metadata ${key}`)
  } catch (cause) {
    throw invalid((cause as Error).message, { cause })
  }
}

function invalid(message: string, options?: ErrorOptions): PackvecError {
  return new PackvecError('INVALID_FILE', 'bytes', message, options)
}
