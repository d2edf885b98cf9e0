import { scaleLinear, scaleLog } from 'd3-scale'
import { line } from 'd3-shape'
import { bestMarks, families, familyLegends, type Mark } from './families.js'
import { codeSymbol, rotationStyle } from './palette.js'
import { axes, type Frame, mark, picture, stroke } from './svg.js'
import type { EvaluationReport, TaskSummary } from './types.js'

const WIDTH = 860
const HEIGHT = 540
const FRAME: Frame = { left: 88, top: 70, right: 630, bottom: 472 }
/** Bytes a dimension of 1 to 32 bits. */
const TICKS = [1 / 8, 1 / 4, 1 / 2, 1, 2, 4]

/** Recall against bytes a vector: filled marks for codes alone, joined by rotation; hollow ones where int8 rescores. */
export function recallPlot(report: EvaluationReport, task: TaskSummary): string {
  const metric = task.metrics[0]!
  const rows = report.rows.filter((row) => {
    return row.task === task.name && row.metric === metric && row.scoring !== 'packed-bytes'
  })
  const most = Math.max(1, ...rows.map(({ multiplier }) => multiplier))
  const shown = rows.filter(({ multiplier }) => multiplier === 1 || multiplier === most)
  const marks = bestMarks(shown, ({ technique, multiplier }) => `${technique} ${multiplier}`)
  const alone = marks.filter(({ row }) => row.multiplier === 1)
  const bytes = marks.map(({ row }) => row.bytes)
  const x = scaleLog()
    .base(2)
    .range([FRAME.left + 14, FRAME.right - 14])
    .domain([Math.min(...bytes, task.dims / 8), Math.max(...bytes, 4 * task.dims)])
  const lowest = Math.min(...marks.map(({ row }) => row.value))
  const y = scaleLinear()
    .range([FRAME.bottom, FRAME.top])
    .domain([lowest - Math.max(1 - lowest, 0.01) / 20, 1])
    .nice(6)
  const at = ({ row }: Mark): [number, number] => [x(row.bytes), y(row.value)]
  const parts = [
    ...axes(
      FRAME,
      TICKS.map((perDim) => ({ at: x(perDim * task.dims), label: String(Math.round(perDim * task.dims)) })),
      y.ticks(6).map((value) => ({ at: y(value), label: String(value) })),
      'bytes a vector, all stages (log scale)',
      `${metric}, of the exact float32 neighbours`,
    ),
    ...families(alone).map((group) => {
      const { colour, dash } = rotationStyle(group[0]!.rotation)
      return stroke(line()(group.map(at)) ?? '', colour, dash)
    }),
    ...marks.map((item) => {
      return mark(codeSymbol(item.code), ...at(item), rotationStyle(item.rotation).colour, item.row.multiplier > 1)
    }),
    ...familyLegends(FRAME, marks, most > 1 ? `int8 rescores ${most}×` : undefined),
  ]
  const about =
    'The better scoring of each technique. Lines join the codes of one rotation, with and without a scale apart.'
  return picture(WIDTH, HEIGHT, `${task.name}: recall against bytes`, about, parts)
}
