import type { Precision } from '../codes/precision.js'
import { codeSymbol, ROTATION_NAMES, rotationStyle } from './palette.js'
import { type Frame, type LegendEntry, legend } from './svg.js'
import { isLossless, parseTechnique, type RotationName, twinOf } from './technique-names.js'
import type { EvaluationRow } from './types.js'

/** A result with what decides how it is drawn: the code its mark, the rotation its colour and dashes. */
export interface Mark {
  readonly row: EvaluationRow
  readonly code: Precision
  readonly rotation: RotationName
  readonly scale: boolean
}

/** The best row of each technique by `key`, such as the technique and its multiplier. */
export function bestMarks(rows: readonly EvaluationRow[], key: (row: EvaluationRow) => string): Mark[] {
  const best = new Map<string, EvaluationRow>()
  for (const row of rows) {
    if (row.retention > (best.get(key(row))?.retention ?? Number.NEGATIVE_INFINITY)) best.set(key(row), row)
  }
  return Array.from(best.values(), (row) => ({ row, ...parseTechnique(row.technique) }))
}

/**
 * Marks of one rotation with or without scale, from the largest code to the smallest: what a line joins. Codes of one
 * size stand in the order of their result.
 */
export function families(marks: readonly Mark[]): Mark[][] {
  const groups = new Map<string, Mark[]>()
  for (const item of marks) {
    if (isLossless(item)) continue
    const key = `${item.rotation} ${item.scale}`
    groups.set(key, [...(groups.get(key) ?? []), item])
  }
  const order = (a: Mark, b: Mark) => b.row.bytes - a.row.bytes || b.row.retention - a.row.retention
  return Array.from(groups.values(), (group) => group.sort(order)).filter((group) => group.length > 1)
}

/** What marks, lines and hollow marks mean, beside the frame. */
export function familyLegends(frame: Frame, marks: readonly Mark[], hollow: string | undefined): string[] {
  const left = frame.right + 30
  const codes = [...new Set(marks.map(({ code }) => twinOf(code)))]
  const rotations = [...new Set(marks.map(({ rotation }) => rotation))]
  const twins = (code: Precision) =>
    new Set([code, ...marks.map((mark) => mark.code).filter((one) => twinOf(one) === code)])
  const second = frame.top + 22 * codes.length + 54
  const third = second + 22 * rotations.length + 32
  const codeEntries = codes.map((code): LegendEntry => {
    return { label: [...twins(code)].join(', '), colour: 'ink', symbol: codeSymbol(code) }
  })
  const rotationEntries = rotations.map((rotation): LegendEntry => {
    const { colour, dash } = rotationStyle(rotation)
    return { label: ROTATION_NAMES[rotation], colour, dash }
  })
  const last = codes.at(-1)!
  return [
    ...legend(left, frame.top + 8, 'mark: the code', codeEntries),
    ...legend(left, second, 'line: the rotation', rotationEntries),
    ...(hollow === undefined
      ? []
      : legend(left, third, 'hollow mark', [{ label: hollow, colour: 'ink', symbol: codeSymbol(last), hollow: true }])),
  ]
}
