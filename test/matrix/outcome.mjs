// What a cell must give.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'

const expected = JSON.parse(await readFile(new URL('expected.json', import.meta.url), 'utf8'))

/** The whole scenario, bit for bit, on the wasm kernels. */
export function checkCore(outcome) {
  assert.deepEqual(outcome, expected)
}

/** What the pool searched: the same bits as one thread. */
export function checkPool(hits) {
  assert.ok(Object.keys(hits).length > 3)
  for (const [name, results] of Object.entries(hits)) assert.deepEqual(results, expected.hits[name], `pool: ${name}`)
}

/** An outcome as a runtime printed it, in its last line. */
export function parseOutcome(output) {
  const line = output.trimEnd().split('\n').at(-1)
  try {
    return JSON.parse(line)
  } catch {
    throw new Error(`no outcome in the output:\n${output}`)
  }
}
