import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as evaluation from '../../src/eval.js'
import { encodeNpy } from '../../src/formats/npy.js'
import { matrix } from '../random.js'
import type { Provocation } from './recorder.js'
import { any } from './wrong.js'

export function evaluationCalls(folder: string): Provocation[] {
  const [a, b] = [matrix(40, 8, 1), matrix(40, 8, 2)]
  const scores = Array.from({ length: 40 }, (_, i) => i)
  const sts = { kind: 'sts', a, b, scores }
  const labels = scores.map((i) => (i % 2 === 0 ? 'even' : 'odd'))
  const classes = {
    kind: 'classification',
    train: a,
    trainLabels: labels,
    test: b,
    testLabels: labels,
    samplesPerClass: 5,
    draws: 1,
  }
  const found = { kind: 'retrieval', corpus: a, queries: b }
  const evaluate =
    (task: unknown, options: object = {}) =>
    () =>
      evaluation.evaluate(any(task), { onWarning: () => {}, techniques: ['float32'], spectra: false, ...options })
  const put = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const column = Buffer.from(encodeNpy(new Float32Array(3), [3])).toString('latin1')
  writeFileSync(join(folder, 'scores.npy'), Buffer.from(column, 'latin1'))
  return [
    evaluate([]),
    evaluate(5),
    evaluate({ ...sts, kind: 'sums' }),
    evaluate({ ...sts, name: 5 }),
    evaluate({ ...sts, extra: 1 }),
    evaluate([sts, sts]),
    evaluate({ ...sts, a: [] }),
    evaluate({ ...sts, a: [[Number.NaN, 1]] }),
    evaluate({ ...sts, b: matrix(40, 7, 2) }),
    evaluate({ ...sts, b: matrix(39, 8, 2) }),
    evaluate({ ...sts, scores: 5 }),
    evaluate({ ...sts, scores: [1, 2] }),
    evaluate({ ...sts, scores: scores.map(() => 3) }),
    evaluate({ ...sts, scores: ['a', ...scores.slice(1)] }),
    evaluate({ ...sts, scores: scores.map((score) => -score), b: a }),
    evaluate({ ...classes, trainLabels: scores }),
    evaluate({ ...classes, trainLabels: labels.slice(1) }),
    evaluate({ ...classes, trainLabels: labels.map(() => 'one') }),
    evaluate({ ...classes, samplesPerClass: 25 }),
    evaluate({ ...classes, testLabels: labels.map((label, i) => (i === 3 ? 'new' : label)) }),
    evaluate({ ...classes, draws: 20_000 }),
    evaluate({ ...found, qrels: 5 }),
    evaluate({ ...found, qrels: scores.map(() => ({})) }),
    evaluate({ ...found, qrels: scores.map(() => new Map([[99, 1]])) }),
    evaluate({ ...found, qrels: scores.map(() => new Map()) }),
    evaluate({ ...found, topK: 0 }),
    evaluate(sts, { keep: 0 }),
    evaluate(sts, { scorings: [] }),
    evaluate(sts, { scorings: ['cosine'] }),
    evaluate(sts, { multipliers: [0.5] }),
    evaluate(sts, { techniques: [] }),
    evaluate(sts, { techniques: ['rotated-int5'] }),
    evaluate(sts, { techniques: 'binary' }),
    evaluate(sts, { techniques: ['binary', undefined] }),
    evaluate(sts, { spectra: 1 }),
    evaluate(sts, { calibration: { embeddings: [[1, 2]], name: 'mine' } }),
    evaluate(
      {
        ...sts,
        b: { data: a.data.map((value, i) => value + b.data[i]! * (1 - scores[i >> 3]! / 40)), dims: [40, 8] },
        scores,
      },
      { techniques: ['int8'], onWarning: undefined },
    ),
    () =>
      evaluation.spectrum([
        [0, 0],
        [0, 0],
      ]),
    () => evaluation.spectrum([]),
    () => evaluation.spectrumPlot([]),
    () => evaluation.spectrumPlot(any(5)),
    () => evaluation.pearson([1, 2], [1]),
    () => evaluation.pearson(any(5), [1]),
    () => evaluation.pearson(any(['a']), [1]),
    () => evaluation.ndcg([1], any({}), 10),
    () => evaluation.reportText(any({})),
    () => evaluation.reportText(any({ format: 'packvec-evaluation', version: 1 })),
    () => evaluation.builtInTask(any('sums'), { folder, model: 'none' }),
    () => evaluation.builtInTask('sts', any({ folder, model: 5 })),
    () => evaluation.builtInTask('sts', { folder, model: 'none' }),
    () => evaluation.readLabels(put('labels.txt', 'a\n\nb\n'), 3),
    () => evaluation.readLabels(put('labels.txt', 'a\nb\n'), 5),
    () => evaluation.readLabels(put('labels.csv', 'a,"b\n'), 2),
    () => evaluation.readLabels(join(folder, 'missing.txt'), 2),
    () => evaluation.readScores(put('scores.txt', 'one\n'), 1),
    () => evaluation.readScores(join(folder, 'scores.npy'), 2),
    () => evaluation.readQrels(put('qrels.tsv', '0\t1\n'), 2),
    () => evaluation.readQrels(put('qrels.tsv', '9\t1\t1\n'), 2),
    () => evaluation.readQrels(put('qrels.tsv', '0\tone\t1\n'), 2),
    () => evaluation.readQrels(put('qrels.tsv', '0\t1\t1\n'), 1e9),
    () => evaluation.writeReport(any({}), folder),
  ]
}
