import { publishedComparison } from './published.js'
import { recallPlot } from './recall-plot.js'
import { isSetting } from './recommend.js'
import { spectrumPlot } from './spectrum-plot.js'
import { tradeoffPlot } from './tradeoff-plot.js'
import type { EvaluationReport, EvaluationRow, Recommendation, TaskSummary } from './types.js'

/** A report as pieces that each writer shows in its own way. Numbers stand right, columns named in `left` left. */
export type Block =
  | { readonly kind: 'heading'; readonly level: 1 | 2 | 3; readonly text: string }
  | { readonly kind: 'paragraph'; readonly text: string }
  | { readonly kind: 'table'; readonly header: readonly string[]; readonly rows: readonly (readonly string[])[] }
  | { readonly kind: 'plot'; readonly name: string; readonly title: string; readonly svg: string }

const LISTED = 10

/** The whole report: recommendation first, then each task, then the singular values. */
export function documentOf(report: EvaluationReport): Block[] {
  return [
    heading(1, 'How small can these embeddings be?'),
    ...recommendationBlocks(report),
    ...report.warnings.map((warning) => paragraph(`Warning: ${warning}.`)),
    ...report.tasks.flatMap((task) => taskBlocks(report, task)),
    ...publishedBlocks(report),
    ...spectrumBlocks(report),
    heading(2, 'How to read this'),
    paragraph(
      'Retention is the result in percent of the float32 result. Bytes are those of all stages: the code, its ' +
        'scale, and the int8 code that rescores where the multiplier is above 1. Symmetric scoring compares codes ' +
        'with codes, asymmetric scoring the float query with codes. Times are of one run: they tell an order of ' +
        'magnitude.',
    ),
  ]
}

function recommendationBlocks({ keep, recommendations }: EvaluationReport): Block[] {
  const rows = recommendations.map((recommendation) => {
    const { task, metric, row, retention } = recommendation
    if (row === undefined) return [task, metric, 'float32: no setting keeps enough', '', '', '']
    return [task, metric, settingName(row), number(row.bytes, 1), times(row.sizeMultiplier), percent(retention!)]
  })
  return [
    heading(2, `Recommended: the smallest setting that keeps ${keep} %`),
    ...recommendations.slice(-1).map((last) => paragraph(sentenceOf(last, keep))),
    { kind: 'table', header: ['task', 'metric', 'setting', 'bytes', 'smaller', 'kept'], rows },
  ]
}

function sentenceOf({ task, metric, row, retention }: Recommendation, keep: number): string {
  const where = task === 'all tasks' ? `on every task, by ${metric}` : `of ${metric} on ${task}`
  if (row === undefined)
    return `No setting that was measured keeps ${keep} % ${where}: stay with float32 or ask for less.`
  const bytes = `${number(row.bytes, 1)} bytes a vector, ${times(row.sizeMultiplier)} smaller`
  return `Take ${settingName(row)}: ${bytes}, it keeps ${percent(retention!)} or more ${where}.`
}

function taskBlocks(report: EvaluationReport, task: TaskSummary): Block[] {
  const counts = Object.entries(task.counts).map(([name, count]) => `${name} ${count.toLocaleString('en-US')}`)
  const { calibration } = task
  return [
    heading(2, task.name),
    paragraph(
      `${task.kind}; ${counts.join(', ')}; ${task.dims} dimensions. Calibrated on ${calibration.name}, ` +
        `${calibration.rows.toLocaleString('en-US')} rows${calibration.isTestSet ? ' (the test set itself)' : ''}.`,
    ),
    plot(report, task, 'tradeoff'),
    ...(task.kind === 'retrieval' ? [plot(report, task, 'recall')] : []),
    ...task.metrics.flatMap((metric) => retentionTables(report, task, metric)),
    ...extremes(report, task),
  ]
}

function plot(report: EvaluationReport, task: TaskSummary, kind: 'tradeoff' | 'recall'): Block {
  const svg = kind === 'tradeoff' ? tradeoffPlot(report, task) : recallPlot(report, task)
  const title = kind === 'tradeoff' ? 'size against retention' : 'recall against bytes'
  return { kind: 'plot', name: `${kind}-${fileName(task.name)}`, title: `${task.name}: ${title}`, svg }
}

/** One table of all scorings; one a scoring where each has several multipliers, so that tables stay narrow. */
function retentionTables(report: EvaluationReport, task: TaskSummary, metric: string): Block[] {
  const rows = report.rows.filter((row) => row.task === task.name && row.metric === metric)
  const title = `${task.name}: ${metric}`
  if (rows.every(({ multiplier }) => multiplier === 1)) return [heading(3, title), retentionTable(rows, task)]
  return [...new Set(rows.map(({ scoring }) => scoring))].flatMap((scoring) => {
    const own = rows.filter((row) => row.scoring === scoring)
    return [heading(3, `${title}, ${scoring}`), retentionTable(own, task)]
  })
}

/** Techniques down, scorings or multipliers across. */
function retentionTable(rows: readonly EvaluationRow[], task: TaskSummary): Block {
  const several = new Set(rows.map(({ scoring }) => scoring)).size > 1
  const columnName = ({ scoring, multiplier }: EvaluationRow) => {
    if (several) return scoring
    return multiplier === 1 ? 'code alone' : `int8 rescores ${multiplier}×`
  }
  const columns = [...new Set([...rows].sort((a, b) => a.multiplier - b.multiplier).map(columnName))]
  const techniques = [...new Set(rows.map(({ technique }) => technique))]
  const lines = techniques.map((technique) => {
    const own = rows.filter((row) => row.technique === technique)
    const { scanBytes } = own[0]!
    const cells = columns.map((column) => {
      const row = own.find((candidate) => columnName(candidate) === column)
      return row === undefined ? '' : cell(row)
    })
    return [technique, number(scanBytes, 1), times((4 * task.dims) / scanBytes), ...cells]
  })
  return { kind: 'table', header: ['technique', 'code bytes', 'smaller', ...columns], rows: lines }
}

function cell({ value, deviation, retention }: EvaluationRow): string {
  const spread = deviation === undefined ? '' : ` ±${number(100 * deviation, 1)}`
  return `${value.toFixed(4)}${spread} (${percent(retention)})`
}

/** The ten settings that keep most and the ten that keep least, by the decisive metric. */
function extremes(report: EvaluationReport, task: TaskSummary): Block[] {
  const metric = task.metrics[0]!
  const rows = report.rows
    .filter((row) => row.task === task.name && row.metric === metric && isSetting(row))
    .sort((a, b) => b.retention - a.retention || a.bytes - b.bytes)
  const table = (chosen: readonly EvaluationRow[]): Block => ({
    kind: 'table',
    header: ['setting', 'bytes', 'smaller', metric, 'kept', 'encode ms', 'search ms'],
    rows: chosen.map((row) => [
      settingName(row),
      ...[number(row.bytes, 1), times(row.sizeMultiplier), row.value.toFixed(4), percent(row.retention)],
      ...[number(row.encodeMs, 0), number(row.searchMs, 0)],
    ]),
  })
  if (rows.length === 0) return []
  if (rows.length <= LISTED) return [heading(3, `${task.name}: settings, best first`), table(rows)]
  return [
    heading(3, `${task.name}: best ten`),
    table(rows.slice(0, LISTED)),
    heading(3, `${task.name}: worst ten`),
    table(rows.slice(-LISTED).reverse()),
  ]
}

function publishedBlocks(report: EvaluationReport): Block[] {
  const comparison = publishedComparison(report)
  if (comparison === undefined) return []
  const { header, rows, reason } = comparison
  return [heading(2, 'Beside the published figures'), { kind: 'table', header, rows }, paragraph(reason)]
}

function spectrumBlocks({ spectra }: EvaluationReport): Block[] {
  if (spectra.length === 0) return []
  const rows = spectra.map(({ technique, spectrum: { rank, effectiveRank, dimsForEnergy, decay } }) => [
    technique,
    ...[String(rank), number(effectiveRank, 1)],
    ...[dimsForEnergy[90], dimsForEnergy[95], dimsForEnergy[99]].map(String),
    decay === undefined ? '' : `${decay.exponential.rate.toFixed(4)} (${decay.exponential.rSquared.toFixed(3)})`,
    decay === undefined ? '' : `${decay.power.rate.toFixed(3)} (${decay.power.rSquared.toFixed(3)})`,
  ])
  const header = ['decoded from', 'rank', 'effective rank', 'dims for 90 %', '95 %', '99 %']
  return [
    heading(2, 'Singular values'),
    paragraph(
      'Of the calibration embeddings, not centred. A code that flattens the curve adds noise in the directions ' +
        'the model hardly uses. Decay: value i falls as exp(-rate · i) or as i to the power of -rate, with R² of ' +
        'the fit.',
    ),
    { kind: 'plot', name: 'singular-values', title: 'singular values', svg: spectrumPlot(spectra) },
    { kind: 'table', header: [...header, 'exponential rate (R²)', 'power rate (R²)'], rows },
  ]
}

export function settingName({ technique, scoring, multiplier }: EvaluationRow): string {
  return `${technique}, ${scoring}${multiplier === 1 ? '' : `, int8 rescores ${multiplier}×`}`
}

function fileName(name: string): string {
  return (
    name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-|-$/g, '') || 'task'
  )
}

function number(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)))
}

function times(value: number): string {
  return `${number(value, value < 10 ? 2 : 1)}×`
}

/** Cut, not rounded, at the point where "99 %" would claim what 98.96 does not keep. */
function percent(value: number): string {
  return `${(Math.floor(value * 100 + 1e-9) / 100).toFixed(2)} %`
}

function heading(level: 1 | 2 | 3, text: string): Block {
  return { kind: 'heading', level, text }
}

function paragraph(text: string): Block {
  return { kind: 'paragraph', text }
}
