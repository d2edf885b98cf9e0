import type { CodeColumn } from '../codes/column.js'
import type { Transform } from '../transform/transform.js'
import type { Stages } from './stages.js'

/** What an index is made of, beside its rows: in memory, in files and over threads alike. */
export interface Recipe {
  readonly stages: Stages
  /** What embeddings and queries pass through first. */
  readonly transform: Transform
  /** The codes that are kept, those of the first stage first; their codebooks may widen with the rows. */
  readonly columns: readonly CodeColumn[]
}
