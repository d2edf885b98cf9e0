import { execFileSync } from 'node:child_process'
import { summary } from './measure.js'
import type { Section } from './results.js'

/** From nothing to a first quantized row, in fresh Node processes. */
export function startSection(repeats: number): Section {
  const code = `
    const start = performance.now()
    const { quantizeEmbeddings } = await import(${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)})
    quantizeEmbeddings(new Float32Array(384).fill(1), 'ubinary')
    console.log(performance.now() - start)`
  const run = () => Number(execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' }))
  const timing = summary('start', Array.from({ length: repeats }, run))
  const lines = [{ id: 'start.first-row', what: 'import packvec and quantize a row', timing }]
  return { title: 'Start, in fresh processes', lines }
}
