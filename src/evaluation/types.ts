import type { Precision } from '../codes/precision.js'
import type { Embeddings } from '../rows/matrix.js'
import type { Grades } from './metrics.js'
import type { Spectrum } from './spectrum.js'
import type { RotationName } from './technique-names.js'

/**
 * 'symmetric' compares codes with codes, 'asymmetric' a float query with codes. 'packed-bytes' is the cosine of the
 * packed bytes read as numbers: how a published table scored; it is here to explain that table, not to be used.
 */
export type EvaluationScoring = 'symmetric' | 'asymmetric' | 'packed-bytes'

interface TaskCommon {
  /** How the report names it; by default its kind. */
  readonly name?: string
}

/** Pairs of texts with human scores: Spearman's correlation of the cosine with the score. */
export interface StsTask extends TaskCommon {
  readonly kind: 'sts'
  readonly a: Embeddings
  readonly b: Embeddings
  /** One a pair. */
  readonly scores: readonly number[]
}

/** Labelled texts: accuracy of a logistic regression on few samples a class, and of nearest neighbours among all. */
export interface ClassificationTask extends TaskCommon {
  readonly kind: 'classification'
  readonly train: Embeddings
  readonly trainLabels: readonly string[]
  readonly test: Embeddings
  readonly testLabels: readonly string[]
  /** Training rows of each class in a draw: 8 by default. */
  readonly samplesPerClass?: number
  /** Seeded draws that the accuracy is the mean of: 10 by default. */
  readonly draws?: number
}

/** A corpus and queries: recall@k of the exact float32 neighbours, and nDCG@10 where relevance is known. */
export interface RetrievalTask extends TaskCommon {
  readonly kind: 'retrieval'
  readonly corpus: Embeddings
  readonly queries: Embeddings
  /** One per query: grades of corpus rows. Queries without a grade above 0 do not count. */
  readonly qrels?: readonly Grades[]
  /** k of recall@k: 10 by default. */
  readonly topK?: number
}

/** What techniques are measured on. */
export type EvaluationTask = StsTask | ClassificationTask | RetrievalTask

/** Embeddings that ranges, thresholds and rotations are taken from, and what they are called in the report. */
export interface CalibrationSource {
  readonly embeddings: Embeddings
  readonly name: string
}

/** What is measured, and how; all of it has defaults. */
export interface EvaluateOptions {
  /**
   * What the techniques are calibrated on. Without it: the training rows of a classification, the corpus of a
   * retrieval, and the pairs themselves of an sts task, which are its test set (a warning says so).
   */
  readonly calibration?: CalibrationSource
  /** Names as on the command line, such as `rotated-ternary+scale`; 'all' by default. */
  readonly techniques?: readonly string[]
  /** 'symmetric' and 'asymmetric' by default. */
  readonly scorings?: readonly EvaluationScoring[]
  /** Rescore multipliers of retrieval, [1, 2, 4, 10] by default; 1 is the code alone, above it int8 rescores. */
  readonly multipliers?: readonly number[]
  /** Percent of the float32 result that the recommended setting keeps: 99 by default. */
  readonly keep?: number
  /** Seed of draws and of random rotations: 0 by default. */
  readonly seed?: number
  /** Folder of results by content hash; none by default. */
  readonly cache?: string
  /** Whether to analyse singular values too: true by default. */
  readonly spectra?: boolean
  /** Gets a sentence about the current work. */
  readonly onProgress?: (message: string) => void
  /** Gets each warning as a sentence; `console.warn` by default. */
  readonly onWarning?: (message: string) => void
}

/** One result, as it stands in `report.json`. */
export interface EvaluationRow {
  readonly task: string
  readonly technique: string
  readonly rotation: RotationName
  readonly scoring: EvaluationScoring
  readonly multiplier: number
  /** What rescored the candidates: 'none' at a multiplier of 1. */
  readonly rescore: Precision | 'none'
  readonly metric: string
  readonly value: number
  /** Standard deviation over the draws, if there are draws. */
  readonly deviation?: number
  /** Percent of the float32 value. */
  readonly retention: number
  /** Bytes a vector, of all stages; `scanBytes` of them are read for every query. */
  readonly bytes: number
  readonly scanBytes: number
  /** 4 · dims / bytes. */
  readonly sizeMultiplier: number
  /** Milliseconds to encode all stored vectors of the task; one run, no benchmark. */
  readonly encodeMs: number
  /** Milliseconds to score, classify or search all queries of the task; one run, no benchmark. */
  readonly searchMs: number
  /** Whether the row, times included, comes from the cache. */
  readonly cached: boolean
}

/** A task as the report names it. */
export interface TaskSummary {
  readonly name: string
  readonly kind: EvaluationTask['kind']
  readonly dims: number
  /** What was counted: pairs, rows, classes, ... */
  readonly counts: Readonly<Record<string, number>>
  /** Metrics in the order of their weight: the first one decides. */
  readonly metrics: readonly string[]
  readonly calibration: { readonly name: string; readonly rows: number; readonly isTestSet: boolean }
}

/** The smallest setting that keeps what was asked for, on one task or on all. */
export interface Recommendation {
  /** A task's name, or 'all tasks'. */
  readonly task: string
  /** The metric that decided; for 'all tasks' those of the tasks, nDCG rather than recall where relevance is known. */
  readonly metric: string
  /** Undefined where no setting keeps enough. */
  readonly row: EvaluationRow | undefined
  /** Retention of the row; the lowest over the tasks for 'all tasks'. */
  readonly retention: number | undefined
}

/** Every figure of an evaluation, with what is needed to repeat it. Plain data: it can be saved as JSON. */
export interface EvaluationReport {
  readonly format: 'packvec-evaluation'
  readonly version: 1
  readonly keep: number
  readonly seed: number
  readonly tasks: readonly TaskSummary[]
  readonly rows: readonly EvaluationRow[]
  readonly recommendations: readonly Recommendation[]
  /** Singular values of the calibration embeddings as float32 and decoded from techniques. */
  readonly spectra: readonly { readonly technique: string; readonly spectrum: Spectrum }[]
  readonly warnings: readonly string[]
}
