import { describe, expect, it } from 'vitest'
import { type EvaluationRow, evaluate, parseTechniques } from '../../src/eval.js'
import { thrownBy } from '../random.js'
import { classification, pairs, rejection, retrieval, tensor } from './setup.js'

const quiet = { spectra: false, onWarning: () => {} }
const sample = { embeddings: tensor(400, 16, 9), name: 'a sample' }

function find(rows: readonly EvaluationRow[], wanted: Partial<EvaluationRow>): EvaluationRow {
  const found = rows.filter((row) =>
    Object.entries(wanted).every(([key, value]) => row[key as keyof EvaluationRow] === value),
  )
  expect(found, JSON.stringify(wanted)).toHaveLength(1)
  return found[0]!
}

describe('evaluate', () => {
  it('gives sts rows for every technique and scoring, retention relative to float32', async () => {
    const options = { ...quiet, calibration: sample, techniques: ['float32', 'int8', 'rotated-binary'] }
    const { rows, tasks } = await evaluate(pairs(200, 16), options)
    expect(rows).toHaveLength(3 * 2 * 2)
    const float = find(rows, { technique: 'float32', scoring: 'symmetric', metric: 'spearman' })
    const binary = find(rows, { technique: 'rotated-binary', scoring: 'symmetric', metric: 'spearman' })
    expect(float).toMatchObject({ retention: 100, bytes: 64, sizeMultiplier: 1, rotation: 'none', multiplier: 1 })
    expect(binary).toMatchObject({ rotation: 'svd', bytes: 2, sizeMultiplier: 32, rescore: 'none', cached: false })
    expect(binary.retention).toBeCloseTo((100 * binary.value) / float.value, 9)
    expect(tasks[0]!.calibration).toEqual({ name: 'a sample', rows: 400, isTestSet: false })
  })

  it('compares retrieval with exact neighbours; int8 rescoring adds its bytes and brings rows back', async () => {
    const options = { ...quiet, calibration: sample, techniques: ['binary', 'int8'], multipliers: [1, 4] }
    const { rows } = await evaluate(retrieval(), options)
    const alone = find(rows, { technique: 'binary', scoring: 'symmetric', multiplier: 1 })
    const rescored = find(rows, { technique: 'binary', scoring: 'symmetric', multiplier: 4 })
    expect(alone).toMatchObject({ metric: 'recall@10', rescore: 'none', bytes: 2, scanBytes: 2 })
    expect(rescored).toMatchObject({ rescore: 'int8', bytes: 18, scanBytes: 2 })
    expect(rescored.value).toBeGreaterThan(alone.value)
    expect(rows.filter(({ technique }) => technique === 'int8').map(({ multiplier }) => multiplier)).toEqual([1, 1])
  })

  it('adds nDCG where relevance is given, and leaves out queries without a relevant row', async () => {
    const relevant = Array.from({ length: 60 }, (_, row): [number, number] => [row, 1])
    const qrels = Array.from({ length: 20 }, (_, query) => new Map(query === 0 ? [] : relevant))
    const { rows, tasks } = await evaluate({ ...retrieval(), qrels }, { ...quiet, techniques: ['float32', 'binary'] })
    expect(tasks[0]!.counts).toEqual({ corpus: 300, queries: 20, graded: 19 })
    expect(new Set(rows.map(({ metric }) => metric))).toEqual(new Set(['recall@10', 'ndcg@10']))
  })

  it('classifies with a deviation over the draws, and by neighbours; the same seed gives the same rows', async () => {
    const options = { ...quiet, techniques: ['float32', 'ternary'], scorings: ['symmetric'] as const }
    const first = await evaluate(classification(), options)
    const again = await evaluate(classification(), options)
    const values = (rows: readonly EvaluationRow[]) => rows.map(({ value }) => value)
    expect(values(again.rows)).toEqual(values(first.rows))
    expect(find(first.rows, { technique: 'float32', metric: 'accuracy' })).toMatchObject({
      deviation: expect.any(Number),
    })
    expect(find(first.rows, { technique: 'ternary', metric: 'knn-accuracy' }).value).toBeGreaterThan(0.3)
    expect(values((await evaluate(classification(), { ...options, seed: 1 })).rows)).not.toEqual(values(first.rows))
  })

  it('scores packed bytes only where asked, and never recommends them', async () => {
    const options = { ...quiet, techniques: ['binary'], scorings: ['packed-bytes'] as const, keep: 1 }
    const { rows, recommendations } = await evaluate(pairs(200, 16), options)
    expect(rows.map(({ scoring }) => scoring)).toEqual(['packed-bytes', 'packed-bytes'])
    expect(recommendations[0]!.row).toBeUndefined()
  })

  it('recommends the smallest setting that keeps enough: for each task, and for all together', async () => {
    const options = { ...quiet, calibration: { ...sample, embeddings: tensor(400, 12, 9) } }
    const tasks = [pairs(200, 12), classification()]
    const techniques = ['int8', 'int4', 'binary']
    const { recommendations, rows } = await evaluate(tasks, { ...options, techniques, keep: 97 })
    expect(recommendations.map(({ task }) => task)).toEqual(['sts', 'classification', 'all tasks'])
    for (const { task, metric, row } of recommendations.slice(0, 2)) {
      expect(row!.retention).toBeGreaterThanOrEqual(97)
      const smaller = rows.filter((other) => other.task === task && other.metric === metric && other.bytes < row!.bytes)
      for (const { retention } of smaller) expect(retention).toBeLessThan(97)
    }
  })

  it('warns of calibration on the test set, and of fewer calibration rows than dims, whose rank it tells', async () => {
    const { warnings } = await evaluate(pairs(60, 16), { ...quiet, techniques: ['int8'] })
    expect(warnings).toEqual([expect.stringMatching(/^task sts is calibrated on the pairs themselves/)])
    const calibration = { embeddings: tensor(9, 16, 9), name: 'nine rows' }
    const few = await evaluate(pairs(60, 16), { ...quiet, calibration, techniques: ['rotated-int8'] })
    expect(few.warnings).toEqual([
      expect.stringMatching(/^nine rows has 9 rows for 16 dimensions: its rank is at most 9/),
    ])
  })
})

describe('evaluate refuses', () => {
  const run = (task: Parameters<typeof evaluate>[0], options = {}) => {
    return rejection(evaluate(task, { ...quiet, techniques: ['binary'], ...options }))
  }

  it('scores and labels that do not match the rows, with both numbers', async () => {
    const short = { ...pairs(20, 8), scores: [1, 2, 3] }
    expect((await run(short)).message).toBe('scores has 3 entries, a has 20 rows')
    const few = { ...classification(), testLabels: ['class 0'] }
    expect((await run(few)).message).toBe('testLabels has 1 entries, test has 120 rows')
  })

  it('scores that are no numbers or all the same', async () => {
    const task = pairs(20, 8)
    const holed = { ...task, scores: task.scores.map((score, i) => (i === 7 ? Number.NaN : score)) }
    expect((await run(holed)).message).toBe('scores must be finite numbers, got NaN for pair 7')
    const same = { ...task, scores: task.scores.map(() => 3) }
    expect(await run(same)).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'scores' })
  })

  it('a class with fewer rows than a draw takes, naming class and count', async () => {
    const task = classification()
    const trainLabels = task.trainLabels.map((label, i) => (i < 5 ? 'rare' : label))
    const { code, message } = await run({ ...task, trainLabels })
    expect(code).toBe('INVALID_ARGUMENT')
    expect(message).toBe('class "rare" has 5 training rows, a draw takes 8 of each class: lower samplesPerClass')
  })

  it('a test label that no training row has, and a single class', async () => {
    const task = classification()
    const testLabels = task.testLabels.map((label, i) => (i === 3 ? 'unheard of' : label))
    expect((await run({ ...task, testLabels })).message).toMatch(/the label "unheard of" of test row 3$/)
    const trainLabels = task.trainLabels.map(() => 'one')
    expect((await run({ ...task, trainLabels })).message).toMatch(/at least 2 classes, got 1/)
  })

  it('constant embeddings, which score nothing as float32 either', async () => {
    const constant = { data: new Float32Array(160).fill(0.5), dims: [20, 8] }
    const { code, message } = await run({ ...pairs(20, 8), a: constant, b: constant })
    expect(code).toBe('INVALID_ARGUMENT')
    expect(message).toMatch(/float32 embeddings give spearman 0/)
  })

  it('ragged rows, other widths, relevance of rows that are not there', async () => {
    const ragged = [Float32Array.of(1, 2), Float32Array.of(1)]
    expect(await run({ ...pairs(20, 8), a: ragged })).toMatchObject({ code: 'RAGGED_ROWS' })
    expect(await run({ ...retrieval(), queries: tensor(3, 8, 1) })).toMatchObject({ code: 'DIMS_MISMATCH' })
    const qrels = Array.from({ length: 20 }, () => new Map([[300, 1]]))
    expect((await run({ ...retrieval(), qrels })).message).toMatch(/corpus rows 0 to 299 by numbers, got row 300/)
    const calibration = { embeddings: tensor(50, 8, 1), name: 'narrow' }
    expect(await run(retrieval(), { calibration })).toMatchObject({ code: 'DIMS_MISMATCH' })
  })

  it('techniques, scorings and shares that it does not know', async () => {
    for (const name of ['ternery', 'svd-', 'spun-binary', '', 'binary+sale']) {
      expect(
        thrownBy(() => parseTechniques([name])),
        name,
      ).toMatchObject({ code: 'INVALID_ARGUMENT' })
    }
    expect(await run(pairs(20, 8), { scorings: ['sideways'] })).toMatchObject({ argument: 'scorings' })
    expect(await run(pairs(20, 8), { keep: 101 })).toMatchObject({ argument: 'keep' })
    expect(await run(pairs(20, 8), { multipliers: [0] })).toMatchObject({ argument: 'multipliers' })
  })
})
