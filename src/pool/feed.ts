import { scratchEncoder } from '../codes/encoder.js'
import { type Embeddings, isTensorLike, type RowSource } from '../rows/matrix.js'
import { settleAll } from './errors.js'
import type { Link } from './link.js'
import type { RowMap, Share } from './row-map.js'
import type { TransportKind } from './transport.js'

/** Floats on their way to a worker at a time, twice: one chunk is encoded while the next is filled. */
const CHUNK_BYTES = 1 << 22
const CHUNKS_UNDER_WAY = 2

/**
 * Sends rows to the shards that are to hold them. Chunks go by transfer and come back to be filled again; floats that lie in
 * shared memory are encoded from there.
 * @throws what a worker throws, when all have ended: some shards may have rows by then
 */
export async function feedRows(
  links: readonly Link[],
  index: number,
  rows: RowSource,
  shares: readonly Share[],
  shared: Float32Array | undefined,
): Promise<void> {
  await settleAll(
    shares.map((share) => {
      const link = links[share.shard]!
      if (shared === undefined) return feedShare(link, index, rows, share)
      const values = shared.subarray(share.first * rows.dims, (share.first + share.count) * rows.dims)
      return link.send({ op: 'append', index, values }).then(() => {})
    }),
  )
}

/** Whether the rows reach one shard in one message, so that they are added or not as the shard's own `append` has it. */
export function isOneMessage(rows: RowSource, shares: readonly Share[]): boolean {
  return shares.length === 1 && 4 * rows.dims * rows.rows <= CHUNK_BYTES
}

/** Makes room in every shard before any gets rows: a shard that has none left changes nothing. */
export async function reserveRows(
  links: readonly Link[],
  index: number,
  map: RowMap,
  shares: readonly Share[],
): Promise<void> {
  await settleAll(
    shares.map(({ shard, count }) => links[shard]!.send({ op: 'reserve', index, rows: map.sizeOf(shard) + count })),
  )
}

/** Looks at every value before a worker does, so that a bad one is named by its row and nothing is added. */
export function checkRows(rows: RowSource): void {
  scratchEncoder(rows.dims).encoder.forEachChunk(rows, 'embeddings', () => {})
}

/** The floats of embeddings that every thread sees as they are; undefined where they must be copied or changed. */
export function sharedFloats(embeddings: Embeddings, transport: TransportKind): Float32Array | undefined {
  if (transport !== 'shared') return undefined
  const data = isTensorLike(embeddings) ? embeddings.data : embeddings
  return data instanceof Float32Array && data.buffer instanceof SharedArrayBuffer ? data : undefined
}

async function feedShare(link: Link, index: number, rows: RowSource, { first, count }: Share): Promise<void> {
  const { dims } = rows
  const chunkRows = Math.min(count, Math.max(1, Math.floor(CHUNK_BYTES / (4 * dims))))
  const underWay: Promise<Float32Array>[] = []
  try {
    for (let done = 0; done < count; done += chunkRows) {
      const free = underWay.length < CHUNKS_UNDER_WAY ? undefined : await underWay.shift()!
      const buffer = (free?.buffer as ArrayBuffer | undefined) ?? new ArrayBuffer(4 * dims * chunkRows)
      const rowCount = Math.min(chunkRows, count - done)
      const values = new Float32Array(buffer, 0, rowCount * dims)
      rows.copyRows(first + done, rowCount, values, dims)
      const answer = link.send<Float32Array>({ op: 'append', index, values }, [buffer])
      // Looked at in its turn below; until then a rejection must not count as nobody's.
      answer.catch(() => {})
      underWay.push(answer)
    }
    await Promise.all(underWay)
  } finally {
    await Promise.allSettled(underWay)
  }
}
