import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { FIGURES } from './figures.js'
import type { Report } from './report.js'
import { markdownTable, milliseconds } from './results.js'

/** A quotient of medians that got this many times worse fails the comparison. */
const LARGEST_LOSS = 1.5

export interface Comparison {
  readonly rows: readonly (readonly string[])[]
  readonly failed: readonly string[]
}

type Compared = Pick<Report, 'ratios' | 'sections'>

/** The ratios of two reports; a ratio that only one of them has is shown and judged by nothing. */
export function compareRatios(before: Compared, after: Compared): Comparison {
  const failed: string[] = []
  const rows = FIGURES.map(({ key, better }) => {
    const [a, b] = [before.ratios[key] ?? null, after.ratios[key] ?? null]
    if (a === null || b === null) return [key, String(a ?? '-'), String(b ?? '-'), '', '']
    const loss = better === 'more' ? a / b : b / a
    const lost = loss > LARGEST_LOSS
    if (lost) failed.push(`${key} is ${loss.toFixed(2)} times worse`)
    return [key, String(a), String(b), loss.toFixed(2), lost ? 'LOST' : '']
  })
  return { rows, failed }
}

/** Times side by side, for reading: machines and their load differ, so times alone fail nothing. */
export function compareTimes(before: Compared, after: Compared): string[][] {
  const lines = (report: Compared) => report.sections.flatMap(({ lines }) => lines)
  const earlier = new Map(lines(before).map((line) => [line.id, line.timing.median]))
  return lines(after).flatMap(({ id, timing }) => {
    const median = earlier.get(id)
    if (median === undefined) return []
    return [[id, milliseconds(median), milliseconds(timing.median), (timing.median / median).toFixed(2)]]
  })
}

function main([first, second]: readonly string[]): number {
  if (first === undefined || second === undefined) {
    console.error('npm run bench:compare -- BEFORE.json AFTER.json')
    return 2
  }
  const [before, after] = [first, second].map((path) => JSON.parse(readFileSync(path, 'utf8')) as Report) as [
    Report,
    Report,
  ]
  console.log(markdownTable(['line', 'before ms', 'after ms', 'after / before'], compareTimes(before, after)))
  const { rows, failed } = compareRatios(before, after)
  console.log(`\n${markdownTable(['ratio', 'before', 'after', 'times worse', ''], rows)}`)
  for (const text of failed) console.error(`lost: ${text}`)
  return failed.length > 0 ? 1 : 0
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = main(process.argv.slice(2))
