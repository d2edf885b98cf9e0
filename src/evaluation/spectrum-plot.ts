import { scaleLinear, scaleLog } from 'd3-scale'
import { line } from 'd3-shape'
import { checkArray, fail, reading } from '../base/check.js'
import { lineStyle } from './palette.js'
import { axes, type Frame, legend, mark, picture, stroke } from './svg.js'
import type { EvaluationReport } from './types.js'

const WIDTH = 860
const HEIGHT = 480
const FRAME: Frame = { left: 78, top: 70, right: 640, bottom: 412 }
const MARKS = 9
/** What is smaller than this part of the largest value is not drawn: directions that the model leaves empty. */
const SMALLEST = 0.01

/** Singular values over their position, each divided by the largest, a line for each technique. */
export function spectrumPlot(spectra: EvaluationReport['spectra']): string {
  if (checkArray(spectra, 'spectra').length === 0) fail('EMPTY', 'spectra', 'at least one spectrum', 'none')
  return reading('spectra', () => drawn(spectra))
}

function drawn(spectra: EvaluationReport['spectra']): string {
  const lines = spectra.map(({ technique, spectrum }, i) => {
    const largest = spectrum.singularValues[0]!
    const points = spectrum.singularValues.map((value, at): [number, number] => [at + 1, value / largest])
    return { technique, style: lineStyle(i), points: points.filter(([, value]) => value >= SMALLEST) }
  })
  const dims = Math.max(...spectra.map(({ spectrum }) => spectrum.dims))
  const lowest = Math.min(...lines.map(({ points }) => points.at(-1)![1]))
  const x = scaleLinear().range([FRAME.left, FRAME.right]).domain([1, dims])
  const y = scaleLog()
    .range([FRAME.bottom, FRAME.top])
    .domain([Math.min(lowest * 0.9, 0.5), 1.1])
  const path = line()
    .x(([at]) => x(at))
    .y(([, value]) => y(value))
  const ticks = [1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01].filter((value) => value >= y.domain()[0]!)
  const parts = [
    ...axes(
      FRAME,
      [1, ...x.ticks(6).filter((at) => at > 1)].map((at) => ({ at: x(at), label: String(at) })),
      ticks.map((value) => ({ at: y(value), label: String(value) })),
      'position of the singular value',
      'part of the largest (log scale)',
    ),
    ...lines.flatMap(({ style, points }, i) => [
      stroke(path(points) ?? '', style.colour, style.dash),
      // Marks of different lines stand at different places, so that lines on top of each other can be told apart.
      ...spread(points.length, i / lines.length).map((at) => {
        return mark(style.symbol, x(points[at]![0]), y(points[at]![1]), style.colour, false, 40)
      }),
    ]),
    ...legend(
      FRAME.right + 30,
      FRAME.top + 8,
      'decoded from',
      lines.map(({ technique, style }) => ({ label: technique, ...style })),
    ),
  ]
  const about = 'Of the calibration embeddings, as they are (float32) and decoded from codes. Below 0.01: not drawn.'
  return picture(WIDTH, HEIGHT, 'Singular values', about, parts)
}

function spread(length: number, shift: number): number[] {
  const places = Array.from({ length: MARKS }, (_, i) => Math.floor(((i + 0.3 + 0.7 * shift) * length) / MARKS))
  return places.filter((at) => at < length)
}
