import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

/** The cells of the first table behind a line of a page, by column and by the first cell of the row. */
function tableBehind(page: string, line: string): Map<string, Record<string, string>> {
  const text = readFileSync(page, 'utf8')
  const at = text.indexOf(`\n${line}\n`)
  if (at < 0) throw new Error(`${page} has no line ${line}`)
  const lines = text.slice(at + line.length + 2).split('\n')
  const first = lines.findIndex((each) => each.startsWith('|'))
  const length = lines.slice(first).findIndex((each) => !each.startsWith('|'))
  const [head = [], , ...rows] = lines.slice(first, first + length).map((each) => {
    return each
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim())
  })
  return new Map(rows.map((row) => [row[0]!, Object.fromEntries(row.map((cell, i) => [head[i]!, cell]))]))
}

const README = readFileSync('README.md', 'utf8')
const SEARCHES = '593,891 x 384, one query:'
const recall = (scoring: string) => tableBehind('docs/evaluation.md', `#### Banking77 retrieval: recall@10, ${scoring}`)
const times = tableBehind('docs/performance.md', SEARCHES)

/** The rows of the README's table of precisions: what they are called in docs/evaluation.md and docs/performance.md. */
const PRECISIONS = [
  ['float32', 'none', 'asymmetric', 'float32', 'float32 exact, top 100'],
  ['int8', 'none', 'asymmetric', 'int8', 'int8, top 100'],
  ['int4', 'none', 'asymmetric', 'int4+scale', undefined],
  ['quaternary', 'none', 'asymmetric', 'quaternary+scale', undefined],
  ['ternary', 'none', 'asymmetric', 'ternary+scale', undefined],
  ['binary', 'none', 'symmetric', 'binary', 'binary, top 100'],
  ['binary', 'none', 'asymmetric', 'binary', 'binary by float query, top 100'],
  ['binary', 'int8', 'symmetric', 'binary', 'binary + int8, 40 -> 10'],
  ['binary', 'int8', 'asymmetric', 'binary', 'binary by float query + int8, 40 -> 10'],
] as const

describe('the table of precisions in the README', () => {
  const rows = README.split('\n').filter((line) => /^\| `'/.test(line))

  it('has the rows that are checked', () => expect(rows).toHaveLength(PRECISIONS.length))

  it.each(PRECISIONS)("has the figures of '%s', rescored by %s, %s", (coarse, rescore, scoring, technique, search) => {
    const asked = rows.filter((row) => {
      const isAsymmetric = row.includes("scoring: 'asymmetric'")
      const [first, second] = row.split('|').slice(1)
      const same = first!.includes(`'${coarse}'`) && second!.includes(`'${rescore}'`)
      return same && (coarse !== 'binary' || isAsymmetric === (scoring === 'asymmetric'))
    })
    expect(asked).toHaveLength(1)
    const [bytes, found, ms] = asked[0]!
      .split('|')
      .slice(4)
      .map((cell) => cell.trim())
    const measured = recall(scoring).get(technique)!
    const share = Number.parseFloat(measured[rescore === 'none' ? 'code alone' : 'int8 rescores 4×']!)
    expect(bytes).toBe(measured['code bytes']! + (rescore === 'int8' ? ' + 384' : ''))
    expect(Number(found)).toBeCloseTo(share, 3)
    expect(ms).toBe(search === undefined ? '' : times.get(search)!['median ms'])
  })
})

describe('the table of times in the README', () => {
  const table = tableBehind('README.md', '593,891 x 384, one query, top 100, in milliseconds:')
  const cells = [
    ['float32, exact', 'packvec', 'float32 exact, top 100'],
    ['float32, exact', 'faiss', 'faiss IndexFlatIP, top 100'],
    ['float32, exact', 'usearch (npm)', 'usearch (npm) exact float32, top 100'],
    ['int8', 'packvec', 'int8, top 100'],
    ['int8', 'faiss', 'faiss IndexScalarQuantizer 8 bit, top 100'],
    ['int8', 'usearch (npm)', 'usearch (npm) exact int8, top 100'],
    ['binary', 'packvec', 'binary, top 100'],
    ['binary', 'faiss', 'faiss IndexBinaryFlat, top 100'],
    ['binary, then int8 of the best 400', 'packvec', 'binary + int8, 400 -> 100'],
  ] as const

  it.each(cells)('has those of %s, %s', (search, peer, row) => {
    const { 'min ms': min, 'median ms': median } = times.get(row)!
    expect(table.get(search)![peer]).toBe(`${min} / ${median}`)
  })
})

describe('the output of the demo in docs/demo.md', () => {
  // Times and the machine differ; sizes, recall and what is found do not.
  const lasting = (text: string) =>
    text
      .split('\n')
      .filter((line) => !line.startsWith('  machine'))
      .map((line) => {
        const cells = line.split(/ {2,}/)
        return cells.length === 7 ? [...cells.slice(0, 4), ...cells.slice(6)] : cells
      })

  it('is what the demo prints, but for times', () => {
    const demo = spawnSync(process.execPath, ['build/demo-terminal.mjs'], { encoding: 'utf8' })
    expect(demo.stderr).toBe('')
    const page = readFileSync('docs/demo.md', 'utf8')
    expect(lasting(demo.stdout)).toEqual(lasting(/```text\n([\s\S]*?)```/.exec(page)![1]!))
  })
})
