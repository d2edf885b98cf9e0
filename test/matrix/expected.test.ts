import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import * as core from '../../src/index.js'
import * as rotations from '../../src/rotations.js'
import * as storage from '../../src/storage.js'
import { dots, ranking } from '../oracle.js'
import { scenarioData } from './data.mjs'
import { type Hits, runScenario } from './scenario.js'

const file = new URL('expected.json', import.meta.url)
const data = await scenarioData()

/** Exact search by plain loops. */
function nearest(query: Float32Array, topK: number): number[] {
  const { corpus } = data
  return ranking(dots(query, corpus.data, corpus.dims[1]), topK)
}

function idsOf(hits: Record<string, Hits>) {
  return Object.entries(hits).map(([name, results]) => [name, results.map(({ ids }) => ids)])
}

describe('the results that every runtime must give', () => {
  afterAll(() => core.init({ backend: 'wasm' }))

  it('are those of the kernels in this Node, bit for bit', () => {
    const outcome = runScenario({ core, rotations, storage }, data)
    if (process.env['WRITE_EXPECTED']) writeFileSync(file, `${JSON.stringify(outcome)}\n`)
    expect(outcome).toEqual(JSON.parse(readFileSync(file, 'utf8')))
    expect(outcome.backend).toBe('wasm')
    expect(outcome.errors).toEqual(['DIMS_MISMATCH', 'NOT_FINITE', 'DISPOSED'])
  })

  it('are, for float32, those of a plain exact search', () => {
    const { hits } = JSON.parse(readFileSync(file, 'utf8'))
    const { dims, data: values } = { dims: data.queries.dims[1], data: data.queries.data }
    const exact = hits.float32.map((_: unknown, i: number) => nearest(values.subarray(i * dims, (i + 1) * dims), 5))
    expect(hits.float32.map(({ ids }: { ids: number[] }) => ids)).toEqual(exact)
  })

  it('have the codes and ids of the plain TypeScript kernels', () => {
    core.init({ backend: 'typescript' })
    const outcome = runScenario({ core, rotations, storage }, data)
    const expected = JSON.parse(readFileSync(file, 'utf8'))
    expect(outcome.backend).toBe('typescript')
    expect(outcome.codes).toEqual(expected.codes)
    expect(idsOf(outcome.hits)).toEqual(idsOf(expected.hits))
  })
})
