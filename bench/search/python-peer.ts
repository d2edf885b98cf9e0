import { type QuantizedEmbeddings, quantizeEmbeddings } from '../../src/index.js'
import { verify } from '../measure.js'
import { BATCH, TOP_K } from '../sizes.js'
import type { Corpus } from './corpus.js'
import type { Keeper } from './indexes.js'
import type { Peer, PeerLine, Truth } from './peer.js'
import type { PythonProcess } from './python.js'
import { recallAt10, sameRanking } from './recall.js'

interface Answer {
  readonly ms: number
  readonly ids: number[][]
  readonly scores: number[][]
}

const VERIFIED = 8
/** Exact float32 and SQ8 take long over all of them. */
const RECALL_QUERIES = 64

const WHAT: Readonly<Record<string, string>> = {
  'faiss-flat': 'faiss IndexFlatIP, top 100',
  'faiss-sq8': 'faiss IndexScalarQuantizer 8 bit, top 100',
  'faiss-binary': 'faiss IndexBinaryFlat, top 100',
  'usearch-py': 'usearch (Python) exact float32, top 100',
}

/** faiss and usearch in a Python process, on one thread, over the same rows. */
export class PythonPeer implements Peer {
  readonly #python: PythonProcess
  #bits = new Uint8Array(0)
  #rows = 0
  #close = () => {}

  constructor(python: PythonProcess) {
    this.#python = python
  }

  begin({ rows, dims }: Corpus): Keeper {
    const file = this.#python.writeChunks('corpus.npy', rows, dims)
    this.#bits = new Uint8Array((rows * dims) / 8)
    this.#rows = rows
    this.#close = file.close
    return (chunk, first) => {
      file.append(chunk)
      this.#bits.set(packed(chunk, dims).data as Uint8Array, (first * dims) / 8)
    }
  }

  async lines({ corpus, indexes, exact }: Truth): Promise<PeerLine[]> {
    const { queries, dims } = corpus
    const count = queries.length / dims
    this.#close()
    this.#python.write('bits.npy', this.#bits, [this.#rows, dims / 8])
    this.#python.write('queries.npy', queries, [count, dims])
    this.#python.write('query-bits.npy', packed(queries, dims).data as Uint8Array, [count, dims / 8])
    this.#bits = new Uint8Array(0)
    const { contenders } = await this.#python.ask<{ contenders: string[] }>('load', { rows: this.#rows, dims })
    const ask = (name: string, first: number, many: number) =>
      this.#python.ask<Answer>('search', { name, first, count: many, k: TOP_K })
    const lines: PeerLine[] = []
    for (const name of contenders) {
      let next = 0
      const single = async () => (await ask(name, next++ % count, 1)).ms
      const { ids, scores } = await ask(name, 0, name === 'faiss-binary' ? count : Math.min(RECALL_QUERIES, count))
      for (let i = 0; i < VERIFIED; i++) {
        if (name === 'faiss-flat' || name === 'usearch-py') {
          verify(sameRanking(exact[i]!, ids[i]!), `${name} ranks otherwise than packvec`)
        } else if (name === 'faiss-binary') {
          const own = indexes.binary.search(queries.subarray(i * dims, (i + 1) * dims), { topK: TOP_K })
          verify(String(own.distances) === String(scores[i]), `${name} finds other distances than packvec`)
        }
      }
      const recall = recallAt10(exact, (query) => ids[query]!, ids.length)
      verify(name !== 'faiss-sq8' || recall > 0.8, `${name} has a recall of ${recall}`)
      const line = { name, what: WHAT[name]!, recall, single: { name, run: single, remote: true } }
      const batch = { name, remote: true, run: async () => (await ask(name, 0, BATCH)).ms }
      lines.push(name === 'faiss-binary' ? { ...line, batch } : line)
    }
    return lines
  }

  async end(): Promise<void> {
    await this.#python.ask('forget')
    for (const name of ['corpus.npy', 'bits.npy']) this.#python.remove(name)
  }
}

function packed(data: Float32Array, dims: number): QuantizedEmbeddings {
  return quantizeEmbeddings({ data, dims: [data.length / dims, dims] }, 'ubinary')
}
