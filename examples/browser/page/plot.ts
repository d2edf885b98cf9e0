import { scaleLinear, scaleLog } from 'd3-scale'
import { symbol, symbolCircle } from 'd3-shape'
import { axes, escapeXml, type Frame, px, text } from '../../../src/evaluation/svg.js'
import type { Line } from './comparison.js'
import { byId } from './dom.js'

const place = byId('plot', HTMLElement)
const HEIGHT = 336
const FLOATS = 4

let shown: readonly Line[] = []

/** Draws anew where the width changes, so that letters keep their size on a phone. */
new ResizeObserver(() => draw()).observe(place)

export function showPlot(lines: readonly Line[]): void {
  shown = lines
  draw()
}

/** Recall against bytes a vector, one mark a precision, named beside it. */
function draw(): void {
  const width = place.clientWidth
  if (width === 0 || shown.length === 0) return
  const narrow = width < 520
  const frame: Frame = { left: 62, top: 16, right: width - 16, bottom: HEIGHT - 56 }
  const dims = shown[0]!.bytesPerVector / FLOATS
  const x = scaleLog()
    .base(2)
    .domain([dims / 10, dims * 5])
    .range([frame.left, frame.right])
  const known = shown.filter(({ recall }) => recall !== undefined)
  const lowest = Math.min(0.7, ...known.map(({ recall }) => recall!))
  const y = scaleLinear()
    .domain([Math.floor(lowest * 10) / 10, 1])
    .range([frame.bottom, frame.top + 8])
  const steps = [1 / 8, 1 / 4, 1, 4].map((perDim) => ({ at: x(dims * perDim), label: String(dims * perDim) }))
  const parts = [
    ...axes(
      frame,
      steps,
      y.ticks(4).map((at) => ({ at: y(at), label: at.toFixed(2) })),
      'bytes a vector (log scale)',
      'recall@10',
    ),
    ...known.flatMap((line) => named(line, x(line.bytesPerVector), y(line.recall!), frame, narrow)),
  ]
  const values = known.map(({ contender, recall }) => `${contender.name} ${recall!.toFixed(3)}`).join('; ')
  const about = escapeXml(`Recall at 10 against bytes a vector: ${values}`)
  place.innerHTML =
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="${about}" width="${width}" height="${HEIGHT}" ` +
    `viewBox="0 0 ${width} ${HEIGHT}">${parts.join('')}</svg>`
}

/** A mark with its name: to its right, but to the left near the right edge; int8 and what it rescores stand close together. */
function named({ contender }: Line, x: number, y: number, frame: Frame, narrow: boolean): string[] {
  const { rescored = false } = contender
  const left = !rescored && x > (frame.left + frame.right) / 2
  const label = narrow ? contender.label.split(',')[0]! : contender.label
  const place = `translate(${px(x)} ${px(y)})`
  const className = rescored ? 'pv-accent' : 'pv-ink'
  return [
    `<path class="${className}" transform="${place}" d="${symbol(symbolCircle, 72)()}"/>`,
    text(left ? x - 9 : x + 10, y + (left ? -7 : rescored ? 16 : 4), label, { anchor: left ? 'end' : 'start' }),
  ]
}
