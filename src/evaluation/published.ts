import type { EvaluationReport, EvaluationScoring } from './types.js'

/** Percent of float32 that a published table of these techniques gives. */
const PUBLISHED: Readonly<Record<string, number>> = { binary: 89.8, ternary: 99.2 }

const SCORINGS: readonly EvaluationScoring[] = ['packed-bytes', 'symmetric', 'asymmetric']

const REASON =
  'The published table scored 1-bit and 2-bit codes by the cosine of their packed bytes, read as numbers. A byte ' +
  'holds 8 signs or 4 levels, and the first of them weighs 128 or 64 times as much as the last: most of what the ' +
  'code knows is thrown away before it is compared, and more of it at 1 bit than at 2. Comparing the codes ' +
  'themselves (symmetric), or a float query with them (asymmetric), is what a search does, and keeps what the two ' +
  'columns on the right show. The column packed-bytes repeats the published method on this data, which need not give ' +
  'the published percentages. It is measured with `--scoring all`, explains that table, and is no setting to use.'

/** The published retention beside that of the first sts task, or of the first task, for the techniques measured. */
export function publishedComparison(
  report: EvaluationReport,
): { header: string[]; rows: string[][]; reason: string } | undefined {
  const task = report.tasks.find(({ kind }) => kind === 'sts') ?? report.tasks[0]!
  const metric = task.metrics[0]!
  const own = report.rows.filter((row) => row.task === task.name && row.metric === metric && row.multiplier === 1)
  const rows = Object.entries(PUBLISHED).flatMap(([technique, published]) => {
    if (!own.some((row) => row.technique === technique)) return []
    const cells = SCORINGS.map((scoring) => {
      const row = own.find((candidate) => candidate.technique === technique && candidate.scoring === scoring)
      return row === undefined ? 'not measured' : `${row.value.toFixed(4)} (${row.retention.toFixed(1)} %)`
    })
    return [[technique, `${published} %`, ...cells]]
  })
  if (rows.length === 0) return undefined
  const header = ['technique', 'published, kept', ...SCORINGS.map((scoring) => `${task.name} ${metric}, ${scoring}`)]
  return { header, rows, reason: REASON }
}
