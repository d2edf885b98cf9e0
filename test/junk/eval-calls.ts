import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as evaluation from '../../src/eval.js'
import { type Call, onWarning, rows } from './calls.js'

/** Every function of `packvec/eval`. */
export async function evalCalls(folder: string): Promise<Call[]> {
  const at = (name: string) => join(folder, name)
  writeFileSync(at('labels.txt'), 'a\nb\na\nb\n')
  writeFileSync(at('scores.txt'), '1\n2\n3\n4\n')
  writeFileSync(at('qrels.tsv'), '0\t1\t1\n')
  const labels = ['a', 'b', 'a', 'b']
  const sts = {
    kind: 'sts',
    a: rows,
    b: [
      [-0.5, 1, -0.25],
      [1, 0, 0],
      [1, 0, 0],
      [0.25, 0.5, 0.75],
    ],
    scores: [1, 2, 3, 4],
  }
  const retrieval = {
    kind: 'retrieval',
    corpus: rows,
    queries: rows,
    qrels: [0, 1, 2, 3].map((row) => new Map([[row, 1]])),
    topK: 2,
  }
  const classes = {
    kind: 'classification',
    train: rows,
    trainLabels: labels,
    test: rows,
    testLabels: labels,
    samplesPerClass: 1,
    draws: 2,
  }
  const options = {
    techniques: ['binary'],
    scorings: ['symmetric'],
    multipliers: [1],
    keep: 90,
    seed: 1,
    spectra: false,
    onProgress: () => {},
    onWarning,
    calibration: { embeddings: rows, name: 'rows' },
  }
  const report = await evaluation.evaluate(
    sts as evaluation.EvaluationTask,
    { ...options, spectra: true } as evaluation.EvaluateOptions,
  )
  const run = evaluation.evaluate as Call['run']
  const calls: Call[] = [
    { name: 'evaluate', args: () => [{ ...sts }, options], run, weight: 0.3 },
    { name: 'evaluate', args: () => [{ ...retrieval }, options], run, weight: 0.3 },
    { name: 'evaluate', args: () => [{ ...classes }, options], run, weight: 0.3 },
    { name: 'builtInTask', args: () => ['sts', { folder, model: 'none' }], run: evaluation.builtInTask as Call['run'] },
    { name: 'builtInCalibration', args: () => [{ folder, model: 'none' }], run: evaluation.builtInCalibration },
    { name: 'readLabels', args: () => [at('labels.txt'), 4], run: evaluation.readLabels },
    { name: 'readScores', args: () => [at('scores.txt'), 4], run: evaluation.readScores },
    { name: 'readQrels', args: () => [at('qrels.tsv'), 4], run: evaluation.readQrels },
    { name: 'ndcg', args: () => [[1, 2], new Map([[1, 1]]), 2], run: evaluation.ndcg },
    {
      name: 'pearson',
      args: () => [
        [1, 2, 4],
        [2, 1, 3],
      ],
      run: evaluation.pearson,
    },
    {
      name: 'spearman',
      args: () => [
        [1, 2, 4],
        [2, 1, 3],
      ],
      run: evaluation.spearman,
    },
    {
      name: 'recall',
      args: () => [
        [1, 2, 4],
        [2, 1, 3],
      ],
      run: evaluation.recall,
    },
    { name: 'reportHtml', args: () => [{ ...report }], run: evaluation.reportHtml },
    { name: 'reportJson', args: () => [{ ...report }], run: evaluation.reportJson },
    { name: 'reportMarkdown', args: () => [{ ...report }], run: evaluation.reportMarkdown },
    { name: 'reportPlots', args: () => [{ ...report }], run: evaluation.reportPlots },
    { name: 'reportText', args: () => [{ ...report }], run: evaluation.reportText },
    { name: 'writeReport', args: () => [{ ...report }, at('report')], run: evaluation.writeReport, weight: 0.1 },
    { name: 'spectrum', args: () => [rows], run: evaluation.spectrum },
    { name: 'spectrumPlot', args: () => [report.spectra], run: evaluation.spectrumPlot },
    { name: 'parseTechniques', args: () => [['binary', 'all']], run: evaluation.parseTechniques },
  ]
  return calls.map((call) => ({ ...call, name: `eval ${call.name}` }))
}
