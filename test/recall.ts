import { existsSync, readFileSync } from 'node:fs'
import { decodeNpy } from '../src/formats/npy.js'
import { type BuildOptions, QuantizedIndex, type SearchOptions, type SearchResult } from '../src/index.js'
import { randomSource } from './random.js'

/** Rows of float32, as the library takes them. */
export interface Rows {
  readonly data: Float32Array
  readonly dims: number[]
}

export const quiet = { onWarning: () => {} }

/** An array of examples/data: real embeddings, sorted by topic. */
export function example(name: 'train' | 'test'): Rows {
  return npy(new URL(`../examples/data/banking77_${name}.npy`, import.meta.url))
}

/**
 * The example corpus with the middles of neighbours between its first rows: 5,041 rows sorted by topic, more than an index keeps
 * as floats while it grows.
 */
export function longCorpus(): Rows {
  const rows = example('train')
  const [count, width] = [rows.dims[0]!, rows.dims[1]!]
  const data = new Float32Array(LONG_ROWS * width)
  for (let row = 0, at = 0; row < count; row++) {
    const own = rows.data.subarray(row * width, (row + 1) * width)
    data.set(own, at++ * width)
    if (row >= LONG_ROWS - count) continue
    const middle = own.map((value, d) => value + rows.data[(row + 1) * width + d]!)
    const norm = Math.hypot(...middle)
    for (const [d, value] of middle.entries()) data[at * width + d] = value / norm
    at++
  }
  return { data, dims: [LONG_ROWS, width] }
}

const LONG_ROWS = 5041

/** An array of the unabridged data, where a checkout of them lies beside the project. */
export function shared(path: string): Rows | undefined {
  const url = new URL(`../../shared/data/${path}`, import.meta.url)
  return existsSync(url) ? npy(url) : undefined
}

export function slice({ data, dims }: Rows, first: number, end: number): Rows {
  const width = dims[1]!
  return { data: data.slice(first * width, end * width), dims: [Math.min(end, dims[0]!) - first, width] }
}

/** Every `step`-th row. */
export function every({ data, dims }: Rows, step: number): Rows {
  const [rows, width] = [Math.ceil(dims[0]! / step), dims[1]!]
  const values = new Float32Array(rows * width)
  for (let i = 0; i < rows; i++) values.set(data.subarray(i * step * width, (i * step + 1) * width), i * width)
  return { data: values, dims: [rows, width] }
}

/** Every value changed by `change`, which gets the value, its row and its dimension. */
export function changed({ data, dims }: Rows, change: (value: number, row: number, d: number) => number): Rows {
  const width = dims[1]!
  return { data: data.map((value, i) => change(value, Math.floor(i / width), i % width)), dims }
}

/** Rows about `centres` points, unit length, each `spread` away; the first rows are all about the first point. */
export function mixture(rows: number, dims: number, centres: number, spread: number, seed: number): Rows {
  const random = randomSource(seed)
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  const points = Array.from({ length: centres }, () => Float32Array.from({ length: dims }, normal))
  const data = new Float32Array(rows * dims)
  for (let row = 0; row < rows; row++) {
    const point = points[Math.floor((row * centres) / rows)]!
    const vector = data.subarray(row * dims, (row + 1) * dims)
    for (let d = 0; d < dims; d++) vector[d] = point[d]! + spread * normal()
    const norm = Math.hypot(...vector)
    for (let d = 0; d < dims; d++) vector[d]! /= norm
  }
  return { data, dims: [rows, dims] }
}

/** The index of some rows, to which the others are added in batches. */
export function grown(rows: Rows, start: number, batch: number, options: BuildOptions = {}): QuantizedIndex {
  const index = QuantizedIndex.build(slice(rows, 0, start), { ...quiet, ...options })
  for (let at = start; at < rows.dims[0]!; at += batch) index.add(slice(rows, at, at + batch))
  return index
}

const truths = new WeakMap<Rows, WeakMap<Rows, SearchResult[]>>()

/** The share of the ten rows of largest dot product, by float32, that an index finds among its first ten. */
export function recall(index: Pick<QuantizedIndex, 'search'>, rows: Rows, queries: Rows, options: SearchOptions = {}) {
  return recallOf(index.search(queries, { topK: 10, ...options }), rows, queries)
}

export function recallOf(results: readonly { readonly ids: ArrayLike<number> }[], rows: Rows, queries: Rows): number {
  const known = truths.get(rows) ?? new WeakMap<Rows, SearchResult[]>()
  truths.set(rows, known)
  const truth = known.get(queries) ?? QuantizedIndex.build(rows, { coarse: 'float32' }).search(queries, { topK: 10 })
  known.set(queries, truth)
  let found = 0
  for (const [i, { ids }] of truth.entries()) {
    const right = new Set(ids)
    for (const id of Array.from(results[i]!.ids)) if (right.has(id)) found++
  }
  return found / truth.length / 10
}

function npy(url: URL): Rows {
  const { data, dims } = decodeNpy(readFileSync(url))
  return { data: Float32Array.from(data as Float32Array), dims }
}
