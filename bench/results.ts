import type { Timing } from './measure.js'

/** One line of the bench: what was timed, and what belongs beside the time. */
export interface Line {
  /** Unique in a run: the ratios are made of these. Contenders with the same part before the dot took turns. */
  readonly id: string
  readonly what: string
  readonly timing: Timing
  /** Bytes that the call must read at least. */
  readonly bytes?: number
  /** Queries a call, where the time is a batch's. */
  readonly queries?: number
  readonly recall?: number
  readonly note?: string
}

export interface Section {
  readonly title: string
  readonly lines: readonly Line[]
  readonly notes?: readonly string[]
}

/** A peer that took no part, and why. */
export type Absent = Record<string, string>

export function gigabytesASecond(line: Line): string {
  return line.bytes === undefined ? '' : (line.bytes / line.timing.median / 1e6).toFixed(1)
}

export function milliseconds(value: number): string {
  return value >= 100
    ? value.toFixed(0)
    : value >= 10
      ? value.toFixed(1)
      : value >= 0.1
        ? value.toFixed(2)
        : value.toFixed(4)
}

const HEAD = ['', 'min ms', 'median ms', 'p90 ms', 'GB/s', 'recall@10', '']

/** A section as a Markdown table; columns that no line fills are left out. */
export function sectionTable({ title, lines, notes = [] }: Section): string {
  const cells = lines.map((line) => {
    const { what, timing, recall, note = '', queries } = line
    const ms = [timing.min, timing.median, timing.p90].map(milliseconds)
    const each =
      queries === undefined ? note : `${milliseconds(timing.median / queries)} ms a query${note && `; ${note}`}`
    return [what, ...ms, gigabytesASecond(line), recall?.toFixed(3) ?? '', each]
  })
  return [`\n${title}`, markdownTable(HEAD, cells), ...notes].join('\n')
}

/** Columns of numbers lean right, the first and those named in `TEXT` left; empty columns are left out. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const used = head.map((_, i) => rows.some((row) => row[i] !== ''))
  const left = (i: number) => i === 0 || TEXT.includes(head[i]!)
  const rule = head.map((_, i) => (left(i) ? '---' : '--:'))
  const widths = head.map((name, i) => Math.max(name.length, 3, ...rows.map((row) => row[i]!.length)))
  const pad = (cell: string, i: number, filler: string) =>
    left(i) ? cell.padEnd(widths[i]!, filler) : cell.padStart(widths[i]!, filler)
  const line = (row: readonly string[]) => {
    const cells = row.map((cell, i) => pad(cell, i, row === rule ? '-' : ' ')).filter((_, i) => used[i])
    return `| ${cells.join(' | ')} |`
  }
  return [head, rule, ...rows].map(line).join('\n')
}

const TEXT = ['', 'what', 'goal', 'state']
