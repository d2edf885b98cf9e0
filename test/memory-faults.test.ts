import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Calibration, QuantizedEmbeddings, QuantizedIndex, SearchResult } from '../src/index.js'
import type { Moments, Rotation } from '../src/rotations.js'
import type { StoredIndex } from '../src/storage-node.js'
import { matrix, unitRows } from './random.js'

const DIMS = 48
const corpus = matrix(300, DIMS, 1)
const more = matrix(500, DIMS, 2)
const query = unitRows(1, DIMS, 3)
/** Many rows, of which many can be asked for. */
const narrow = matrix(20_000, 8, 4)
const narrowQuery = unitRows(1, 8, 5)
const quiet = { onWarning() {} }

/** The library as it is when nothing of it was used: what functions share is not opened, nothing is compiled. */
async function freshLibrary() {
  vi.resetModules()
  const parts = [import('../src/index.js'), import('../src/rotations.js'), import('../src/storage-node.js')] as const
  const [core, rotations, storage] = await Promise.all(parts)
  return { ...core, ...rotations, ...storage }
}
type Library = Awaited<ReturnType<typeof freshLibrary>>

type Constructor = 'Memory' | 'Instance' | 'Module'

const ERRORS: Readonly<Record<Constructor, readonly (() => Error)[]>> = {
  Memory: [() => new RangeError('WebAssembly.Memory(): could not allocate memory')],
  Instance: [
    () => new RangeError('WebAssembly.Instance(): Out of memory: Cannot allocate Wasm code'),
    () => new WebAssembly.LinkError('WebAssembly.Instance(): Import #0 "env"'),
  ],
  Module: [
    () => new RangeError('WebAssembly.Module(): Out of memory'),
    () => new WebAssembly.CompileError('WebAssembly.Module(): Wasm code generation disallowed by embedder'),
    () => new EvalError('Refused to compile or instantiate WebAssembly module'),
  ],
}

const originals = { Memory: WebAssembly.Memory, Instance: WebAssembly.Instance, Module: WebAssembly.Module }
const classes = WebAssembly as unknown as Record<Constructor, new (...given: unknown[]) => object>

/** Counts what is constructed, and throws at one of them. */
function failing(name: Constructor, at: number, error: () => Error): () => number {
  const Original = originals[name] as unknown as new (...given: unknown[]) => object
  let made = 0
  classes[name] = class extends Original {
    constructor(...given: unknown[]) {
      if (made++ === at) throw error()
      super(...given)
    }
  }
  return () => made
}

function restore(): void {
  Object.assign(WebAssembly, originals)
}
afterEach(restore)

/** The two backends add floats in different orders. */
const found = ({ ids, scores }: SearchResult) => ({
  ids: [...ids],
  scores: Array.from(scores, (score) => score.toFixed(5)),
})

/** Work on something that was made before the fault: what it gives, and what the thing is like afterwards. */
interface Work {
  readonly make?: (library: Library) => unknown
  readonly run: (library: Library, made: never) => unknown
  readonly state?: (made: never) => unknown
}

const stateOf = (index: QuantizedIndex) => [index.size, index.byteLength, found(index.search(query))]
const built = ({ QuantizedIndex }: Library) => QuantizedIndex.build(corpus, { ...quiet, capacity: 300 })
const saved = (library: Library) => library.encodeIndex(built(library))

const works: Record<string, Work> = {
  build: { run: (library) => found(built(library).search(query)) },
  'build with a rotation and factors': {
    make: ({ Rotation }) => Rotation.hadamard(DIMS, { seed: 1 }),
    run: ({ QuantizedIndex }, rotation: Rotation) => {
      const index = QuantizedIndex.build(corpus, { coarse: 'quaternary', scale: true, rotation, ...quiet })
      return found(index.search(query))
    },
  },
  'add, which has to grow,': {
    make: built,
    run: (_, index: QuantizedIndex) => {
      index.add(more)
      return stateOf(index)
    },
    state: stateOf,
  },
  'search, which needs more room than before,': {
    make: ({ QuantizedIndex }) => QuantizedIndex.build(narrow, { coarse: 'ubinary', rescore: 'none', ...quiet }),
    run: (_, index: QuantizedIndex) => found(index.search(narrowQuery, { topK: 20_000 })),
    state: (index: QuantizedIndex) => [index.size, index.byteLength, found(index.search(narrowQuery))],
  },
  decodeIndex: {
    make: saved,
    run: ({ decodeIndex }, bytes: Uint8Array) => found(decodeIndex(bytes).search(query)),
  },
  'openIndex with its first search': {
    make: saved,
    run: async ({ openIndex }, bytes: Uint8Array) => found(await (await openIndex(bytes)).search(query)),
  },
  'a search of an open index': {
    make: (library) => library.openIndex(saved(library)),
    run: async (_, index: StoredIndex) => found(await index.search(query, { topK: 300 })),
    state: async (index: StoredIndex) => found(await index.search(query)),
  },
  quantizeEmbeddings: { run: ({ quantizeEmbeddings }) => quantizeEmbeddings(corpus, 'int8', quiet).data },
  dequantizeEmbeddings: {
    make: ({ quantizeEmbeddings }) => quantizeEmbeddings(corpus, 'int4', quiet),
    run: ({ dequantizeEmbeddings }, codes: QuantizedEmbeddings) => dequantizeEmbeddings(codes),
  },
  semanticSearch: {
    run: ({ semanticSearch }) => found(semanticSearch(query, corpus, { precision: 'int8', ...quiet })),
  },
  'Calibration.add': {
    make: (library) => {
      const calibration = new library.Calibration(DIMS)
      return calibration
    },
    run: (_, calibration: Calibration) => {
      calibration.add(more)
      return JSON.stringify(calibration)
    },
    state: (calibration: Calibration) => calibration.rows,
  },
  'Levels.from': { run: ({ Levels }) => JSON.stringify(Levels.from(corpus, 'quaternary')) },
  transformEmbeddings: {
    make: ({ randomRotation }) => randomRotation(DIMS, { seed: 2 }),
    run: ({ transformEmbeddings }, rotation: Rotation) => transformEmbeddings(corpus, { rotation }).data,
  },
  svdRotation: { run: ({ svdRotation }) => svdRotation(corpus).matrix },
  itqRotation: { run: ({ itqRotation }) => itqRotation(corpus, { seed: 1, iterations: 2 }).matrix },
  singularValues: { run: ({ singularValues }) => singularValues(corpus) },
  'Moments.add': {
    make: ({ Moments }) => new Moments(DIMS),
    run: (_, moments: Moments) => {
      moments.add(more)
      return [moments.rows, [...moments.mean]]
    },
    state: (moments: Moments) => moments.rows,
  },
}

const cells = Object.keys(works).flatMap((work) =>
  (Object.keys(ERRORS) as Constructor[]).map((kind) => [work, kind] as const),
)

describe('a host that refuses', () => {
  it.each(cells)(
    '%s a WebAssembly.%s gets a PackvecError or the same from TypeScript, then all it asks for',
    async (name, kind) => {
      const { make = () => undefined, run, state = () => undefined } = works[name] as Work
      const { expected, count } = await measured(kind, make, run)
      for (const error of ERRORS[kind]) {
        for (let at = 0; at < count; at++) {
          const library = await freshLibrary()
          const made = (await make(library)) as never
          const before = await state(made)
          failing(kind, at, error)
          const outcome = await outcomeOf(() => run(library, made))
          restore()
          if (outcome.refused === undefined) {
            expect(outcome.value).toEqual(expected)
            continue
          }
          expect(outcome.refused).toBeInstanceOf(library.PackvecError)
          expect(['TOO_LARGE', 'UNSUPPORTED']).toContain((outcome.refused as { code: string }).code)
          expect(await state(made)).toEqual(before)
          expect(await run(library, made)).toEqual(expected)
        }
      }
    },
  )
})

/** What a host that refuses nothing gives, and how often it is asked. */
async function measured(kind: Constructor, make: NonNullable<Work['make']>, run: Work['run']) {
  const library = await freshLibrary()
  const made = (await make(library)) as never
  const count = failing(kind, -1, () => new Error('never'))
  const expected = await run(library, made)
  restore()
  return { expected, count: count() }
}

async function outcomeOf(run: () => unknown): Promise<{ value?: unknown; refused?: unknown }> {
  try {
    return { value: await run() }
  } catch (refused) {
    return { refused }
  }
}
