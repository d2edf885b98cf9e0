// Runs the packed package in every runtime and bundler; each cell is a check. Run after a build: npm run matrix.
// The last line counts: "matrix: N passed, N failed, N skipped". Words behind it choose cells by their titles.
import { rm } from 'node:fs/promises'
import { cells as browsers } from './cells/browsers.mjs'
import { cells as bundlers } from './cells/bundlers.mjs'
import { cells as edge } from './cells/edge.mjs'
import { cells as edgeExamples } from './cells/edge-examples.mjs'
import { cells as edgeLimits } from './cells/edge-limits.mjs'
import { cells as next } from './cells/next.mjs'
import { cells as packaging } from './cells/packaging.mjs'
import { cells as runtimes } from './cells/runtimes.mjs'
import { makeProject } from './project.mjs'
import { Skip } from './tools.mjs'

const words = process.argv.slice(2)
const full = Boolean(process.env.CI_FULL) || words.length > 0
const cells = [...packaging, ...runtimes, ...edge, ...edgeExamples, ...edgeLimits, ...browsers, ...bundlers, ...next]
const chosen = cells.filter(({ title }) => words.every((word) => title.includes(word)))
const counts = { passed: 0, failed: 0, skipped: 0 }
const made = await makeProject()

for (const { title, check, heavy } of chosen) {
  const start = performance.now()
  try {
    if (heavy && !full) throw new Skip('it is heavy and runs with CI_FULL=1')
    const note = await check(made)
    const seconds = ((performance.now() - start) / 1000).toFixed(1)
    counts.passed++
    console.log(`ok    ${title} (${note ? `${note}, ` : ''}${seconds} s)`)
  } catch (error) {
    const skipped = error instanceof Skip
    counts[skipped ? 'skipped' : 'failed']++
    console.log(`${skipped ? 'skip ' : 'FAIL '} ${title}: ${error.message}`)
  }
}
await rm(made.folder, { recursive: true, force: true })
console.log(`matrix: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
process.exitCode = counts.failed === 0 ? 0 : 1
