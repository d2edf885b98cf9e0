import { type SymbolType, symbol } from 'd3-shape'

/** The part of a picture that data stands in, in pixels from the upper left corner. */
export interface Frame {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
}

export interface Tick {
  readonly at: number
  readonly label: string
}

export function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

/** `pv-ink` follows the page: black on white, white on black on a dark screen, black again on paper. */
const STYLE = `
  .pv { font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", Arial, sans-serif }
  .pv-paper { fill: #fff } .pv-ink { fill: #1a1a1a } .pv-line { stroke: #1a1a1a; fill: none } .pv-grid { stroke: #ddd }
  .pv-quiet { fill: #555 } .pv-hollow { fill: #fff } .pv-title { font-size: 16px; font-weight: 600 }
  @media screen and (prefers-color-scheme: dark) {
    .pv-paper, .pv-hollow { fill: #16181c } .pv-ink { fill: #f0f0f0 } .pv-line { stroke: #f0f0f0 }
    .pv-grid { stroke: #3a3d44 } .pv-quiet { fill: #b5b8bf }
  }`

/**
 * A picture that stands alone: its own paper, its own styles, a title and a description for those who cannot see it.
 */
export function picture(width: number, height: number, title: string, about: string, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="pv" viewBox="0 0 ${width} ${height}"`,
    ` width="${width}" height="${height}"`,
    ` role="img" aria-label="${escapeXml(`${title}. ${about}`)}">`,
    `<style>${STYLE}</style><rect class="pv-paper" width="${width}" height="${height}"/>`,
    text(20, 28, title, { className: 'pv-ink pv-title' }),
    text(20, 48, about, { className: 'pv-quiet' }),
    ...parts,
    '</svg>\n',
  ].join('\n')
}

export interface TextOptions {
  readonly anchor?: 'start' | 'middle' | 'end'
  readonly className?: string
  /** Turned to read upwards. */
  readonly upwards?: boolean
}

export function text(x: number, y: number, content: string, options: TextOptions = {}): string {
  const turn = options.upwards ? ` transform="rotate(-90 ${px(x)} ${px(y)})"` : ''
  const anchor = options.anchor ?? 'start'
  const className = options.className ?? 'pv-ink'
  const place = `x="${px(x)}" y="${px(y)}" text-anchor="${anchor}"${turn}`
  return `<text class="${className}" ${place}>${escapeXml(content)}</text>`
}

export function stroke(path: string, colour: string, dash: string, width = 1.8): string {
  const dashes = dash === '' ? '' : ` stroke-dasharray="${dash}"`
  const paint = colour === 'ink' ? 'class="pv-line"' : `fill="none" stroke="${colour}"`
  return `<path d="${path}" ${paint} stroke-width="${width}" stroke-linejoin="round"${dashes}/>`
}

/** A mark of about 10 pixels; a hollow one shows the paper inside. */
export function mark(type: SymbolType, x: number, y: number, colour: string, hollow = false, size = 64): string {
  const path = symbol(type, size)() ?? ''
  const line = colour === 'ink' ? 'pv-line' : ''
  const fill = hollow ? 'pv-hollow' : colour === 'ink' ? 'pv-ink' : ''
  const paint = `${fill === '' ? ` fill="${colour}"` : ''}${line === '' ? ` stroke="${colour}"` : ''}`
  // A stylesheet's fill: none of pv-line would win over an attribute, so the outline is a path of its own.
  const outlined = line === '' ? ` fill="none" stroke="${colour}"` : ''
  const outline = `<path d="${path}" class="${line}"${outlined} stroke-width="1.6"/>`
  const body = `<path d="${path}" class="${fill}"${paint}/>`
  return `<g transform="translate(${px(x)} ${px(y)})">${body}${outline}</g>`
}

/** Axes with ticks, grid lines and names with units. */
export function axes(frame: Frame, x: readonly Tick[], y: readonly Tick[], xName: string, yName: string): string[] {
  const { left, top, right, bottom } = frame
  const line = (x1: number, y1: number, x2: number, y2: number, className: string) => {
    return `<line class="${className}" x1="${px(x1)}" y1="${px(y1)}" x2="${px(x2)}" y2="${px(y2)}"/>`
  }
  return [
    ...x.map(({ at }) => line(at, top, at, bottom, 'pv-grid')),
    ...y.map(({ at }) => line(left, at, right, at, 'pv-grid')),
    line(left, bottom, right, bottom, 'pv-line'),
    line(left, top, left, bottom, 'pv-line'),
    ...x.map(({ at, label }) => text(at, bottom + 20, label, { anchor: 'middle' })),
    ...y.map(({ at, label }) => text(left - 8, at + 4, label, { anchor: 'end' })),
    text((left + right) / 2, bottom + 44, xName, { anchor: 'middle' }),
    text(18, (top + bottom) / 2, yName, { anchor: 'middle', upwards: true }),
  ]
}

export interface LegendEntry {
  readonly label: string
  readonly colour: string
  readonly dash?: string
  readonly symbol?: SymbolType
  readonly hollow?: boolean
}

/** One entry below the other, under a heading. */
export function legend(x: number, y: number, heading: string, entries: readonly LegendEntry[]): string[] {
  return [
    text(x, y, heading, { className: 'pv-quiet' }),
    ...entries.flatMap(({ label, colour, dash, symbol: type, hollow }, i) => {
      const at = y + 22 * (i + 1)
      return [
        ...(dash === undefined ? [] : [stroke(`M${px(x)},${px(at - 4)}h34`, colour, dash)]),
        ...(type === undefined ? [] : [mark(type, x + 17, at - 4, colour, hollow)]),
        text(x + 44, at, label),
      ]
    }),
  ]
}

/** Coordinates to a tenth of a pixel: short, and the same on every machine. */
export function px(value: number): string {
  return String(Math.round(value * 10) / 10)
}
