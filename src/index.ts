/**
 * The core: codes of embeddings, and search over them. No dependencies, no file and no network access.
 *
 * @module packvec
 */

export { PackvecError, type PackvecErrorCode } from './base/errors.js'
export type { Codebook, ScaleType } from './codes/code.js'
export type { BookOptions, CodeOptions } from './codes/code-options.js'
export type { CodesInput, QuantizedEmbeddings } from './codes/codes.js'
export { type DequantizeOptions, dequantizeEmbeddings } from './codes/dequantize.js'
export type { MinMax, Rounding } from './codes/encoder.js'
export { type LevelOptions, type LevelPrecision, Levels, type LevelsJSON } from './codes/levels.js'
export type { CodeArrays, Precision } from './codes/precision.js'
export type { Percentiles, Scope } from './codes/quantiles.js'
export { type QuantizeOptions, quantizeEmbeddings } from './codes/quantize.js'
export { Calibration, type CalibrationJSON, type CalibrationOptions, type RangesInput } from './codes/ranges.js'
export { PRECISIONS } from './codes/registry.js'
export { type Backend, backend, type InitOptions, init, type PopcountForm } from './kernels/workspace.js'
export type { Filter } from './rows/filter.js'
export type { Id } from './rows/ids.js'
export type { Embeddings, Matrix, TensorLike, Vector } from './rows/matrix.js'
export type { AddOptions } from './search/add-options.js'
export type { BuildOptions, StageChoice } from './search/build-plan.js'
export type { Scoring } from './search/forms/form.js'
export { QuantizedIndex } from './search/quantized-index.js'
export type { SearchOptions } from './search/search-options.js'
export type { SearchResult } from './search/search-result.js'
export { type SemanticSearchOptions, semanticSearch } from './search/semantic-search.js'
export type { RotatedEmbeddings, Rotation, RotationKind } from './transform/rotation.js'
export { type TransformOptions, transformEmbeddings } from './transform/transform.js'
