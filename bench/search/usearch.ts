import { verify } from '../measure.js'
import { TOP_K } from '../sizes.js'
import type { Corpus } from './corpus.js'
import type { Keeper } from './indexes.js'
import type { Peer, PeerLine, Truth } from './peer.js'
import { recallAt10, sameRanking } from './recall.js'

interface Matches {
  readonly keys: BigUint64Array
}

/** The part of usearch's npm package that the bench calls. */
export interface Usearch {
  exactSearch(
    dataset: Float32Array | Int8Array,
    query: Float32Array | Int8Array,
    dims: number,
    count: number,
    metric: string,
    threads: number,
  ): Matches
}

const VERIFIED = 8

/** usearch's exact search over flat arrays, one thread, in this process. */
export class UsearchPeer implements Peer {
  readonly #usearch: Usearch
  #floats = new Float32Array(0)
  #codes = new Int8Array(0)
  #scale = 1

  constructor(usearch: Usearch) {
    this.#usearch = usearch
  }

  begin({ rows, dims }: Corpus): Keeper {
    this.#floats = new Float32Array(rows * dims)
    this.#codes = new Int8Array(rows * dims)
    return (chunk, first) => {
      // One scale for all dimensions, from the first chunk, as usearch's own int8 has one for all.
      if (first === 0) this.#scale = 127 / chunk.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0)
      this.#floats.set(chunk, first * dims)
      const codes = this.#codes.subarray(first * dims, first * dims + chunk.length)
      quantize(chunk, this.#scale, codes)
    }
  }

  async lines(truth: Truth): Promise<PeerLine[]> {
    const { corpus, exact } = truth
    const { queries, dims } = corpus
    const count = queries.length / dims
    const codes = quantize(queries, this.#scale, new Int8Array(queries.length))
    const search = (data: Float32Array | Int8Array, rows: Float32Array | Int8Array) => {
      // Copies: this package reads a view from the start of its buffer.
      const own = Array.from({ length: count }, (_, i) => rows.slice(i * dims, (i + 1) * dims))
      let next = 0
      return (at = next++ % count) => this.#usearch.exactSearch(data, own[at]!, dims, TOP_K, 'ip', 1).keys
    }
    const floats = search(this.#floats, queries)
    const bytes = search(this.#codes, codes)
    for (let i = 0; i < VERIFIED; i++) {
      verify(sameRanking(exact[i]!, Array.from(floats(i), Number)), 'usearch float32 ranks otherwise than packvec')
    }
    const found = recallAt10(exact, (i) => Array.from(bytes(i), Number), VERIFIED * 4)
    verify(found > 0.8, `usearch int8 has a recall of ${found}`)
    return [
      {
        name: 'usearch-f32',
        what: 'usearch (npm) exact float32, top 100',
        single: { name: 'f32', run: () => floats() },
        recall: 1,
      },
      {
        name: 'usearch-i8',
        what: 'usearch (npm) exact int8, top 100',
        single: { name: 'i8', run: () => bytes() },
        recall: found,
      },
    ]
  }

  async end(): Promise<void> {
    this.#floats = new Float32Array(0)
    this.#codes = new Int8Array(0)
  }
}

function quantize(values: Float32Array, scale: number, target: Int8Array): Int8Array {
  for (let i = 0; i < values.length; i++) {
    target[i] = Math.max(-127, Math.min(127, Math.round(values[i]! * scale)))
  }
  return target
}
