/**
 * How small embeddings can be, and what it costs. For Node: it keeps a cache on disk.
 *
 * @module packvec/eval
 */

export { PackvecError, type PackvecErrorCode } from './base/errors.js'
export { builtInCalibration, builtInTask, type DataFolder } from './evaluation/data-folder.js'
export { evaluate } from './evaluation/evaluate.js'
export { readLabels, readQrels, readScores } from './evaluation/files.js'
export { type Grades, ndcg, pearson, recall, spearman } from './evaluation/metrics.js'
export { reportHtml, reportJson, reportMarkdown, reportPlots, reportText, writeReport } from './evaluation/report.js'
export { type DecayFit, type Spectrum, spectrum } from './evaluation/spectrum.js'
export { spectrumPlot } from './evaluation/spectrum-plot.js'
export { ALL_TECHNIQUES, parseTechniques, type RotationName, type Technique } from './evaluation/technique-names.js'
export type * from './evaluation/types.js'
