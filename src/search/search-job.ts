import type { Allowed } from '../rows/filter.js'
import type { CodeStore } from './code-store.js'
import type { Queries } from './queries.js'
import type { StageOptions } from './search-options.js'
import type { Stages } from './stages.js'

/** A search of one store. */
export interface SearchJob {
  readonly store: CodeStore
  readonly queries: Queries
  readonly stages: Stages
  readonly options: StageOptions
  /** What errors call the queries. */
  readonly argument: string
  /** The rows that may be found; all by default. */
  readonly allowed?: Allowed | undefined
  /** Whether the codes of the second stage are elsewhere, so that only candidates are asked for. */
  readonly isRescoredElsewhere?: boolean
}

/** Scores of the second stage, before what is added to all of a query's. */
export interface ExactScores {
  readonly scores: Float32Array<ArrayBuffer>
  /** What to add to the scores of each query. */
  readonly constants: Float64Array<ArrayBuffer>
}
