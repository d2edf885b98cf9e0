import { closedError } from '../base/closed.js'
import { checkOwn, OWN, showAs } from '../base/shown.js'
import { layoutOf } from '../codes/column-encoder.js'
import type { Deadline } from '../in-place/deadline.js'
import { decodeIndex } from '../in-place/portable.js'
import { asFileError } from '../index-file/header.js'
import { readIndex } from '../index-file/index-file.js'
import type { Embeddings } from '../rows/matrix.js'
import { type BuildOptions, planIndex } from '../search/build-plan.js'
import { Clipping, codesClipping } from '../search/clipping.js'
import { LoadedRows } from '../search/loaded-rows.js'
import { portableSha256 } from '../sources/sha256.js'
import type { Content } from './content.js'
import { settleAll } from './errors.js'
import { checkRows, feedRows, sharedFloats } from './feed.js'
import type { Link } from './link.js'
import { type PoolCore, PoolIndex } from './pool-index.js'
import type { Request } from './protocol.js'
import { Queue } from './queue.js'
import { RowMap, type Share } from './row-map.js'
import { writeColumn } from './shard.js'
import type { Transport, TransportKind } from './transport.js'

type OpenRequest = Pick<Extract<Request, { op: 'open' }>, 'stages' | 'columns' | 'dims'>

/** Ends the threads of a pool that nobody can reach any more, by itself or by one of its indexes. */
const forgotten = new FinalizationRegistry<readonly Link[]>((links) => {
  for (const link of links) void link.end(closedError('pool', 'closed: create another one'))
})

/** Threads that hold rows of indexes and search them together; `createPool` starts them. */
export class Pool {
  readonly #links: readonly Link[]
  readonly #core: PoolCore
  readonly #queue = new Queue()
  /** Why nothing runs any more: the pool was closed, or a worker is lost. */
  #failure: Error | undefined
  #indexes = 0

  private constructor(own: object, links: readonly Link[], transport: Transport) {
    checkOwn(own, 'Pool', 'createPool()')
    showAs(this, 'Pool', 'workers transport')
    this.#links = links
    forgotten.register(this, links)
    this.#core = { links, transport, check: () => this.#check(), run: (...args) => this.#run(...args) }
  }

  /** @internal */
  static ofLinks(links: readonly Link[], transport: Transport): Pool {
    return new Pool(OWN, links, transport)
  }

  /** How queries reach the threads. */
  get transport(): TransportKind {
    return this.#core.transport.kind
  }

  /** Number of threads. */
  get workers(): number {
    return this.#links.length
  }

  /**
   * Quantizes embeddings into an index over all workers, with the ranges, levels and options of `QuantizedIndex.build`.
   * `embeddings` must not change before the promise settles; floats in shared memory are not copied.
   * @throws (rejects with) PackvecError as `QuantizedIndex.build` does, DISPOSED, IO if a worker is lost
   */
  async build(embeddings: Embeddings, options?: BuildOptions): Promise<PoolIndex> {
    this.#check()
    const { rows, source, stages, transform, columns, capacity, growth } = planIndex(embeddings, options)
    const map = new RowMap(this.#links.length)
    const shares = map.share(rows.rows)
    const open = { stages, columns: columns.map(writeColumn), dims: transform.dims }
    return this.#open(open, { transform, map, columns, growth, extras: undefined }, shares, capacity, async (index) => {
      checkRows(rows)
      const shared = rows === source ? sharedFloats(embeddings, this.transport) : undefined
      await feedRows(this.#links, index, rows, shares, shared)
    })
  }

  /**
   * Opens an index that `encodeIndex` or the builder wrote: by the ids of the file, without deleted rows.
   * @throws (rejects with) PackvecError INVALID_FILE, UNSUPPORTED, DISPOSED, IO
   */
  async open(bytes: Uint8Array | ArrayBuffer): Promise<PoolIndex> {
    this.#check()
    const { stages, transform, rows, columns, codes, records } = readIndex(bytes, portableSha256)
    const extras = asFileError(() => new LoadedRows(records, rows))
    const growth = { early: undefined, clipping: new Clipping(codesClipping(columns, codes, transform.dims)) }
    const map = new RowMap(this.#links.length)
    const shares = map.share(rows)
    const open = { stages, columns: columns.map(writeColumn), dims: transform.dims }
    try {
      return await this.#open(open, { transform, map, columns, growth, extras }, shares, rows, async (index) => {
        await settleAll(
          shares.map(({ shard, first, count }) => {
            const parts = codes.map(({ precision, bytes, scales }, i) => {
              const { rowBytes } = layoutOf(columns[i]!, transform.dims)
              const part = new Uint8Array(bytes.subarray(first * rowBytes, (first + count) * rowBytes))
              return { precision, bytes: part, scales: scales?.slice(first, first + count) }
            })
            const buffers = parts.flatMap(({ bytes, scales }) => [bytes.buffer, ...(scales ? [scales.buffer] : [])])
            const request = { op: 'appendCodes', index, codes: parts, rows: count } as const
            return this.#links[shard]!.send(request, buffers as ArrayBuffer[])
          }),
        )
      })
    } catch (error) {
      // A worker would name the row by its place in the shard.
      if ((error as { code?: string }).code === 'NOT_FINITE') decodeIndex(bytes)
      throw error
    }
  }

  /** Ends the workers and frees their memory; calls under way and later ones reject with `DISPOSED`. */
  async close(): Promise<void> {
    this.#failure = closedError('pool', 'closed: create another one')
    await this.fail(this.#failure)
  }

  /** `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Rejects everything from now on. @internal */
  async fail(reason: Error): Promise<void> {
    this.#failure ??= reason
    await Promise.all(this.#links.map((link) => link.end(this.#failure!)))
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  async #run<T>(work: () => Promise<T>, deadline?: Deadline): Promise<T> {
    this.#check()
    return this.#queue.run(() => {
      this.#check()
      return work()
    }, deadline)
  }

  /** Opens shards in all workers and fills them; where that fails they are dropped. */
  async #open(
    open: OpenRequest,
    content: Omit<Content, 'number' | 'stages'>,
    shares: readonly Share[],
    capacity: number,
    fill: (index: number) => Promise<void>,
  ): Promise<PoolIndex> {
    const number = this.#indexes++
    const index = PoolIndex.ofPool(this.#core, { number, stages: open.stages, ...content })
    const room = Math.ceil(capacity / this.#links.length)
    try {
      await this.#run(async () => {
        await settleAll(
          this.#links.map((link, shard) => {
            const own = shares.find((share) => share.shard === shard)?.count ?? 0
            return link.send({ op: 'open', index: number, ...open, capacity: Math.max(room, own) })
          }),
        )
        await fill(number)
        content.map.commit(shares)
      })
    } catch (error) {
      await index.close()
      throw error
    }
    return index
  }
}
