import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { checkArray, describe, fail, reading } from '../base/check.js'
import { PackvecError } from '../base/errors.js'
import { writeFileAtomic } from '../files/atomic-file.js'
import { checkPath } from '../files/path.js'
import { type Block, documentOf } from './document.js'
import { htmlOf } from './html.js'
import { markdownOf } from './markdown.js'
import { textOf } from './text.js'
import type { EvaluationReport } from './types.js'

/** A report may come from a file: anything but a report of this version is refused. @throws PackvecError INVALID_ARGUMENT */
function checkReport(report: EvaluationReport): EvaluationReport {
  return reading('report', () => {
    if (report?.format !== 'packvec-evaluation' || report.version !== 1) {
      fail('INVALID_ARGUMENT', 'report', 'a report that `evaluate` made, of version 1', describe(report))
    }
    for (const list of ['tasks', 'rows', 'recommendations', 'spectra', 'warnings'] as const) {
      checkArray(report[list], `report.${list}`)
    }
    return report
  })
}

function blocksOf(report: EvaluationReport): Block[] {
  return reading('report', () => documentOf(checkReport(report)))
}

function written(report: EvaluationReport, write: (blocks: readonly Block[]) => string): string {
  return reading('report', () => write(blocksOf(report)))
}

/** The report as plain text with its tables, for a terminal. */
export function reportText(report: EvaluationReport): string {
  return written(report, textOf)
}

/** The report as GitHub's Markdown; its plots are links to the files of `reportPlots`. */
export function reportMarkdown(report: EvaluationReport): string {
  return written(report, markdownOf)
}

/** The report as one HTML page that needs no other file. */
export function reportHtml(report: EvaluationReport): string {
  return written(report, htmlOf)
}

/** The report as JSON, with `rows` as `EvaluationRow` describes them. */
export function reportJson(report: EvaluationReport): string {
  return `${reading('report', () => JSON.stringify(checkReport(report), null, 1))}\n`
}

/** The plots as SVG texts, by file name. */
export function reportPlots(report: EvaluationReport): Map<string, string> {
  const plots = blocksOf(report).filter((block) => block.kind === 'plot')
  return new Map(plots.map(({ name, svg }) => [`${name}.svg`, svg]))
}

/**
 * Writes report.json, report.md, report.html and the plots to a folder, which is made if it is missing.
 * @throws PackvecError IO
 */
export async function writeReport(report: EvaluationReport, given: string): Promise<void> {
  const folder = checkPath(given, 'folder')
  checkReport(report)
  try {
    await mkdir(folder, { recursive: true })
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new PackvecError('IO', 'output', `cannot make the report folder ${folder}: ${reason}`, { cause })
  }
  const files = new Map([
    ['report.json', reportJson(report)],
    ['report.md', reportMarkdown(report)],
    ['report.html', reportHtml(report)],
    ...reportPlots(report),
  ])
  for (const [name, text] of files) await writeFileAtomic(join(folder, name), [Buffer.from(text)])
}
