import { PackvecError } from 'packvec'
import { type OpenProgress, openIndex, type StoredIndex, type StoredResult } from 'packvec/storage'
import type { Manifest, TextFile } from './manifest.js'

export interface CorpusEvents {
  /** Bytes of the bits so far. */
  readonly onLoading: (bytes: number, totalBytes: number) => void
  /** The index can be searched: through ranges of the file, or from a copy in this browser. */
  readonly onReady: (from: 'ranges' | 'copy') => void
  /** Bytes of the copy that is made while the page is in use already. */
  readonly onCopying: (bytes: number, totalBytes: number) => void
  /** No copy could be made: the page works, but not offline. */
  readonly onNoCopy: (error: unknown) => void
}

/** Set when a copy was complete: the next visit then opens it first. */
const COPIED = 'packvec-demo-copy'

/**
 * The index of the corpus. A first visit reads the bits and searches at once, with int8 codes read by range; meanwhile the
 * file is copied into the browser's private file system, from which later visits, also those without a network, open it.
 */
export class Corpus {
  readonly texts: TextFile
  #index: StoredIndex

  private constructor(texts: TextFile, index: StoredIndex) {
    this.texts = texts
    this.#index = index
  }

  static async open(
    { index: { url }, version }: Manifest,
    texts: Promise<TextFile>,
    on: CorpusEvents,
  ): Promise<Corpus> {
    const address = new URL(url, document.baseURI).href
    const copied = remembered() === version
    const onProgress = ({ bytes, totalBytes }: OpenProgress) => on.onLoading(bytes, totalBytes ?? bytes)
    const index = await openIndex(
      address,
      copied ? { cache: 'opfs', onCacheFull: 'network', onProgress } : { onProgress },
    )
    const corpus = new Corpus(await texts, index)
    on.onReady(copied ? 'copy' : 'ranges')
    if (!copied) void corpus.#copy(address, version, on)
    return corpus
  }

  get backend() {
    return this.#index.backend
  }

  search(vector: Float32Array, topK: number, rescoreMultiplier: number): Promise<StoredResult> {
    return this.#index.search(vector, { topK, rescoreMultiplier })
  }

  /** Tab closed in the middle: the next visit takes the copy up where it ended. */
  async #copy(address: string, version: string, on: CorpusEvents): Promise<void> {
    try {
      const onProgress = ({ phase, bytes, totalBytes }: OpenProgress) => {
        if (phase === 'download') on.onCopying(bytes, totalBytes ?? bytes)
      }
      // A search that is under way goes on with the index that it began with.
      this.#index = await openIndex(address, { cache: 'opfs', onProgress })
      remember(version)
      on.onReady('copy')
    } catch (error) {
      if (!(error instanceof PackvecError)) throw error
      on.onNoCopy(error)
    }
  }
}

/** Private windows may refuse to remember anything. */
function remembered(): string | null {
  try {
    return localStorage.getItem(COPIED)
  } catch {
    return null
  }
}

function remember(version: string): void {
  try {
    localStorage.setItem(COPIED, version)
  } catch {
    // The next visit begins like a first one.
  }
}
