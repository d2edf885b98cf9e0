/**
 * The core: codes of embeddings, and search over them. No dependencies, no file and no network access.
 *
 * @module packvec
 */

export type { AddOptions } from './add-options.js'
export type { BuildOptions } from './build-plan.js'
export { Calibration, type CalibrationJSON, type CalibrationOptions, type RangesInput } from './calibration.js'
export type { ScaleType } from './codebook.js'
export type { CodeArrays, CodesInput, QuantizedEmbeddings } from './codes.js'
export type { MinMax, Rounding } from './encoder.js'
export { PackvecError, type PackvecErrorCode } from './errors.js'
export type { Filter } from './filter.js'
export type { Id } from './ids.js'
export { type LevelOptions, type LevelPrecision, Levels, type LevelsJSON } from './levels.js'
export type { Embeddings, Matrix, TensorLike, Vector } from './matrix.js'
export { PRECISIONS, type Precision } from './precision.js'
export type { Percentiles, Scope } from './quantiles.js'
export { type DequantizeOptions, dequantizeEmbeddings, type QuantizeOptions, quantizeEmbeddings } from './quantize.js'
export { QuantizedIndex } from './quantized-index.js'
export type { RotatedEmbeddings, Rotation, RotationKind } from './rotation.js'
export type { Scoring } from './scan.js'
export type { SearchOptions } from './search-options.js'
export type { SearchResult } from './search-result.js'
export { type SemanticSearchOptions, semanticSearch } from './semantic-search.js'
export { type TransformOptions, transformEmbeddings } from './transform.js'
export { type Backend, backend, type InitOptions, init, type PopcountForm } from './workspace.js'
