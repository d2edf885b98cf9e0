import { breathe } from './clock.js'
import { TOP_K } from './contenders.js'
import type { Corpus } from './corpus.js'
import { byId } from './dom.js'
import type { Question } from './questions.js'
import { markStale, showResults } from './results.js'
import { measureSplit, showSplit } from './split.js'
import { adviseOn } from './trouble.js'

const slider = byId('multiplier', HTMLInputElement)
const sliderText = byId('multiplier-text', HTMLOutputElement)
const note = byId('results-note', HTMLElement)

type Listener = (question: Question, multiplier: number) => void

/** The question on show: searches for it, and again when the slider moves; the newest always wins. */
export class SearchView {
  readonly #corpus: Corpus
  readonly #listeners: Listener[] = []
  #question: Question | undefined
  #run = 0

  constructor(corpus: Corpus) {
    this.#corpus = corpus
    this.#showMultiplier()
    slider.addEventListener('input', () => {
      this.#showMultiplier()
      void this.#search()
    })
  }

  get question(): Question | undefined {
    return this.#question
  }

  get multiplier(): number {
    return slider.valueAsNumber
  }

  onShown(listener: Listener): void {
    this.#listeners.push(listener)
  }

  show(question: Question): void {
    this.#question = question
    void this.#search()
  }

  /** Results stay where they are, visibly of the question before. */
  stale(): void {
    this.#run++
    markStale()
  }

  async #search(): Promise<void> {
    const question = this.#question
    if (question === undefined) return
    const run = ++this.#run
    const multiplier = this.multiplier
    try {
      const start = performance.now()
      const result = await this.#corpus.search(question.vector, TOP_K, multiplier)
      if (run !== this.#run) return
      showResults(question, result, this.#corpus.texts)
      const first = performance.now() - start
      showSplit({}, question)
      await breathe()
      const parts = await measureSplit(this.#corpus, question, TOP_K, multiplier, first)
      if (run !== this.#run) return
      showSplit(parts, question)
      for (const listener of this.#listeners) listener(question, multiplier)
    } catch (error) {
      if (run !== this.#run) return
      markStale()
      note.textContent = `The search failed. ${adviseOn(error)}`
    }
  }

  #showMultiplier(): void {
    sliderText.textContent = `${this.multiplier} × ${TOP_K} = ${this.multiplier * TOP_K} candidates`
  }
}
