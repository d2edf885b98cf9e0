import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { evaluate } from '../../src/eval.js'
import { contentHash, openCache } from '../../src/evaluation/cache.js'
import { pairs, tensor } from './setup.js'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'packvec-cache-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const sample = { embeddings: tensor(60, 16, 9), name: 'a sample' }
const options = () => ({ techniques: ['rotated-binary'], calibration: sample, cache: folder, onWarning: () => {} })

describe('the cache of evaluate', () => {
  it('gives the same report a second time, from disk', async () => {
    const first = await evaluate(pairs(50, 16), options())
    const again = await evaluate(pairs(50, 16), options())
    expect(first.rows.map(({ cached }) => cached)).not.toContain(true)
    expect(again.rows).toEqual(first.rows.map((row) => ({ ...row, cached: true })))
    expect(again.spectra).toEqual(first.spectra)
  })

  it('never serves an old result for one changed float, score, calibration float, seed or scoring', async () => {
    await evaluate(pairs(50, 16), options())
    const changed = <T extends { data: Float32Array }>(rows: T): T => {
      const data = rows.data.slice()
      data[7] = data[7]! + 0.001
      return { ...rows, data }
    }
    const task = pairs(50, 16)
    const fresh = [
      await evaluate({ ...task, b: changed(task.b) }, options()),
      await evaluate({ ...task, scores: task.scores.map((score, i) => score + (i === 4 ? 0.5 : 0)) }, options()),
      await evaluate(task, { ...options(), calibration: { ...sample, embeddings: changed(sample.embeddings) } }),
      await evaluate(task, { ...options(), seed: 1 }),
      await evaluate(task, { ...options(), scorings: ['asymmetric'] }),
    ]
    for (const [i, { rows }] of fresh.entries())
      expect(
        rows.map(({ cached }) => cached),
        `case ${i}`,
      ).not.toContain(true)
  })

  it('counts a file that is cut or altered as missing', async () => {
    const first = await evaluate(pairs(50, 16), options())
    for (const [i, name] of readdirSync(folder).entries()) {
      const text = readFileSync(join(folder, name), 'utf8')
      const altered = i % 2 === 0 ? text.slice(0, text.length >> 1) : `${text.slice(0, -4)}000\n`
      writeFileSync(join(folder, name), altered)
    }
    const again = await evaluate(pairs(50, 16), options())
    expect(again.rows.map(({ cached }) => cached)).not.toContain(true)
    expect(again.rows.map(({ value }) => value)).toEqual(first.rows.map(({ value }) => value))
  })

  it('that cannot be written gives one warning and the whole report', async () => {
    const blocked = join(folder, 'file')
    writeFileSync(blocked, 'no folder')
    const warnings: string[] = []
    const onWarning = (message: string) => warnings.push(message)
    const report = await evaluate(pairs(50, 16), { ...options(), cache: join(blocked, 'cache'), onWarning })
    expect(report.rows.length).toBeGreaterThan(0)
    expect(warnings).toEqual([expect.stringMatching(/^the cache folder .* cannot be used, so nothing is kept: /)])
  })

  it('keeps float64 arrays bit for bit', async () => {
    const cache = openCache(folder, () => {})
    const values = Float64Array.of(0.1, -0, Number.MIN_VALUE, Number.POSITIVE_INFINITY)
    await cache.get(['key'], () => ({ values }))
    const { value, cached } = await cache.get(['key'], () => ({ values: new Float64Array(0) }))
    expect({ value, cached }).toEqual({ value: { values }, cached: true })
  })
})

describe('contentHash', () => {
  it('tells apart types, lengths and the cut between parts', () => {
    const hashes = [
      contentHash([Float32Array.of(1, 2)]),
      contentHash([Float32Array.of(1), Float32Array.of(2)]),
      contentHash([new Uint8Array(Float32Array.of(1, 2).buffer)]),
      contentHash(['ab', 'c']),
      contentHash(['a', 'bc']),
      contentHash([1]),
      contentHash(['1']),
    ]
    expect(new Set(hashes).size).toBe(hashes.length)
  })
})
