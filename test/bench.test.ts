import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { chart } from '../bench/chart.js'
import { compareRatios } from '../bench/compare.js'
import { FIGURES } from '../bench/figures.js'
import { bench } from '../bench/main.js'
import { interleave } from '../bench/measure.js'
import { loadEmbedded } from '../bench/node-data.js'
import { parseOptions, SECTIONS } from '../bench/options.js'
import type { Report } from '../bench/report.js'
import { searchSections } from '../bench/search/section.js'
import { type Usearch, UsearchPeer } from '../bench/search/usearch.js'
import { SIZES } from '../bench/sizes.js'
import { dots, ranking } from './oracle.js'

/** No time is asserted here: only that every contender runs and is verified, and that the report is whole. */

const PYTHON = process.env['BENCH_PYTHON'] ?? 'python3'

function hasNumpy(): boolean {
  try {
    execFileSync(PYTHON, ['-c', 'import numpy'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

function tinyBench(python?: string): Promise<Report> {
  return bench({ size: 'tiny', sections: SECTIONS, python, out: '' }, () => {})
}

/** usearch's exact search in plain TypeScript. */
const standIn: Usearch = {
  exactSearch(dataset, query, dims, count) {
    return { keys: BigUint64Array.from(ranking(dots(query, dataset, dims), count), BigInt) }
  },
}

const [large] = SIZES.tiny.corpora

describe('the bench', () => {
  it('runs every section on tiny sizes and reports every ratio, or why there is none', async () => {
    const { ratios, minRatios, missing, sections } = await tinyBench()
    expect(Object.keys(ratios)).toEqual(FIGURES.map(({ key }) => key))
    expect(Object.keys(minRatios)).toEqual(Object.keys(ratios))
    for (const [key, value] of Object.entries(ratios)) {
      if (value === null) expect(missing[key], key).toMatch(/./)
      else expect(value, key).toBeGreaterThan(0)
    }
    expect(Object.keys(missing)).toEqual(expect.arrayContaining(['bucket/numpy', 'rescored/faiss-flat']))
    const ids = sections.flatMap(({ lines }) => lines.map(({ id }) => id))
    expect(new Set(ids).size).toBe(ids.length)
  })

  it.skipIf(!hasNumpy())('asks a Python process and checks its answers', async () => {
    const { ratios, versions } = await tinyBench(PYTHON)
    expect(versions).toHaveProperty('python: numpy')
    expect(ratios['bucket/numpy']).toBeGreaterThan(0)
  })

  it('times another library in the same turns once its results are the same', async () => {
    const peers = [new UsearchPeer(standIn)]
    const [single] = await searchSections(large!, loadEmbedded(), peers, SIZES.tiny)
    expect(single!.lines.map(({ id }) => id)).toContain('large.usearch-f32')
  })

  it('stops where another library gives other results', async () => {
    const wrong: Usearch = {
      exactSearch: (data, query, dims, k) =>
        standIn.exactSearch(
          data,
          query.map((x) => -x),
          dims,
          k,
          'ip',
          1,
        ),
    }
    await expect(searchSections(large!, loadEmbedded(), [new UsearchPeer(wrong)], SIZES.tiny)).rejects.toThrow(
      'usearch float32 ranks otherwise than packvec',
    )
  })

  it('lets contenders take turns', async () => {
    const calls: string[] = []
    const slow = (name: string) => ({ name, remote: true, run: async () => calls.push(name) + 20 })
    const timings = await interleave([slow('a'), slow('b')], 2)
    expect(calls.join('')).toBe('aabbabab')
    expect(timings.map(({ samples }) => samples)).toEqual([2, 2])
  })

  it('draws every line of the single queries', async () => {
    const report = await tinyBench()
    const lines = report.sections.filter(({ title }) => title.includes('one query')).flatMap(({ lines }) => lines)
    expect(chart(report).match(/<circle /g)).toHaveLength(lines.length)
  })
})

describe('bench:compare', () => {
  const report = (ratios: Record<string, number | null>) => ({ ratios, sections: [] })

  it('fails on a ratio that is more than 1.5 times worse, whichever way is better', () => {
    const before = report({ 'int8/float32': 3, batch64: 0.5, 'int8/read': 0.8, workers2: null })
    const worse = report({ 'int8/float32': 1.9, batch64: 0.8, 'int8/read': 0.54, workers2: 1.8 })
    expect(compareRatios(before, worse).failed).toEqual([
      'int8/float32 is 1.58 times worse',
      'batch64 is 1.60 times worse',
    ])
    expect(compareRatios(worse, before).failed).toEqual([])
  })
})

describe('the options of the bench', () => {
  it('let --python stand alone', () => {
    expect(parseOptions(['--python', '--quick'], 'x.json')).toMatchObject({ python: 'python3', size: 'quick' })
    expect(parseOptions(['--python', 'venv/bin/python'], 'x.json').python).toBe('venv/bin/python')
  })

  it('refuse a section that there is not', () => {
    expect(() => parseOptions(['--only', 'nothing'], 'x.json')).toThrow('--only takes limits, kernels')
  })
})
