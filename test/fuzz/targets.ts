import { decodeFaiss } from '../../src/formats/faiss.js'
import { decodeNpy } from '../../src/formats/npy.js'
import { decodeSafetensors } from '../../src/formats/safetensors.js'
import { Calibration, Levels, PackvecError, semanticSearch } from '../../src/index.js'
import { fileTargets } from './file-targets.js'
import { type Target, Wrong } from './fuzz.js'
import { httpTarget, manifestTarget } from './http-targets.js'
import { decodeTarget, openTarget } from './index-targets.js'
import { mutateIndex } from './mutate-index.js'
import { mutateArray, mutateJson } from './mutate-parts.js'
import { bookSeeds, codesSeeds, faissSeeds, npySeeds, safetensorsSeeds } from './seeds.js'
import { BOOK_WORDS, CODES_WORDS, FAISS_WORDS, NPY_WORDS } from './words.js'

const utf8 = new TextDecoder()

function expectLength(found: number, expected: number): void {
  if (found !== expected) throw new Wrong(`${found} values, the shape says ${expected}`)
}

const npy: Target = {
  name: 'npy',
  seeds: npySeeds,
  mutate: mutateArray(NPY_WORDS),
  run(input) {
    const { data, dims } = decodeNpy(input)
    expectLength(
      data.length,
      dims.reduce((product, length) => product * length, 1),
    )
  },
}

const faiss: Target = {
  name: 'faiss',
  seeds: faissSeeds,
  mutate: mutateArray(FAISS_WORDS),
  run(input) {
    const { data, kind, rows, dims } = decodeFaiss(input)
    expectLength(data.length, rows * (kind === 'binary' ? dims / 8 : dims))
  },
}

const safetensors: Target = {
  name: 'safetensors',
  seeds: safetensorsSeeds,
  mutate: mutateIndex,
  run(input) {
    for (const [name, { data }] of decodeSafetensors(input).tensors) {
      const inside = data.byteOffset >= input.byteOffset && data.byteOffset + data.length <= input.length
      if (data.buffer === input.buffer && !inside) throw new Wrong(`tensor ${name} reaches out of the file`)
    }
  },
}

/** Calibration and levels as JSON: what is read is written the same again. */
const books: Target = {
  name: 'books',
  seeds: bookSeeds,
  mutate: mutateJson(BOOK_WORDS),
  run(input) {
    const text = utf8.decode(input)
    const refused: PackvecError[] = []
    for (const Book of [Calibration, Levels]) {
      try {
        const written = JSON.stringify(Book.fromJSON(text))
        if (JSON.stringify(Book.fromJSON(written)) !== written)
          throw new Wrong(`${Book.name} is not read as it was written`)
      } catch (error) {
        if (!(error instanceof PackvecError)) throw error
        refused.push(error)
      }
    }
    if ('polluted' in {}) throw new Wrong('the prototype of all objects was changed')
    if (refused.length === 2) throw refused[0]
  },
}

const ARRAYS: Readonly<Record<string, (values: number[]) => ArrayLike<number>>> = {
  Uint8Array: (values) => Uint8Array.from(values),
  Int8Array: (values) => Int8Array.from(values),
  Float32Array: (values) => Float32Array.from(values),
  Float64Array: (values) => Float64Array.from(values),
}

/** Codes that a caller brings, described by JSON. */
const codes: Target = {
  name: 'codes',
  seeds: codesSeeds,
  mutate: mutateJson(CODES_WORDS),
  run(input) {
    const { type, length, query, scales, topK, options, ...described } = parsed(input)
    const arrayFrom = Object.hasOwn(ARRAYS, String(type)) ? ARRAYS[String(type)]! : (values: number[]) => values
    const data = arrayFrom(Array.from({ length: small(length) }, (_, i) => i % 100))
    const given = { ...described, data, ...(scales === undefined ? {} : { scales: new Float32Array(small(scales)) }) }
    const vector = Float32Array.from({ length: small(query) }, (_, i) => Math.sin(i + 1))
    const all = { ...(topK === undefined ? {} : { topK }), ...(options as object), onWarning() {} }
    // With `dims`, a flat query may be several rows, or none.
    const results = [semanticSearch(vector, given as never, all as never)].flat()
    for (const { ids, scores } of results) if (ids.length !== scores.length) throw new Wrong('as many ids as scores')
  },
}

function parsed(input: Uint8Array): Record<string, unknown> {
  try {
    const value = JSON.parse(utf8.decode(input))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  } catch {}
  throw new PackvecError('INVALID_ARGUMENT', 'input', 'the description is no JSON object')
}

/** The lengths of arrays are the caller's own doing. */
function small(length: unknown): number {
  return typeof length === 'number' && length >= 0 ? Math.min(Math.floor(length), 4096) : 0
}

/** Every parser that reads what others wrote, with the share of inputs that it gets. */
export const TARGETS: readonly (readonly [share: number, target: Target])[] = [
  [5, npy],
  [5, faiss],
  [5, safetensors],
  [5, books],
  [4, codes],
  [6, decodeTarget],
  [4, openTarget],
  [1, manifestTarget],
  [2, httpTarget],
  ...fileTargets,
]
