import { fetchJson, fetchRows } from './fetch-bytes.js'
import type { Manifest, TextFile } from './manifest.js'

/** What is searched for. */
export interface Question {
  readonly text: string
  readonly vector: Float32Array
  /** Known of test questions only. */
  readonly category?: string
  /** Milliseconds in the model; undefined where the vector came with the page. */
  readonly embedMs?: number
}

/** The test questions with their vectors, which came with the page. */
export class Questions {
  readonly all: readonly Question[]
  /** Rows x dims, in the order of `all`. */
  readonly vectors: Float32Array<ArrayBuffer>
  readonly #byText: ReadonlyMap<string, Question>

  private constructor(file: TextFile, vectors: Float32Array<ArrayBuffer>, dims: number) {
    this.vectors = vectors
    this.all = file.texts.map((text, i) => ({
      text,
      vector: vectors.subarray(i * dims, (i + 1) * dims),
      category: file.names[file.category[i]!]!,
    }))
    this.#byText = new Map(this.all.map((question) => [normalised(question.text), question]))
  }

  static async load({ questions, dims }: Manifest): Promise<Questions> {
    const file = fetchJson<TextFile>('questions.json')
    const vectors = fetchRows('questions.f32', questions, dims)
    return new Questions(await file, await vectors, dims)
  }

  find(text: string): Question | undefined {
    return this.#byText.get(normalised(text))
  }
}

function normalised(text: string): string {
  return text.trim().replace(/\s+/g, ' ').toLowerCase()
}
