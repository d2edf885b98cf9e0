import { scaleLog } from 'd3-scale'
import type { Report } from './report.js'
import { type Line, milliseconds } from './results.js'

const ROW = 22
const LABELS = 330
const WIDTH = 900
const TOP = 64
const TITLE = 'Milliseconds a query, median, with minimum to p90; log scale; open circles: other libraries'

/** Median times of one query over each corpus on a log scale, with lines from minimum to p90. Reads in grey. */
export function chart({ machine, sections }: Report): string {
  const groups = sections.filter(({ title }) => title.includes('one query'))
  const timings = groups.flatMap(({ lines }) => lines).map(({ timing }) => timing)
  if (timings.length === 0) return svg(TOP, [text(16, 28, 'No search section in this run')])
  const least = Math.min(...timings.map(({ min }) => min))
  const most = Math.max(...timings.map(({ p90 }) => p90))
  const x = scaleLog([least / 1.5, most * 1.2], [LABELS, WIDTH - 110])
  const parts = [text(16, 28, TITLE, 'font-weight="bold"')]
  parts.push(text(16, 46, `${machine['cpu']}, ${machine['runtime']}, one thread; recall@10 behind the time`))
  let y = TOP
  for (const { title, lines } of groups) {
    parts.push(text(16, y + 14, title, 'font-weight="bold"'))
    y += ROW
    for (const line of lines) {
      parts.push(mark(line, y, x))
      y += ROW
    }
    y += ROW / 2
  }
  const ticks = x.ticks(4).filter((value) => /^0?\.?0*1/.test(String(value)))
  const rules = ticks.map((value) => {
    const at = x(value).toFixed(1)
    return `<path d="M${at} ${TOP}V${y}" stroke="#bbb"/>${text(x(value), y + 14, String(value), 'text-anchor="middle"')}`
  })
  return svg(y + 28, [...rules, ...parts])
}

/** A full circle is packvec's, an open one a peer's. */
function mark({ id, what, timing, recall }: Line, y: number, x: (ms: number) => number): string {
  const { min, median, p90 } = timing
  const fill = /faiss|usearch/.test(id) ? '#fff' : '#222'
  const middle = y + ROW / 2
  const value = `${milliseconds(median)}${recall === undefined ? '' : `  (${recall.toFixed(3)})`}`
  return [
    text(LABELS - 8, middle + 4, what, 'text-anchor="end"'),
    `<path d="M${LABELS} ${middle}H${x(median).toFixed(1)}" stroke="#999" stroke-dasharray="1 3"/>`,
    `<path d="M${x(min).toFixed(1)} ${middle}H${x(p90).toFixed(1)}" stroke="#222" stroke-width="2"/>`,
    `<circle cx="${x(median).toFixed(1)}" cy="${middle}" r="5" fill="${fill}" stroke="#222" stroke-width="1.5"/>`,
    text(Math.max(x(median), x(p90)) + 10, middle + 4, value),
  ].join('')
}

function text(x: number, y: number, content: string, attributes = ''): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${attributes}>${escaped}</text>`
}

function svg(height: number, parts: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">
<rect width="${WIDTH}" height="${height}" fill="#fff"/>
${parts.join('\n')}
</svg>
`
}
