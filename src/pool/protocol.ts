import type { ScaleType } from '../codes/code.js'
import type { ColumnCodes } from '../codes/column.js'
import type { Precision } from '../codes/precision.js'
import type { Backend, InitOptions } from '../kernels/workspace.js'
import type { Allowed } from '../rows/filter.js'
import type { RescoreCall } from '../search/merge.js'
import type { Candidates } from '../search/search.js'
import type { ExactScores } from '../search/search-job.js'
import type { StageOptions } from '../search/search-options.js'
import type { Stages } from '../search/stages.js'

/** A column of a `CodeStore` as it crosses to a worker: codebooks lose their class on the way, their numbers stay exact. */
export interface ColumnMessage {
  readonly precision: Precision
  /** What the codebook's `toJSON` gives. */
  readonly book: object | undefined
  readonly scale: ScaleType | undefined
}

/** Queries of one search, as the codes see them: rows x dims, one row after the other. */
export interface SharedScan {
  readonly index: number
  readonly rows: number
  readonly queries: Float32Array
  /** The queries less the centre of the rotation, if there is one. */
  readonly centred: Float32Array | undefined
  /** What is added to the scores of each query, if there is a centre. */
  readonly offsets: Float64Array | undefined
  readonly options: StageOptions
}

/** The search in one shard. */
export interface ScanCall extends SharedScan {
  /** Rows of the shard that may be found; all if there is no filter. */
  readonly allowed: Allowed | undefined
}

/** What a worker is asked to do. It answers in the order of asking. */
export type Request =
  | { readonly op: 'setup'; readonly init: InitOptions; readonly control: SharedArrayBuffer | undefined }
  | { readonly op: 'board'; readonly name: BoardName; readonly buffer: SharedArrayBuffer }
  | {
      readonly op: 'open'
      readonly index: number
      readonly dims: number
      readonly stages: Stages
      readonly columns: readonly ColumnMessage[]
      readonly capacity: number
    }
  | { readonly op: 'reserve'; readonly index: number; readonly rows: number }
  | { readonly op: 'refine'; readonly index: number; readonly fine: boolean }
  | { readonly op: 'widen'; readonly index: number; readonly column: ColumnMessage }
  | { readonly op: 'append'; readonly index: number; readonly values: Float32Array }
  | {
      readonly op: 'appendCodes'
      readonly index: number
      readonly codes: readonly ColumnCodes[]
      readonly rows: number
    }
  | { readonly op: 'drop'; readonly index: number }
  | ({ readonly op: 'scan' } & ScanCall)
  | ({ readonly op: 'rescore' } & RescoreCall)

/** What comes back on success, by what was asked; `values` of an append come back to be filled again. */
export type Answer = Backend | Candidates | ExactScores | Float32Array | undefined

/** An error as it crosses between threads: a PackvecError keeps its code, argument and cause. */
export interface ErrorMessage {
  readonly name?: string
  readonly message: string
  readonly stack?: string
  readonly code?: string
  readonly argument?: string
  readonly cause?: CauseMessage
}

/** A cause that is an error, or a value that every thread can take. */
export type CauseMessage = { readonly error: ErrorMessage } | { readonly value: unknown }

/** What a worker says: once that it listens, then one answer a request. */
export type Reply =
  | { readonly ready: true }
  | { readonly answer: Answer; readonly error?: undefined }
  | { readonly error: ErrorMessage }

/** Shared memory that the main thread writes and all workers read: the queries, and what is left of the candidates. */
export type BoardName = 'queries' | 'survivors'

/** A worker's control block: whole numbers that both threads change by Atomics only, then the arguments of one call. */
export const CONTROL_BYTES = 256
const ARGUMENTS_AT = 64
/** Places in the control block. The worker sleeps on `ticket`, which every request raises after its own counter. */
export const CONTROL = { ticket: 0, messages: 1, calls: 2 } as const

export function controlWords(control: SharedArrayBuffer): Int32Array {
  return new Int32Array(control, 0, ARGUMENTS_AT / 4)
}

export function controlArguments(control: SharedArrayBuffer): Float64Array {
  return new Float64Array(control, ARGUMENTS_AT, (CONTROL_BYTES - ARGUMENTS_AT) / 8)
}
