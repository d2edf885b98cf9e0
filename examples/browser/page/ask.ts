import { byId, element } from './dom.js'
import type { Model } from './model.js'
import { count } from './numbers.js'
import type { Question, Questions } from './questions.js'

const input = byId('question', HTMLInputElement)
const note = byId('question-note', HTMLElement)
const picks = byId('picks', HTMLUListElement)

/** Rows of the test questions: a refund, a PIN, a stolen phone. The page opens with the first. */
const FIRST_PICKS = [29, 35, 27]
/** Milliseconds without a key before a text is searched for. */
const PAUSE = 150

export interface AskEvents {
  readonly onQuestion: (question: Question) => void
  /** What is typed has no vector: what is shown no longer answers it. */
  readonly onUnanswered: () => void
}

/** The search box: a real question brings its vector along, any other text goes through the model. */
export class AskBox {
  readonly #questions: Questions
  readonly #on: AskEvents
  #model: Model | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  /** Counts what was asked, so that a late answer of the model is dropped. */
  #asked = 0

  constructor(questions: Questions, on: AskEvents) {
    this.#questions = questions
    this.#on = on
    byId('questions', HTMLDataListElement).append(
      ...questions.all.map(({ text }) => element('option', { value: text })),
    )
    picks.append(...FIRST_PICKS.map((row) => this.#pick(questions.all[row]!)))
    byId('another', HTMLButtonElement).addEventListener('click', () => {
      this.ask(questions.all[Math.floor(Math.random() * questions.all.length)]!)
    })
    input.addEventListener('input', () => {
      clearTimeout(this.#timer)
      this.#timer = setTimeout(() => this.#typed(), PAUSE)
    })
    byId('ask', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault()
      clearTimeout(this.#timer)
      void this.#typed()
    })
    this.#hint()
  }

  /** Asks the first of the picks. */
  begin(): void {
    this.ask(this.#questions.all[FIRST_PICKS[0]!]!)
  }

  /** From now on any text can be asked; what stands in the box is. */
  useModel(model: Model): void {
    this.#model = model
    this.#hint()
    if (input.value.trim() !== '') void this.#typed()
  }

  /** Puts a test question into the box and asks it. */
  ask(question: Question): void {
    clearTimeout(this.#timer)
    this.#asked++
    input.value = question.text
    this.#hint()
    this.#on.onQuestion(question)
  }

  async #typed(): Promise<void> {
    const asked = ++this.#asked
    const text = input.value.trim()
    if (text === '') return this.#hint()
    const known = this.#questions.find(text)
    if (this.#model === undefined) {
      if (known !== undefined) return this.ask(known)
      this.#on.onUnanswered()
      note.textContent = 'No vector for these words yet: choose a question from the list, or load the model below.'
      return
    }
    try {
      const { vector, ms } = await this.#model.embed(text)
      if (asked !== this.#asked) return
      this.#hint()
      this.#on.onQuestion({ text, vector, embedMs: ms, ...(known?.category && { category: known.category }) })
    } catch (error) {
      this.#on.onUnanswered()
      note.textContent = `The model could not embed this text (${(error as Error).message}): try other words.`
    }
  }

  #hint(): void {
    note.textContent =
      this.#model === undefined
        ? `The box completes ${count(this.#questions.all.length)} real questions; with the model it takes any words.`
        : 'Type anything: each pause in typing searches.'
  }

  #pick(question: Question): HTMLElement {
    const button = element('button', { type: 'button' }, question.text)
    button.addEventListener('click', () => this.ask(question))
    return element('li', {}, button)
  }
}
