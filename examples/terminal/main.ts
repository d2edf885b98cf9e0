import { cpus } from 'node:os'
import { backend, QuantizedIndex } from '../../src/index.js'
import { loadTextSet } from './data.js'
import { exactTopK, recall } from './exact.js'
import { clip, formatTable, median } from './table.js'

const TOP_K = 10
/** Rows of banking77_test: a refund, a PIN, a stolen phone, a lost card. */
const QUESTIONS = [29, 35, 27, 124]

type BuildOptions = NonNullable<Parameters<typeof QuantizedIndex.build>[1]>
type SearchOptions = NonNullable<Parameters<QuantizedIndex['search']>[1]>

interface Contender {
  readonly name: string
  readonly build: BuildOptions
  readonly search?: SearchOptions
  /** Recall@10 below this is a fault, not a trade. */
  readonly atLeast: number
}

const contenders: readonly Contender[] = [
  { name: 'float32, exact', build: { coarse: 'float32', rescore: 'none' }, atLeast: 0.999 },
  { name: 'int8', build: { coarse: 'int8', rescore: 'none' }, atLeast: 0.99 },
  { name: 'binary, query in bits', build: bitsOnly(), search: { scoring: 'symmetric' }, atLeast: 0.7 },
  { name: 'binary, query in floats', build: bitsOnly(), search: { scoring: 'asymmetric' }, atLeast: 0.8 },
  { name: 'binary, then int8 of the best 40', build: {}, search: { rescoreMultiplier: 4 }, atLeast: 0.95 },
]

function bitsOnly(): BuildOptions {
  return { coarse: 'binary', rescore: 'none' }
}

const corpus = loadTextSet('banking77_train')
const questions = loadTextSet('banking77_test')
const [rows, dims] = corpus.embeddings.dims
const queries = Array.from({ length: questions.texts.length }, (_, i) =>
  questions.embeddings.data.subarray(i * dims, (i + 1) * dims),
)
const exact = queries.map((query) => exactTopK(query, corpus.embeddings.data, TOP_K))

console.log(`packvec demo: ${queries.length} banking questions against ${rows} others`)
console.log(`  embeddings  ${rows} rows x ${dims} dims of all-MiniLM-L6-v2, float32, ${megabytes(4 * rows * dims)} MB`)
console.log(`  machine     ${cpus()[0]?.model.trim() ?? process.arch}, Node ${process.versions.node}, one thread`)
console.log(
  `  kernels     ${backend() === 'wasm' ? 'WebAssembly SIMD' : 'plain TypeScript (no SIMD on this machine)'}\n`,
)

const columns = ['index', 'bytes/vector', 'MB', 'smaller', 'build ms', 'search ms', `recall@${TOP_K}`]
for (const line of formatTable(columns, contenders.map(measure))) console.log(line)
console.log('\nSearch: median of all questions, one at a time, top 10. Build: from float32, the best of three.')
console.log('Recall: share of the 10 nearest by exact float32 search (a plain loop) that the index finds.\n')

const index = QuantizedIndex.build(corpus.embeddings)
for (const question of QUESTIONS) printNearest(question)

/** Builds, checks the hits against the plain loop, and only then times. */
function measure({ name, build, search = {}, atLeast }: Contender): string[] {
  const open = () => QuantizedIndex.build(corpus.embeddings, build)
  const candidate = open()
  const options = { topK: TOP_K, ...search }
  const found = queries.map((query, i) => recall(candidate.search(query, options).ids, exact[i]!.ids))
  const mean = found.reduce((sum, value) => sum + value, 0) / found.length
  if (mean < atLeast) throw new Error(`${name}: recall@${TOP_K} is ${mean.toFixed(3)}, expected ${atLeast} or more`)
  const buildMs = Math.min(...[1, 2, 3].map(() => milliseconds(open)))
  const searchMs = median(queries.map((query) => milliseconds(() => candidate.search(query, options))))
  const rowBytes = candidate.codeBytes / rows
  return [
    name,
    String(Math.round(rowBytes)),
    megabytes(candidate.codeBytes),
    `${((4 * dims) / rowBytes).toFixed(1)}x`,
    buildMs.toFixed(1),
    searchMs.toFixed(3),
    mean.toFixed(3),
  ]
}

/** The best three by bits and int8, each with its place in the exact ranking. */
function printNearest(question: number): void {
  const { ids, scores } = index.search(queries[question]!, { topK: 3 })
  console.log(`"${clip(questions.texts[question]!, 100)}"`)
  for (const [place, id] of Array.from(ids).entries()) {
    const exactPlace = exact[question]!.ids.indexOf(id) + 1
    const note = exactPlace > 0 ? `exact: ${exactPlace}` : `exact: behind ${TOP_K}`
    console.log(`  ${place + 1}. ${scores[place]!.toFixed(3)}  (${note})  ${clip(corpus.texts[id]!, 88)}`)
  }
}

function milliseconds(action: () => unknown): number {
  const start = performance.now()
  action()
  return performance.now() - start
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(2)
}
