import { backend } from 'packvec'
import { runBenchmark } from './benchmark.js'
import { byId } from './dom.js'
import type { Floats } from './floats.js'
import { bytes } from './numbers.js'
import type { Questions } from './questions.js'
import { benchmarkReport } from './report.js'
import { adviseOn } from './trouble.js'

const button = byId('bench', HTMLButtonElement)
const copy = byId('copy', HTMLButtonElement)
const note = byId('bench-note', HTMLElement)
const output = byId('bench-text', HTMLTextAreaElement)

/** The benchmark and its table to paste. */
export function connectBenchmark(floats: Floats, questions: Questions): void {
  button.addEventListener('click', async () => {
    button.disabled = true
    try {
      const rows = await floats.load((received, total) => {
        note.textContent = `Downloading the float32 embeddings: ${bytes(received)} of ${bytes(total)}`
      })
      const measured = await runBenchmark(rows, floats.dims, questions, (done, steps) => {
        note.textContent = `Measuring: ${Math.round((100 * done) / steps)} %`
      })
      const { userAgent, hardwareConcurrency: cores } = navigator
      const where = { backend: backend(), rows: rows.length / floats.dims, dims: floats.dims, userAgent, cores }
      output.value = benchmarkReport(measured, where)
      note.textContent = 'Done.'
      copy.disabled = false
    } catch (error) {
      note.textContent = adviseOn(error)
    } finally {
      button.disabled = false
    }
  })
  copy.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(output.value)
      note.textContent = 'Copied.'
    } catch {
      output.select()
      note.textContent = 'This browser does not let the page copy: the table is selected, press the keys for copying.'
    }
  })
}
