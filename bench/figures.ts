import type { Line } from './results.js'

/** One row of the figures the project set itself: a quotient of two times of one interleaved run. */
export interface Figure {
  readonly key: string
  readonly what: string
  readonly target: number
  readonly better: 'more' | 'less'
  /** Ids of lines; the figure is `over / under`, divided by `queries`. Empty where it is not a quotient of times. */
  readonly over: string
  readonly under: string
  readonly queries?: number
  /** Why the figure is missing where one of its lines is. */
  readonly needs: string
}

const NOT_RUN = 'its section did not run'
const PYTHON = 'needs --python with faiss'

function times(key: string, what: string, target: number, over: string, under: string, needs = NOT_RUN): Figure {
  return { key, what, target, better: 'more', over, under, needs }
}

export const FIGURES: readonly Figure[] = [
  times('hamming/read', 'Hamming scan, of the best read', 0.8, 'hamming.read', 'hamming.top1'),
  times('hamming-top100/read', 'Hamming scan with top 100, of the best read', 0.6, 'hamming.read', 'hamming.top100'),
  times('float32/read', 'float32 scan, of the best read', 0.8, 'float32.read', 'float32.packvec'),
  times('pack/read', 'pack bits from memory, of the best read', 0.8, 'pack.read', 'pack.packvec'),
  times('int8/read', 'int8 scan, of the best read', 0.6, 'int8.read', 'int8.packvec'),
  {
    ...times(
      'asymmetric/hamming-cache',
      'asymmetric scan / Hamming scan, time, in cache',
      1.6,
      'cache.table',
      'cache.hamming',
    ),
    better: 'less',
  },
  {
    ...times('asymmetric/hamming-memory', 'the same from memory', 1.3, 'memory.table', 'memory.hamming'),
    better: 'less',
  },
  {
    ...times(
      'asymmetric/hamming-cache-real',
      'the same in cache, real embeddings',
      1.6,
      'real-cache.table',
      'real-cache.hamming',
    ),
    better: 'less',
  },
  {
    ...times(
      'asymmetric/hamming-memory-real',
      'the same from memory, real embeddings',
      1.3,
      'real-memory.table',
      'real-memory.hamming',
    ),
    better: 'less',
  },
  times('rescored/float32', 'binary + int8 rescore, times own float32', 20, 'large.float32', 'large.rescored'),
  times('rescored/faiss-flat', 'the same, times faiss flat', 24.76, 'large.faiss-flat', 'large.rescored', PYTHON),
  times('int8/float32', 'int8, times own float32', 2.6, 'large.float32', 'large.int8'),
  times('int8/faiss-flat', 'int8, times faiss flat', 3.77, 'large.faiss-flat', 'large.int8', PYTHON),
  times('binary/faiss', 'binary, times faiss binary', 1.5, 'large.faiss-binary', 'large.binary', PYTHON),
  times('int8/faiss-sq8', 'int8, times faiss SQ8', 1.6, 'large.faiss-sq8', 'large.int8', PYTHON),
  times('float32/faiss', 'float32, times faiss flat', 1.1, 'large.faiss-flat', 'large.float32', PYTHON),
  times(
    'float32/usearch',
    'float32, times usearch (npm)',
    1.3,
    'large.usearch-f32',
    'large.float32',
    'usearch is not installed, or its section did not run',
  ),
  times(
    'int8/usearch',
    'int8, times usearch (npm)',
    1.3,
    'large.usearch-i8',
    'large.int8',
    'usearch is not installed, or its section did not run',
  ),
  {
    ...times(
      'batch64',
      'binary, batch of 64 a query / one query, time',
      0.8,
      'large-batch.binary-64',
      'large-batch.binary-1',
    ),
    better: 'less',
    queries: 64,
  },
  times(
    'workers2',
    'two workers, times one',
    1.6,
    'workers.one',
    'workers.two',
    'its section did not run, or dist/pool-worker.js is not built',
  ),
  times(
    'bucket/numpy',
    'bucketing to int8, times the numpy formula',
    3,
    'bucket-numpy.numpy',
    'bucket-numpy.packvec',
    PYTHON,
  ),
  { ...times('kernels-gzip-bytes', 'all kernels, gzip, bytes', 12_288, '', ''), better: 'less' },
]

export interface Ratios {
  /** Quotients of medians, by the keys of `FIGURES`; null where a part is missing. */
  readonly ratios: Record<string, number | null>
  /** The same of the minima. */
  readonly minRatios: Record<string, number | null>
  /** Why a ratio is null. */
  readonly missing: Record<string, string>
}

export function ratiosOf(lines: readonly Line[], kernelsGzipBytes: number | undefined): Ratios {
  const ratios: Record<string, number | null> = {}
  const minRatios: Record<string, number | null> = {}
  const missing: Record<string, string> = {}
  for (const { key, over, under, queries = 1, needs } of FIGURES) {
    const [a, b] = [over, under].map((id) => lines.find((line) => line.id === id)?.timing)
    if (over === '') ratios[key] = minRatios[key] = kernelsGzipBytes ?? null
    else ratios[key] = a && b ? round(a.median / b.median / queries) : null
    if (over !== '') minRatios[key] = a && b ? round(a.min / b.min / queries) : null
    if (ratios[key] === null) missing[key] = needs
  }
  return { ratios, minRatios, missing }
}

export function reached({ target, better }: Figure, value: number): boolean {
  return better === 'more' ? value >= target : value <= target
}

/** Rows of a table of figures. */
export function figureRows({ ratios, minRatios, missing }: Ratios): string[][] {
  return FIGURES.map((figure) => {
    const { key, what, target, better } = figure
    const value = ratios[key] ?? null
    const goal = `${better === 'more' ? 'at least' : 'at most'} ${target}`
    if (value === null) return [key, what, goal, '', '', missing[key] ?? '']
    return [key, what, goal, String(value), String(minRatios[key]), reached(figure, value) ? 'reached' : 'not reached']
  })
}

export const FIGURE_HEAD = ['key', 'what', 'goal', 'of medians', 'of minima', 'state']

function round(value: number): number {
  return Number(value.toPrecision(4))
}
