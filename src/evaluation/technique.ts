import { bookOf, type QuantizedEmbeddings } from '../codes/codes.js'
import { dequantizeEmbeddings } from '../codes/dequantize.js'
import type { Precision } from '../codes/precision.js'
import { type QuantizeOptions, quantizeEmbeddings } from '../codes/quantize.js'
import { codeOf, USUAL } from '../codes/registry.js'
import { QuantizedIndex } from '../search/quantized-index.js'
import { itqRotation } from '../transform/fit/itq.js'
import { Moments, type MomentsTensors } from '../transform/fit/moments.js'
import { randomRotation } from '../transform/fit/random-rotation.js'
import { svdRotation } from '../transform/fit/svd.js'
import { Rotation, type RotationTensors } from '../transform/rotation.js'
import type { Cache } from './cache.js'
import { bytesAsFloats, type FloatRows } from './floats.js'
import type { RotationName, Technique } from './technique-names.js'

/** Codes of some vectors: `rows` rows of `rowBytes`, their scale included. */
export interface EncodedRows {
  readonly rows: number
  readonly rowBytes: number
  readonly codes: QuantizedEmbeddings
}

export interface StoredCorpus {
  /** Bytes a vector that the first stage scans, and that all stages store. */
  readonly scanBytes: number
  readonly bytes: number
  readonly encodeMs: number
  search(queries: FloatRows, topK: number, multiplier: number, scoring: 'symmetric' | 'asymmetric'): FoundRows
}

/** Ids of the best rows of each query, best first. */
export interface FoundRows {
  readonly ids: readonly Uint32Array[]
  readonly searchMs: number
}

/** A technique calibrated on some embeddings: all that the evaluation asks of the library's codes and indexes. */
export interface FittedTechnique {
  readonly technique: Technique
  encode(rows: FloatRows): EncodedRows
  /** The vectors that the codes stand for, in the rotated space. */
  decode(encoded: EncodedRows): FloatRows
  /** The stored bytes read as numbers, without scales, for 'packed-bytes' scoring. */
  packed(encoded: EncodedRows): FloatRows
  /** The vectors in the space of `decode`, as floats. */
  transform(rows: FloatRows): FloatRows
  /** An index whose first stage scans these codes; int8 rescores where asked. */
  store(corpus: FloatRows, rescore: Precision | 'none'): StoredCorpus
}

/** Part of every key of the cache: to be raised by whoever changes the codes of a technique or what a task measures. */
export const RESULTS_VERSION = 1

/** A scale is kept as float16. */
const SCALE_BYTES = 2

/** Calibrates a technique; `rotation` is the one that `findRotation` gave for it. */
export function fitTechnique(
  technique: Technique,
  calibration: FloatRows,
  rotation: Rotation | undefined,
): FittedTechnique {
  const { scale } = technique
  // The sign of a stored byte changes no bit and no score; packed bytes are the unsigned ones.
  const code = codeOf(technique.code).keptAs
  const transform = (rows: FloatRows): FloatRows => (rotation === undefined ? rows : rotation.apply(tensor(rows)))
  const sample = tensor(transform(calibration))
  const quantize = (rows: FloatRows, options: QuantizeOptions) => quantizeEmbeddings(tensor(rows), code, options)
  // The ranges or levels of the sample, found once: codes carry the ones they were made with.
  const fitted = quantize(calibration, { calibrationEmbeddings: sample })
  const { books } = codeOf(code)
  const book = bookOf(fitted)
  const given = book === undefined ? {} : { [books!.option]: book }
  const options: QuantizeOptions = { ...given, scale }
  const scaleBytes = scale ? SCALE_BYTES : 0
  return {
    technique,
    encode(rows) {
      const codes = quantize(transform(rows), options)
      return { rows: codes.rows, rowBytes: codes.rowBytes + scaleBytes, codes }
    },
    decode({ codes }) {
      const { data, rows, dims } = dequantizeEmbeddings(codes)
      return { data: data as Float32Array<ArrayBuffer>, rows, dims }
    },
    packed: ({ codes }) => bytesAsFloats(codes.data as Uint8Array | Int8Array, codes.rows),
    transform,
    store(corpus, rescore) {
      const begun = performance.now()
      const index = QuantizedIndex.build(tensor(corpus), {
        coarse: code,
        rescore,
        calibrationEmbeddings: tensor(calibration),
        // Ranges are those of the rescoring codes too, which may be others.
        ...(books?.isWidened === true ? {} : given),
        ...(rotation === undefined ? {} : { rotation }),
        scale,
      })
      const encodeMs = performance.now() - begun
      const scanBytes = fitted.rowBytes + scaleBytes
      return {
        scanBytes,
        bytes: scanBytes + (rescore === 'none' ? 0 : corpus.dims + scaleBytes),
        encodeMs,
        search(queries, topK, rescoreMultiplier, scoring) {
          const start = performance.now()
          const results = index.search(tensor(queries), { topK, rescoreMultiplier, scoring })
          return { ids: results.map(({ ids }) => ids), searchMs: performance.now() - start }
        },
      }
    },
  }
}

/**
 * The rotation of a name, fitted on the sample where it depends on one; moments and decompositions come from the cache.
 */
export async function findRotation(
  name: RotationName,
  sample: FloatRows,
  seed: number,
  cache: Cache,
): Promise<Rotation | undefined> {
  const { dims, data } = sample
  if (name === 'none') return undefined
  if (name === 'hadamard') return Rotation.hadamard(dims, { seed })
  if (name === 'random') return randomRotation(dims, { seed })
  const saved = await cache.get<RotationTensors>(['rotation', RESULTS_VERSION, name, seed, dims, data], async () => {
    if (name === 'itq') return itqRotation(tensor(sample), { seed }).toTensors()
    return svdRotation(await findMoments(sample, cache)).toTensors()
  })
  return Rotation.fromTensors(saved.value)
}

async function findMoments(sample: FloatRows, cache: Cache): Promise<Moments> {
  const parts = ['moments', RESULTS_VERSION, sample.dims, sample.data]
  const saved = await cache.get<MomentsTensors>(parts, () => Moments.from(tensor(sample)).toTensors())
  return Moments.fromTensors(saved.value)
}

/** Exact nearest rows by dot product, through a float32 index. */
export function exactNearest(corpus: FloatRows, queries: FloatRows, topK: number): Uint32Array[] {
  const index = QuantizedIndex.build(tensor(corpus), { coarse: USUAL.exact })
  return index.search(tensor(queries), { topK }).map(({ ids }) => ids)
}

function tensor({ data, rows, dims }: FloatRows): { data: Float32Array; dims: [number, number] } {
  return { data, dims: [rows, dims] }
}
