// What the pages take for granted: embeddings of some questions, and files behind https://example.com.
import type { TensorLike } from 'packvec'
import { readNpy } from 'packvec/node'

declare global {
  /** rows x dims, as a model returns them. */
  var embeddings: TensorLike
  var moreEmbeddings: TensorLike
  /** Other embeddings of the same model. */
  var sample: TensorLike
  var query: Float32Array
  var queries: { data: Float32Array; dims: number[] }
  var texts: string[]
}

async function load(name: string): Promise<{ data: Float32Array; dims: number[] }> {
  const { data, dims } = await readNpy(name)
  return { data: data as Float32Array, dims }
}

const corpus = await load('corpus.npy')
globalThis.embeddings = corpus
globalThis.moreEmbeddings = await load('more.npy')
globalThis.sample = await load('sample.npy')
const questions = await load('queries.npy')
globalThis.queries = questions
globalThis.query = questions.data.subarray(0, questions.dims[1])
globalThis.texts = Array.from({ length: corpus.dims[0]! }, (_, i) => `question ${i}`)

const { fetch } = globalThis
globalThis.fetch = (input, init) => {
  const url = String(input instanceof Request ? input.url : input)
  return fetch(url.replace('https://example.com/', process.env['PACKVEC_SNIPPETS_URL']!), init)
}
