import { isLossless, parseTechnique } from './technique-names.js'
import type { EvaluationRow, Recommendation, TaskSummary } from './types.js'

/** A setting as a user would take it: the same technique, scoring and rescoring, whatever the task. */
function settingOf({ technique, scoring, multiplier }: EvaluationRow): string {
  return `${technique} ${scoring} ${multiplier}`
}

/** Rows that a user can take: the scoring that only explains a table is none, and float32 is where they come from. */
export function isSetting(row: EvaluationRow): boolean {
  return row.scoring !== 'packed-bytes' && !isLossless(parseTechnique(row.technique))
}

/** Fewer bytes first, then fewer scanned ones, then no rescoring, then the better result, then the name. */
function bySize(a: EvaluationRow, b: EvaluationRow): number {
  return (
    a.bytes - b.bytes ||
    a.scanBytes - b.scanBytes ||
    a.multiplier - b.multiplier ||
    b.retention - a.retention ||
    (a.technique < b.technique ? -1 : 1)
  )
}

/**
 * The smallest setting that keeps at least `keep` percent: for each task by its decisive metric (recall and, where
 * relevance is known, nDCG of a retrieval), and for all tasks together by the worst of them. Multipliers above 1 exist
 * in retrieval alone, so the setting for all tasks is one without rescoring.
 */
export function recommend(
  rows: readonly EvaluationRow[],
  tasks: readonly TaskSummary[],
  keep: number,
): Recommendation[] {
  const settings = rows.filter(isSetting)
  const single = tasks.flatMap((task) => {
    const metrics = task.kind === 'retrieval' ? task.metrics : task.metrics.slice(0, 1)
    return metrics.map((metric): Recommendation => {
      const kept = settings.filter((row) => row.task === task.name && row.metric === metric && row.retention >= keep)
      const row = kept.sort(bySize)[0]
      return { task: task.name, metric, row, retention: row?.retention }
    })
  })
  if (tasks.length < 2) return single
  // A user of retrieval wants relevant rows; recall of the exact ten is the stand-in where relevance is unknown.
  const decisive = new Map(
    tasks.map(({ name, metrics }) => [name, metrics.find((m) => m.startsWith('ndcg')) ?? metrics[0]!]),
  )
  const worst = new Map<string, EvaluationRow[]>()
  for (const row of settings) {
    if (decisive.get(row.task) !== row.metric) continue
    worst.set(settingOf(row), [...(worst.get(settingOf(row)) ?? []), row])
  }
  const candidates = Array.from(worst.values())
    .filter((results) => results.length === tasks.length)
    .map((results) => results.reduce((low, row) => (row.retention < low.retention ? row : low)))
    .filter(({ retention }) => retention >= keep)
    .sort(bySize)
  const [row] = candidates
  return [
    ...single,
    { task: 'all tasks', metric: [...new Set(decisive.values())].join(', '), row, retention: row?.retention },
  ]
}
