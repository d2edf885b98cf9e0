import { PackvecError } from '../base/errors.js'
import { floatBits } from '../base/half.js'
import type { Codebook } from '../codes/code.js'
import type { Precision } from '../codes/precision.js'
import type { Calibration } from '../codes/ranges.js'
import { codeOf } from '../codes/registry.js'
import type { Recipe } from '../search/recipe.js'
import { Rotation } from '../transform/rotation.js'
import { asFileError, type IndexHeader } from './header.js'
import { readFit, readRotation, tensorName } from './layout.js'

/** Bytes of a tensor by its name, their sum checked. */
export type TensorBytes = (name: string) => Uint8Array

/**
 * Ranges, levels and rotation of an index from the bytes of `header.small`.
 * @throws PackvecError INVALID_FILE for values that are none
 */
export function openParts(header: IndexHeader, bytes: TensorBytes): Recipe {
  return asFileError(() => {
    const { dims, inputDims, renormalize } = header
    const columns = header.columns.map(({ precision, scale }) => {
      const book = openBook(header, precision, bytes)
      const fit = codeOf(precision).books?.isWidened
        ? readFit(header.metadata, book as Calibration, header.rows)
        : undefined
      return { precision, book, scale: scale?.type, fit }
    })
    const { centred } = readRotation(header.metadata['rotation'])
    const centre = centred ? floatsOf('centre', bytes) : undefined
    const transform = { inputDims, dims, renormalize, centre, rotation: openRotation(header, bytes) }
    return { stages: header.stages, columns, transform }
  })
}

function openBook({ metadata, dims }: IndexHeader, precision: Precision, bytes: TensorBytes): Codebook | undefined {
  const floats = (name: string) => floatsOf(name, bytes)
  return codeOf(precision).books?.open(tensorName(precision), { dims, metadata, floats })
}

function openRotation({ metadata, dims, tensors }: IndexHeader, bytes: TensorBytes): Rotation | undefined {
  const { kind, centred } = readRotation(metadata['rotation'])
  if (kind === undefined) return undefined
  const seed = metadata['rotation_seed'] === undefined ? undefined : Number(metadata['rotation_seed'])
  const matrix = kind === 'hadamard' ? undefined : floatsOf('rotation', bytes)
  const centre = !centred && tensors.has('centre') ? floatsOf('centre', bytes) : undefined
  return Rotation.fromSealed({ kind, dims, seed, rank: undefined, matrix, centre })
}

/** Factors of rows from a file's bytes, as float32. @throws PackvecError INVALID_FILE where one is not finite */
export function decodeScales(bytes: Uint8Array, dtype: string, name: string): Float32Array {
  return checkFinite(decodeFloats(bytes, dtype), name)
}

/** Floats from a file's bytes, F16 or F32, as float32. */
export function decodeFloats(bytes: Uint8Array, dtype: string): Float32Array {
  if (dtype !== 'F16') return new Float32Array(copyOf(bytes))
  return new Float32Array(Uint32Array.from(new Uint16Array(copyOf(bytes)), floatBits).buffer)
}

function floatsOf(name: string, bytes: TensorBytes): Float32Array {
  return checkFinite(decodeFloats(bytes(name), 'F32'), name)
}

/** A file's floats need not stand at a multiple of 4; `slice` of a Buffer would be a view. */
function copyOf(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer
}

function checkFinite(values: Float32Array, name: string): Float32Array {
  const at = values.findIndex((value) => !Number.isFinite(value))
  if (at < 0) return values
  const message = `tensor ${name} must hold finite numbers, got ${values[at]} at ${at}`
  throw new PackvecError('INVALID_FILE', 'bytes', message)
}
