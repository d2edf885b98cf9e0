import { existsSync } from 'node:fs'
import { QuantizedIndex, quantizeEmbeddings, type TensorLike } from 'packvec'
import { writeNpy } from 'packvec/node'
import { encodeIndex } from 'packvec/storage'
import './common.js'

declare global {
  /** Of Cloudflare's types what the page uses. */
  interface R2Bucket {
    head(key: string): Promise<{ size: number } | null>
    get(
      key: string,
      options: { range: { offset: number; length: number } },
    ): Promise<{ arrayBuffer(): Promise<ArrayBuffer> } | null>
  }
  interface ExecutionContext {
    waitUntil(work: Promise<unknown>): void
  }
  var index: QuantizedIndex
  var bits: Uint8Array
  var indexBytes: Uint8Array
  var signal: AbortSignal
  /** An id for each row of corpus.npy, and of the batches. */
  var ids: string[]
  var moreIds: string[]
  var batches: TensorLike[]
  /** The client of OpenAI's package, as far as the page uses it. */
  var openai: {
    embeddings: { create(request: { model: string; input: string[] }): Promise<{ data: { embedding: number[] }[] }> }
  }
}

globalThis.index = QuantizedIndex.build(embeddings)
globalThis.bits = new Uint8Array(Math.ceil(index.size / 8)).fill(0xff)
globalThis.indexBytes = encodeIndex(index)
globalThis.ids = texts.map((_, row) => `doc-${row}`)
globalThis.batches = [moreEmbeddings, moreEmbeddings]
globalThis.moreIds = Array.from({ length: 200 }, (_, row) => `more-${row}`)
globalThis.signal = new AbortController().signal
globalThis.openai = {
  embeddings: {
    create: async ({ input }) => ({
      data: input.map((_, row) => ({ embedding: [Math.cos(row), Math.sin(row), 0.5] })),
    }),
  },
}
// Where no Python has written them.
if (!existsSync('codes.npy')) await writeNpy('codes.npy', quantizeEmbeddings(embeddings, 'ubinary'))
