import { beforeAll, describe, expect, it } from 'vitest'
import {
  type EvaluationReport,
  evaluate,
  reportHtml,
  reportJson,
  reportMarkdown,
  reportPlots,
  reportText,
} from '../../src/eval.js'
import { pairs, retrieval, tensor } from './setup.js'

let report: EvaluationReport
beforeAll(async () => {
  const tasks = [{ ...pairs(100, 16), name: '<Pairs> & "more" | one' }, retrieval()]
  report = await evaluate(tasks, {
    calibration: { embeddings: tensor(200, 16, 9), name: 'a sample' },
    techniques: ['float32', 'int8', 'ternary', 'binary', 'rotated-ternary', 'rotated-binary', 'ternary+scale'],
    scorings: ['symmetric', 'asymmetric', 'packed-bytes'],
    multipliers: [1, 4],
    onWarning: () => {},
  })
})

describe('the report', () => {
  it('as JSON holds rows with the fields that are promised', () => {
    const { rows } = JSON.parse(reportJson(report)) as EvaluationReport
    expect(rows).toHaveLength(report.rows.length)
    for (const row of rows) {
      expect(row).toMatchObject({
        technique: expect.any(String),
        rotation: expect.stringMatching(/^(none|svd)$/),
        scoring: expect.any(String),
        multiplier: expect.any(Number),
        metric: expect.any(String),
        value: expect.any(Number),
        retention: expect.any(Number),
        bytes: expect.any(Number),
        sizeMultiplier: expect.any(Number),
        encodeMs: expect.any(Number),
        searchMs: expect.any(Number),
      })
    }
  })

  it('as text has the recommendation, tables, best and worst ten, and no picture', () => {
    const text = reportText(report)
    for (const part of ['Recommended', 'retrieval: best ten', 'retrieval: worst ten', 'Singular values', 'a sample']) {
      expect(text).toContain(part)
    }
    expect(text).not.toContain('<svg')
  })

  it('shows the published figures beside the measured ones, and why they differ', () => {
    const text = reportText(report)
    expect(text).toMatch(/binary +89\.8 %/)
    expect(text).toMatch(/ternary +99\.2 %/)
    expect(text).toMatch(/cosine of their packed\s+bytes/)
  })

  it('as Markdown links each plot that is written beside it', () => {
    const links = [...reportMarkdown(report).matchAll(/^!\[.*\]\((.*)\)$/gm)].map((match) => match[1])
    expect(links).toEqual([...reportPlots(report).keys()])
    expect(links).toContain('singular-values.svg')
    expect(links).toContain('recall-retrieval.svg')
  })

  it('as HTML is one page that loads nothing, for light and dark and for phones, with names escaped', () => {
    const html = reportHtml(report)
    expect(html).not.toMatch(/(src|href)=|url\(|@import|<script/)
    expect(html).toContain('prefers-color-scheme: dark')
    expect(html).toContain('width=device-width')
    expect(html).not.toContain('<Pairs>')
    expect(html.match(/<svg/g)).toHaveLength(reportPlots(report).size)
  })

  it('has plots that are well-formed XML with axes, units and a legend', () => {
    for (const [name, svg] of reportPlots(report)) {
      expect(svg, name).not.toMatch(/NaN|Infinity|undefined/)
      const texts = [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map((match) => match[1]!)
      const wanted =
        name === 'singular-values.svg' ? ['decoded from', 'float32'] : ['mark: the code', 'line: the rotation']
      for (const label of wanted) expect(texts, name).toContain(label)
      expect(
        texts.some((label) => label.includes('(log scale)')),
        name,
      ).toBe(true)
      expect(balanced(svg), name).toBe(true)
    }
  })
})

/** Whether every tag that opens closes in turn. */
function balanced(xml: string): boolean {
  const open: string[] = []
  for (const [, closing, name, empty] of xml.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
    if (empty) continue
    if (!closing) open.push(name!)
    else if (open.pop() !== name) return false
  }
  return open.length === 0
}
