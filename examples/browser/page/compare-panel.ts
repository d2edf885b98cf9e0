import { Comparison, type Line } from './comparison.js'
import { byId } from './dom.js'
import type { Floats } from './floats.js'
import { bytes } from './numbers.js'
import { showPlot } from './plot.js'
import type { Question, Questions } from './questions.js'
import type { SearchView } from './search-view.js'
import { showTable } from './table.js'
import { adviseOn } from './trouble.js'

const button = byId('compare', HTMLButtonElement)
const note = byId('compare-note', HTMLElement)

/** The table and the plot; once measured they follow the question and the slider. */
export function connectComparison(floats: Floats, floatBytes: number, questions: Questions, view: SearchView): void {
  note.textContent = `Downloads ${bytes(floatBytes)} of float32 embeddings first.`
  button.addEventListener('click', async () => {
    button.disabled = true
    try {
      const rows = await floats.load((received, total) => {
        note.textContent = `Downloading the float32 embeddings: ${bytes(received)} of ${bytes(total)}`
      })
      note.textContent = 'Building six indexes…'
      const comparison = await Comparison.build(rows, floats.dims, questions, showLines)
      const show = async (question: Question, multiplier: number) => {
        note.textContent = 'Measuring…'
        if (await comparison.show(question, multiplier)) note.textContent = `For “${question.text}”`
      }
      await show(view.question ?? questions.all[0]!, view.multiplier)
      view.onShown(show)
    } catch (error) {
      note.textContent = adviseOn(error)
      button.disabled = false
    }
  })
}

function showLines(lines: readonly Line[]): void {
  showTable(lines)
  showPlot(lines)
}
