import { buildIndex } from 'packvec/node'
import { type OpenProgress, openIndex, type StoredResult } from 'packvec/storage'
import './common.js'

declare global {
  var ids: string[]
  var matrices: (typeof queries)[]
  var signal: AbortSignal
  var onProgress: (progress: OpenProgress) => void
  /** The digest of corpus.safetensors. */
  var sha256: string
  var save: (results: StoredResult[]) => void
}

globalThis.ids = texts.slice(0, 10)
globalThis.matrices = [queries, queries]
globalThis.signal = new AbortController().signal
globalThis.onProgress = () => {}
globalThis.save = (results) => {
  if (results.length !== queries.dims[0]) throw new Error(`${results.length} results`)
}
await buildIndex('corpus.safetensors', ['corpus.npy'], { ids: texts })
globalThis.sha256 = (await openIndex('corpus.safetensors')).sha256[0]!
