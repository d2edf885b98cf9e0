import { existsSync, readFileSync } from 'node:fs'
import { decodeNpy } from '../src/formats/npy.js'

/** An array as the library takes embeddings. */
export interface GoldenArray {
  readonly data: Float32Array | Float64Array | Int8Array | Uint8Array | Int32Array
  readonly dims: number[]
}

export const CODE_PRECISIONS = ['int8', 'uint8', 'binary', 'ubinary'] as const
export type CodePrecision = (typeof CODE_PRECISIONS)[number]

/** Embeddings and the codes that a reference implementation made of them. */
export interface QuantizeCase {
  readonly name: string
  readonly embeddings: GoldenArray
  readonly ranges: GoldenArray | undefined
  readonly calibrationEmbeddings: GoldenArray | undefined
  readonly outputs: Partial<Record<CodePrecision, GoldenArray>>
}

/** Hits of a reference implementation on the corpus and the queries of `goldenSearch`. */
export interface SearchCase {
  readonly name: string
  readonly engine: 'faiss' | 'usearch'
  readonly precision: CodePrecision | 'float32'
  readonly topK: number
  readonly rescore: boolean
  readonly rescoreMultiplier: number
  /** queries x topK */
  readonly ids: GoldenArray
  readonly scores: GoldenArray
}

export interface SearchCases {
  readonly corpus: GoldenArray
  readonly queries: GoldenArray
  readonly ranges: GoldenArray | undefined
  readonly calibrationEmbeddings: GoldenArray | undefined
  readonly cases: SearchCase[]
}

/** The file `cases.json` of a golden folder; `arrays` says where each array lies in `arrays.bin`, if there is one. */
interface CasesFile {
  readonly quantize: {
    readonly name: string
    readonly embeddings: string
    readonly ranges?: string
    readonly calibration?: string
    readonly outputs: Partial<Record<CodePrecision, string>>
    readonly truncated?: Partial<Record<CodePrecision, string>>
  }[]
  readonly search: {
    readonly name: string
    readonly engine: 'faiss' | 'usearch'
    readonly precision: CodePrecision | 'float32'
    readonly top_k: number
    readonly rescore: boolean
    readonly rescore_multiplier: number
    readonly ids: string
    readonly scores: string
  }[]
  readonly arrays?: Readonly<Record<string, readonly [offset: number, bytes: number]>>
}

/** Rows of the example corpus that the search cases were made on. */
const SEARCH_ROWS = 2000

const fixtures = new URL('fixtures/', import.meta.url)
/** The unabridged outputs with whole calibration sets, where a checkout of them lies beside the project. */
const unabridged = new URL('../../shared/oracles/golden/', import.meta.url)

class GoldenFolder {
  readonly #folder: URL
  readonly #archive: Uint8Array | undefined
  readonly file: CasesFile

  constructor(folder: URL) {
    this.#folder = folder
    this.file = JSON.parse(readFileSync(new URL('cases.json', folder), 'utf8'))
    if (this.file.arrays) this.#archive = readFileSync(new URL('arrays.bin', folder))
  }

  read(name: string): GoldenArray {
    const [offset, bytes] = this.file.arrays?.[name] ?? [0, 0]
    return decodeGolden(this.#archive?.subarray(offset, offset + bytes) ?? readFileSync(new URL(name, this.#folder)))
  }

  readIfAny(name: string | undefined): GoldenArray | undefined {
    return name === undefined ? undefined : this.read(name)
  }

  readEach(names: Partial<Record<CodePrecision, string>>): Partial<Record<CodePrecision, GoldenArray>> {
    return Object.fromEntries(Object.entries(names).map(([precision, name]) => [precision, this.read(name)]))
  }
}

/** `decodeNpy` reads what embeddings and codes come as; the ids of the search cases are int32, as wide as float32. */
function decodeGolden(file: Uint8Array): GoldenArray {
  const header = Buffer.from(file.subarray(0, 128)).toString('latin1')
  const at = header.indexOf("'<i4'")
  if (at < 0) return decodeNpy(file)
  const asFloats = Uint8Array.from(file)
  asFloats[at + 2] = 'f'.charCodeAt(0)
  const { data, dims } = decodeNpy(asFloats)
  return { data: new Int32Array(data.buffer), dims }
}

function openGolden(): GoldenFolder {
  return new GoldenFolder(existsSync(new URL('cases.json', unabridged)) ? unabridged : fixtures)
}

/** Every quantize case, each with the codes of all four precisions. */
export function goldenCases(golden = openGolden()): QuantizeCase[] {
  return golden.file.quantize.map((entry) => ({
    name: entry.name,
    embeddings: golden.read(entry.embeddings),
    ranges: golden.readIfAny(entry.ranges),
    calibrationEmbeddings: golden.readIfAny(entry.calibration),
    outputs: golden.readEach(entry.outputs),
  }))
}

/** The fixtures, whose outputs are the codes of sentence-transformers up to 5.6: int8 and uint8 only. */
export function truncatedCases(): QuantizeCase[] {
  const golden = new GoldenFolder(fixtures)
  const cases = goldenCases(golden).map((entry, i) => {
    const { truncated } = golden.file.quantize[i]!
    return truncated && { ...entry, outputs: golden.readEach(truncated) }
  })
  return cases.filter((entry) => entry !== undefined)
}

/** Every search case, with the corpus, the queries and the calibration they share. */
export function goldenSearch(): SearchCases {
  const golden = openGolden()
  const packed = golden.file.arrays !== undefined
  return {
    corpus: packed ? exampleRows('banking77_train.npy', SEARCH_ROWS) : golden.read('real.corpus.npy'),
    queries: golden.read('real.queries.npy'),
    ranges: packed ? golden.read('real.ranges.npy') : undefined,
    calibrationEmbeddings: packed ? undefined : golden.read('real.calibration.npy'),
    cases: golden.file.search.map((entry) => ({
      name: entry.name,
      engine: entry.engine,
      precision: entry.precision,
      topK: entry.top_k,
      rescore: entry.rescore,
      rescoreMultiplier: entry.rescore_multiplier,
      ids: golden.read(entry.ids),
      scores: golden.read(entry.scores),
    })),
  }
}

/** The first rows of an array of examples/data. */
export function exampleRows(name: string, rows: number): GoldenArray {
  const { data, dims } = decodeNpy(readFileSync(new URL(`../examples/data/${name}`, import.meta.url)))
  const width = dims[1]!
  return { data: data.subarray(0, rows * width), dims: [rows, width] }
}
