/** What the build tells the page about its files, in `demo.json`; sizes in bytes. */
export interface Manifest {
  readonly version: string
  readonly rows: number
  readonly dims: number
  readonly questions: number
  readonly index: {
    /** Relative to the page, or the URL of another host. */
    readonly url: string
    readonly bytes: number
    readonly bitBytes: number
  }
  readonly corpusBytes: number
  readonly model: {
    readonly id: string
    /** Whether its files lie beside the page; otherwise they come from the Hugging Face hub. */
    readonly hosted: boolean
    readonly bytes: number
    readonly runtimeBytes: number
  }
}

/** Texts with their categories: text `i` has the category `names[category[i]]`. */
export interface TextFile {
  readonly texts: readonly string[]
  readonly names: readonly string[]
  readonly category: readonly number[]
}
