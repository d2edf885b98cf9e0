import { scaleLinear, scaleLog } from 'd3-scale'
import { line } from 'd3-shape'
import { bestMarks, families, familyLegends, type Mark } from './families.js'
import { codeSymbol, rotationStyle } from './palette.js'
import { axes, type Frame, mark, picture, px, stroke, text } from './svg.js'
import type { EvaluationReport, TaskSummary } from './types.js'

const WIDTH = 860
const HEIGHT = 540
const FRAME: Frame = { left: 88, top: 70, right: 630, bottom: 472 }

/** Size multiplier against retention: one mark a technique, a line through the techniques of one rotation. */
export function tradeoffPlot(report: EvaluationReport, task: TaskSummary): string {
  const metric = task.metrics[0]!
  const rows = report.rows.filter((row) => {
    return row.task === task.name && row.metric === metric && row.multiplier === 1 && row.scoring !== 'packed-bytes'
  })
  const marks = bestMarks(rows, ({ technique }) => technique)
  const sizes = marks.map(({ row }) => row.sizeMultiplier)
  const [smallest, largest] = [Math.min(1, ...sizes), Math.max(32, ...sizes)]
  const x = scaleLog()
    .base(2)
    .range([FRAME.left + 14, FRAME.right - 14])
    .domain([smallest, largest])
  const retentions = marks.map(({ row }) => row.retention)
  const lowest = Math.min(report.keep, ...retentions)
  const highest = Math.max(100, ...retentions)
  const room = Math.max(highest - lowest, 0.1) / 20
  const y = scaleLinear()
    .range([FRAME.bottom, FRAME.top])
    .domain([lowest - room, highest + room])
    .nice(6)
  const at = ({ row }: Mark): [number, number] => [x(row.sizeMultiplier), y(row.retention)]
  const ticks = [1, 2, 4, 8, 16, 32].filter((size) => size >= smallest && size <= largest)
  const kept = y(report.keep)
  const scaled = marks.some(({ scale }) => scale)
  const parts = [
    ...axes(
      FRAME,
      ticks.map((size) => ({ at: x(size), label: `${size}×` })),
      y.ticks(6).map((value) => ({ at: y(value), label: `${value} %` })),
      'size multiplier: times smaller than float32 (log scale)',
      `retention: ${metric}, percent of float32`,
    ),
    stroke(`M${FRAME.left},${px(kept)}H${FRAME.right}`, 'ink', '1 4', 1.2),
    text(FRAME.left + 6, kept + 15, `${report.keep} % kept`, { className: 'pv-quiet' }),
    ...families(marks).map((group) => {
      const { colour, dash } = rotationStyle(group[0]!.rotation)
      return stroke(line()(group.map(at)) ?? '', colour, dash)
    }),
    ...marks.map((item) => mark(codeSymbol(item.code), ...at(item), rotationStyle(item.rotation).colour, item.scale)),
    ...familyLegends(FRAME, marks, scaled ? 'with +scale' : undefined),
  ]
  const scorings = [...new Set(rows.map(({ scoring }) => scoring))]
  const scoring = scorings.length > 1 ? 'better of symmetric and asymmetric scoring' : `${scorings[0] ?? 'no'} scoring`
  const about = `One mark a technique: ${scoring}, no rescoring. Lines join the techniques of one rotation.`
  return picture(WIDTH, HEIGHT, `${task.name}: what is kept at which size`, about, parts)
}
