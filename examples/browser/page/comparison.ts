import type { SearchResult } from 'packvec'
import { breathe, timeOf } from './clock.js'
import { Candidate, CONTENDERS, type Contender, recall } from './contenders.js'
import type { Question, Questions } from './questions.js'

/** One line of the table. */
export interface Line {
  readonly contender: Contender
  readonly bytesPerVector: number
  /** Of the question on show. */
  readonly found?: SearchResult
  readonly ms?: number
  /** Over all test questions. */
  readonly recall?: number
}

/** Questions searched in one task, so that the page stays awake. */
const BATCH = 64

/** The same corpus under each precision, searched beside each other. */
export class Comparison {
  readonly candidates: readonly Candidate[]
  readonly #questions: Questions
  readonly #lines: Line[]
  readonly #onChange: (lines: readonly Line[]) => void
  #exact: SearchResult[] = []
  /** The multiplier that the recall on show belongs to. */
  #measured = 0
  /** Counts what was asked for, so that work for an older question or multiplier stops. */
  #run = 0

  private constructor(
    candidates: readonly Candidate[],
    questions: Questions,
    onChange: (lines: readonly Line[]) => void,
  ) {
    this.candidates = candidates
    this.#questions = questions
    this.#onChange = onChange
    this.#lines = candidates.map(({ contender, bytesPerVector }) => ({ contender, bytesPerVector }))
  }

  /** Builds all indexes, one a task. */
  static async build(
    embeddings: Float32Array,
    dims: number,
    questions: Questions,
    onChange: (lines: readonly Line[]) => void,
  ): Promise<Comparison> {
    const candidates: Candidate[] = []
    for (const contender of CONTENDERS) {
      candidates.push(new Candidate(contender, embeddings, dims))
      await breathe()
    }
    return new Comparison(candidates, questions, onChange)
  }

  /**
   * Searches for one question under every precision, then measures what is not known yet over all of them.
   * Resolves to false where a newer call took over.
   */
  async show(question: Question, multiplier: number): Promise<boolean> {
    const run = ++this.#run
    const multiplierChanged = multiplier !== this.#measured
    for (const [i, candidate] of this.candidates.entries()) {
      this.#set(i, { found: candidate.search(question.vector, multiplier) })
    }
    for (const [i, candidate] of this.candidates.entries()) {
      const ms = await timeOf(() => candidate.search(question.vector, multiplier))
      if (run !== this.#run) return false
      this.#set(i, { ms })
      await breathe()
    }
    for (const [i, { contender }] of this.candidates.entries()) {
      const known = this.#lines[i]!.recall !== undefined && !(multiplierChanged && contender.rescored)
      if (known) continue
      const found = await this.#searchAll(this.candidates[i]!, multiplier, () => run === this.#run)
      if (found === undefined) return false
      if (i === 0) this.#exact = found
      this.#set(i, { recall: recall(found, this.#exact) })
    }
    this.#measured = multiplier
    return true
  }

  async #searchAll(candidate: Candidate, multiplier: number, wanted: () => boolean) {
    const found: SearchResult[] = []
    const vectors = this.#questions.all.map(({ vector }) => vector)
    for (let first = 0; first < vectors.length; first += BATCH) {
      found.push(...candidate.searchAll(vectors.slice(first, first + BATCH), multiplier))
      await breathe()
      if (!wanted()) return undefined
    }
    return found
  }

  #set(i: number, values: Partial<Line>): void {
    this.#lines[i] = { ...this.#lines[i]!, ...values }
    this.#onChange(this.#lines)
  }
}
