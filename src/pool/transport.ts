import type { Allowed } from '../rows/filter.js'
import type { RescoreCall } from '../search/merge.js'
import type { Candidates } from '../search/search.js'
import type { ExactScores } from '../search/search-job.js'
import { type Boards, offsetsPlace, writeRescore, writeScan } from './call-codec.js'
import { settleAll } from './errors.js'
import type { Link } from './link.js'
import type { BoardName, SharedScan } from './protocol.js'

/** How queries reach the workers: in shared memory, or in messages. */
export type TransportKind = 'shared' | 'transfer'

/** How the two stages of a search reach the workers. Results always come back as arrays that change hands uncopied. */
export interface Transport {
  readonly kind: TransportKind
  /** Runs the first stage in some shards; `allowed` has the rows of each of them that may be found. */
  scan(shards: readonly number[], call: SharedScan, allowed?: readonly Allowed[]): Promise<Candidates[]>
  /** Runs the second stage of the same search, where candidates are left. */
  rescore(calls: readonly { readonly shard: number; readonly call: RescoreCall }[]): Promise<ExactScores[]>
}

/** Whether memory can be shared here: pages must be cross-origin isolated, Node always may. */
export function canShare(): boolean {
  return typeof SharedArrayBuffer === 'function' && globalThis.crossOriginIsolated !== false
}

export function openTransport(kind: TransportKind, links: readonly Link[]): Transport {
  return kind === 'shared' ? new SharedTransport(links) : new TransferTransport(links)
}

class TransferTransport implements Transport {
  readonly kind = 'transfer'
  readonly #links: readonly Link[]

  constructor(links: readonly Link[]) {
    this.#links = links
  }

  scan(shards: readonly number[], call: SharedScan, allowed?: readonly Allowed[]): Promise<Candidates[]> {
    return settleAll(
      shards.map((shard, i) => this.#links[shard]!.send<Candidates>({ op: 'scan', ...call, allowed: allowed?.[i] })),
    )
  }

  rescore(calls: readonly { readonly shard: number; readonly call: RescoreCall }[]): Promise<ExactScores[]> {
    return settleAll(calls.map(({ shard, call }) => this.#links[shard]!.send<ExactScores>({ op: 'rescore', ...call })))
  }
}

/** A board is at least so large, so that ordinary searches never replace it. */
const BOARD_BYTES = 1 << 17

/** Queries and survivors are written once for all workers, which sleep on their control blocks. */
class SharedTransport implements Transport {
  readonly kind = 'shared'
  readonly #links: readonly Link[]
  readonly #boards: Partial<Record<BoardName, SharedArrayBuffer>> = {}

  constructor(links: readonly Link[]) {
    this.#links = links
  }

  async scan(shards: readonly number[], call: SharedScan, allowed?: readonly Allowed[]): Promise<Candidates[]> {
    const { queries, centred, offsets } = call
    const floatBytes = queries.byteLength + (centred?.byteLength ?? 0)
    const offsetsAt = offsetsPlace(call)
    let end = offsets === undefined ? floatBytes : offsetsAt + offsets.byteLength
    const filters = allowed?.map((part) => {
      const at = end
      end += part.bits.length
      return { ...part, at }
    })
    const board = await this.#board('queries', end)
    const floats = new Float32Array(board, 0, floatBytes / 4)
    floats.set(queries)
    if (centred !== undefined) floats.set(centred, queries.length)
    if (offsets !== undefined) new Float64Array(board, offsetsAt, offsets.length).set(offsets)
    for (const { bits, at } of filters ?? []) new Uint8Array(board, at, bits.length).set(bits)
    return settleAll(
      shards.map((shard, i) => this.#links[shard]!.call<Candidates>((target) => writeScan(target, call, filters?.[i]))),
    )
  }

  async rescore(calls: readonly { readonly shard: number; readonly call: RescoreCall }[]): Promise<ExactScores[]> {
    const length = calls.reduce((sum, { call }) => sum + call.counts.length + call.ids.length, 0)
    const words = new Uint32Array(await this.#board('survivors', 4 * length))
    let at = 0
    return settleAll(
      calls.map(({ shard, call }) => {
        const start = at
        words.set(call.counts, start)
        words.set(call.ids, start + call.counts.length)
        at += call.counts.length + call.ids.length
        return this.#links[shard]!.call<ExactScores>((target) => writeRescore(target, start, call))
      }),
    )
  }

  /** A board of at least `bytes`; a larger one goes to all workers first. Views of the old one stay good. */
  async #board(name: BoardName, bytes: number): Promise<Boards[BoardName]> {
    const board = this.#boards[name]
    if (board !== undefined && board.byteLength >= bytes) return board
    const buffer = new SharedArrayBuffer(Math.max(BOARD_BYTES, 2 ** Math.ceil(Math.log2(bytes))))
    await settleAll(this.#links.map((link) => link.send({ op: 'board', name, buffer })))
    this.#boards[name] = buffer
    return buffer
  }
}
