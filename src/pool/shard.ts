import type { CodeColumn, ColumnCodes } from '../codes/column.js'
import type { Calibration } from '../codes/ranges.js'
import { codeOf } from '../codes/registry.js'
import { type RowSource, toRows } from '../rows/matrix.js'
import { CodeStore } from '../search/code-store.js'
import type { RescoreCall } from '../search/merge.js'
import { type Candidates, openStages } from '../search/search.js'
import type { ExactScores } from '../search/search-job.js'
import type { Stages } from '../search/stages.js'
import { Dropped } from './dropped.js'
import type { Answer, ColumnMessage, Request, ScanCall } from './protocol.js'

type Work = Exclude<Request, { op: 'setup' } | { op: 'board' }>

/**
 * The part of each index that one worker holds. It knows codes and their stages only: rotation, ranges and global ids are
 * the main thread's. Each worker has a wasm memory of its own, so the kernels need no build for shared memory: what threads
 * share is small, the codes are never.
 */
export class Shards {
  readonly #shards = new Map<number, { readonly store: CodeStore; readonly stages: Stages }>()
  /** The search between its two stages. */
  #search: ReturnType<typeof openStages> | undefined
  /** Memories of indexes that are gone, or that have grown into larger ones. */
  readonly dropped = new Dropped()

  run(request: Work): Answer {
    const before = this.#memoryFor(request)
    try {
      return this.#run(request)
    } finally {
      if (before !== undefined && before !== this.#memoryFor(request)) this.dropped.add(before)
    }
  }

  #run(request: Work): Answer {
    // A search that has ended would keep the memory that it was in.
    if (request.op !== 'rescore') this.#search = undefined
    switch (request.op) {
      case 'open':
        return this.#open(request)
      case 'reserve':
        this.#reserve(request.index, request.rows)
        return undefined
      case 'refine':
        this.#shard(request.index).store.refine(request.fine)
        return undefined
      case 'widen':
        this.#shard(request.index).store.widen(request.column.precision, readColumn(request.column).book as Calibration)
        return undefined
      case 'append':
        return this.#append(request.index, request.values)
      case 'appendCodes':
        return this.#appendCodes(request.index, request.codes, request.rows)
      case 'drop':
        this.#shards.delete(request.index)
        return undefined
      case 'scan':
        return this.#scan(request)
      case 'rescore':
        return this.#rescore(request)
    }
  }

  #open({ index, dims, stages, columns, capacity }: Extract<Work, { op: 'open' }>): undefined {
    const store = new CodeStore({ dims, columns: columns.map(readColumn) }, Math.max(1, capacity))
    this.#shards.set(index, { store, stages })
  }

  #reserve(index: number, rows: number): void {
    const { store } = this.#shard(index)
    store.makeRoom(rows - store.size)
  }

  #append(index: number, values: Float32Array): Float32Array {
    const { store } = this.#shard(index)
    store.append(rowsOf(values, store.dims), 'embeddings')
    return values
  }

  #appendCodes(index: number, codes: readonly ColumnCodes[], rows: number): undefined {
    this.#shard(index).store.appendCodes(codes, rows)
  }

  #scan({ index, queries, centred, offsets, options, allowed }: ScanCall): Candidates {
    const { store, stages } = this.#shard(index)
    const rows = rowsOf(queries, store.dims)
    const offset = offsets && ((row: number) => offsets[row]!)
    const both = { rows, centred: centred && rowsOf(centred, store.dims), offset }
    this.#search = openStages({ store, queries: both, stages, options, argument: 'query', allowed })
    return this.#search.scan()
  }

  #rescore({ counts, ids }: RescoreCall): ExactScores {
    return this.#search!.rescore(counts, ids)
  }

  #memoryFor(request: Work): object | undefined {
    return 'index' in request ? this.#shards.get(request.index)?.store.workspace : undefined
  }

  #shard(index: number) {
    const shard = this.#shards.get(index)
    if (shard === undefined) throw new Error(`there is no index ${index}`)
    return shard
  }
}

/** A column as a message, and back. */
export function writeColumn({ precision, book, scale }: CodeColumn): ColumnMessage {
  return { precision, scale, book: book?.toJSON() }
}

function readColumn({ precision, book, scale }: ColumnMessage): CodeColumn {
  return { precision, scale, book: book && codeOf(precision).books!.fromJSON(book) }
}

function rowsOf(data: Float32Array, dims: number): RowSource {
  return toRows({ data, dims: [data.length / dims, dims] }, 'embeddings')
}
