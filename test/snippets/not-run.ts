import type { Block } from './blocks.js'

/** What the pages show and the test does not run as it stands, with the reason. */
export interface NotRun {
  readonly page: string
  /** The first line of the block; in a shell block, the line that is left out, without its comment. */
  readonly line: string
  readonly reason: string
}

const BENCH = 'a measurement of minutes; test/bench.test.ts holds what it reports'
const FORMAT = 'test/format/index-format.test.ts builds this very file and compares'

/** A line that the page no longer has makes the test fail. */
export const NOT_RUN: readonly NotRun[] = [
  { page: 'README.md', line: 'npm install packvec', reason: 'npm run smoke installs the packed package' },
  {
    page: 'README.md',
    line: 'from sentence_transformers import SentenceTransformer',
    reason: 'downloads a model; the arrays of test/fixtures are such output',
  },
  { page: 'README.md', line: 'npm ci && npm run demo', reason: 'a server that runs on; test/demo opens its page' },
  { page: 'README.md', line: 'npm run demo:terminal', reason: 'a step of .ci/run' },
  { page: 'README.md', line: 'npm test', reason: 'a step of .ci/run' },
  { page: 'README.md', line: 'npm run matrix', reason: 'a step of .ci/run' },
  {
    page: 'docs/demo.md',
    line: 'packvec demo: 555 banking questions against 2915 others',
    reason: 'times of one machine; the demo verifies its own results',
  },
  { page: 'README.md', line: 'npm run bench', reason: BENCH },
  {
    page: 'docs/performance.md',
    line: 'npm i --no-save usearch simsimd edgevec',
    reason: 'downloads other packages',
  },
  {
    page: 'docs/performance.md',
    line: 'npm run bench -- --python venv/bin/python',
    reason: BENCH,
  },
  {
    page: 'docs/performance.md',
    line: 'npm run bench:browser -- chromium',
    reason: BENCH,
  },
  { page: 'docs/performance.md', line: 'npm run bench:compare -- before.json after.json', reason: BENCH },
  {
    page: 'docs/evaluation.md',
    line: 'packvec eval --data DATA --techniques all --scoring all --multipliers 1,2,4,10 -o REPORT',
    reason: 'minutes over data that are not in the repository; test/evaluation runs it over small data',
  },
  {
    page: 'docs/format.md',
    line: '{"__metadata__":{"format":"packvec-index","format_version":"1","dims":"9","rows":"2","coarse":"binary","rescore":"int8",',
    reason: FORMAT,
  },
  { page: 'docs/format.md', line: '7f 80', reason: FORMAT },
  {
    page: 'docs/format.md',
    line: 'import hashlib',
    reason: 'test/format/index-format.test.ts runs it over a file of its own',
  },
]

/** What is left to run of a block: all of it, nothing, or in a shell block some lines. */
export function toRun({ page, language, code }: Block): string {
  const lines = NOT_RUN.filter((entry) => entry.page === page).map(({ line }) => line)
  if (language !== 'sh') return lines.some((line) => code.startsWith(`${line}\n`)) ? '' : code
  const left = code.split('\n').filter((line) => !lines.includes(withoutComment(line)))
  return left.every((line) => line === '') ? '' : left.join('\n')
}

/** The lines that an entry of the list may name. */
export function namedLines({ language, code }: Block): string[] {
  const lines = code.split('\n')
  return language === 'sh' ? lines.map(withoutComment) : lines.slice(0, 1)
}

function withoutComment(line: string): string {
  return line.replace(/\s+#.*$/, '')
}
