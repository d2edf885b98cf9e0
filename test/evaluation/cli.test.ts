import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { EvaluationReport } from '../../src/eval.js'
import { readRecords } from '../../src/evaluation/files.js'
import { encodeNpy } from '../../src/formats/npy.js'
import { exampleRows } from '../golden.js'
import { pairs } from './setup.js'

const CLI = join(import.meta.dirname, '..', '..', 'dist', 'cli.js')
let folder = ''

function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, 'eval', ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, XDG_CACHE_HOME: join(folder, 'user-cache') },
  })
  return { status, stdout, stderr }
}

function report(name: string): EvaluationReport {
  return JSON.parse(readFileSync(join(folder, name, 'report.json'), 'utf8'))
}

/** Texts of the classes that have 8 training rows or more in the first rows of the example data: a small cut of it. */
async function cutExamples() {
  const rows = 400
  const { data } = exampleRows('banking77_train.npy', rows)
  const records = (await readRecords('examples/data/banking77_train.csv')).slice(1, rows + 1)
  const labels = records.map((record) => record[1]!)
  const counts = new Map<string, number>()
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1)
  const chosen = labels.flatMap((label, row) => (counts.get(label)! >= 10 ? [row] : []))
  const take = (ids: number[]) =>
    Float32Array.from(ids.flatMap((id) => Array.from(data.subarray(id * 384, id * 384 + 384))))
  const seen = new Map<string, number>()
  const [train, test]: [number[], number[]] = [[], []]
  for (const row of chosen) {
    const before = seen.get(labels[row]!) ?? 0
    seen.set(labels[row]!, before + 1)
    ;(before < 8 ? train : test).push(row)
  }
  for (const [name, ids] of Object.entries({ train, test })) {
    writeFileSync(join(folder, `${name}.npy`), encodeNpy(take(ids), [ids.length, 384]))
    writeFileSync(join(folder, `${name}.txt`), ids.map((id) => `${labels[id]}\n`).join(''))
  }
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'packvec-eval-'))
  await cutExamples()
  const { a, b, scores } = pairs(60, 24)
  writeFileSync(join(folder, 'a.npy'), encodeNpy(a.data, a.dims))
  writeFileSync(join(folder, 'b.npy'), encodeNpy(b.data, b.dims))
  writeFileSync(join(folder, 'scores.txt'), scores.join('\n'))
  writeFileSync(join(folder, 'holed.txt'), scores.map((score, i) => (i === 3 ? Number.NaN : score)).join('\n'))
  writeFileSync(join(folder, 'rare.txt'), 'one\n'.repeat(7))
})

afterAll(() => rmSync(folder, { recursive: true }))

const PAIRS = ['--task', 'sts', '--a', 'a.npy', '--b', 'b.npy']

describe('packvec eval', () => {
  it('measures pairs and writes the report whole: JSON, Markdown, HTML and plots', () => {
    const args = ['--scores', 'scores.txt', '--calibration', 'b.npy', '--techniques', 'float32,int8,rotated-binary']
    const { status, stdout } = run(...PAIRS, ...args, '--no-cache', '-o', 'out/sts')
    expect(status).toBe(0)
    expect(stdout).toMatch(/Recommended: the smallest setting that keeps 99 %/)
    expect(readdirSync(join(folder, 'out/sts')).sort()).toEqual(
      ['report.html', 'report.json', 'report.md', 'singular-values.svg', 'tradeoff-sts.svg'].sort(),
    )
    const { tasks, rows } = report('out/sts')
    expect(tasks[0]!.calibration).toEqual({ name: 'b.npy', rows: 60, isTestSet: false })
    expect(new Set(rows.map(({ technique }) => technique))).toEqual(new Set(['float32', 'int8', 'rotated-binary']))
  })

  it('classifies and retrieves real texts; a second run comes from the cache', () => {
    const labels = ['--train-labels', 'train.txt', '--test', 'test.npy', '--test-labels', 'test.txt']
    const classify = ['--task', 'classification', '--train', 'train.npy', ...labels]
    const common = ['--techniques', 'float32,binary', '--cache', 'cache', '--scoring', 'symmetric']
    expect(run(...classify, ...common, '-o', 'out/first')).toMatchObject({ status: 0 })
    expect(run(...classify, ...common, '-o', 'out/second')).toMatchObject({ status: 0 })
    expect(report('out/first').rows.some(({ cached }) => cached)).toBe(false)
    expect(report('out/second').rows.every(({ cached }) => cached)).toBe(true)
    const retrieve = ['--task', 'retrieval', '--corpus', 'train.npy', '--queries', 'test.npy', '--multipliers', '1,4']
    expect(run(...retrieve, ...common, '-o', 'out/third')).toMatchObject({ status: 0 })
    const found = report('out/third').rows.filter(({ technique }) => technique === 'binary')
    expect(found.map(({ multiplier, metric }) => [multiplier, metric])).toEqual([
      [1, 'recall@10'],
      [4, 'recall@10'],
    ])
    expect(found[1]!.value).toBeGreaterThan(found[0]!.value)
  })

  it('ends with 2 for wrong usage, naming what is missing', () => {
    expect(run(...PAIRS)).toEqual({ status: 2, stdout: '', stderr: 'packvec: --task sts needs --scores\n' })
    expect(run()).toMatchObject({ status: 2, stderr: expect.stringMatching(/give --task with its files, or --data/) })
    const wrong = [
      ['--multipliers', '0'],
      ['--keep', 'much'],
      ['--scoring', 'loud'],
      ['--task', 'poetry'],
      ['--seed', '-1'],
    ]
    for (const [flag, value] of wrong) expect(run(`${flag}=${value}`), flag).toMatchObject({ status: 2, stdout: '' })
  })

  it('ends with 1 and one line for input that cannot be evaluated', () => {
    const failing = [
      [[...PAIRS, '--scores', 'holed.txt'], /the score of row 3 must be a number, got "NaN"/],
      [[...PAIRS, '--scores', 'rare.txt'], /rare.txt: has 7 records, but the embeddings have 60 rows/],
      [[...PAIRS, '--scores', 'scores.txt', '--techniques', 'ternery'], /technique must be a code/],
      [[...PAIRS, '--scores', 'scores.txt', '--calibration', 'train.npy'], /384 dimensions/],
      [['--data', 'nowhere'], /stsb_test_a.npy is neither in/],
    ] as const
    for (const [args, message] of failing) {
      const { status, stdout, stderr } = run(...args, '--no-cache')
      expect({ status, stdout }, args.join(' ')).toEqual({ status: 1, stdout: '' })
      expect(stderr).toMatch(/^packvec: .*\n$/)
      expect(stderr).toMatch(message)
    }
  })
})
