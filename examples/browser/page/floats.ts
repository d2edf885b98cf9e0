import { fetchRows } from './fetch-bytes.js'
import type { Manifest } from './manifest.js'

/** The float32 embeddings of the corpus: fetched when the first panel asks for them, then shared. */
export class Floats {
  readonly #manifest: Manifest
  #rows: Promise<Float32Array<ArrayBuffer>> | undefined

  constructor(manifest: Manifest) {
    this.#manifest = manifest
  }

  get dims(): number {
    return this.#manifest.dims
  }

  /** @throws DownloadError; the next call tries again */
  load(onBytes: (bytes: number, total: number) => void): Promise<Float32Array<ArrayBuffer>> {
    const { rows, dims, corpusBytes } = this.#manifest
    this.#rows ??= fetchRows('corpus.f32', rows, dims, (received) => onBytes(received, corpusBytes)).catch((error) => {
      this.#rows = undefined
      throw error
    })
    return this.#rows
  }
}
