import { checkArray, checkOneOf, checkSameDims, describe, fail, reading } from '../base/check.js'
import { PackvecError } from '../base/errors.js'
import { checkOptions } from '../base/options.js'
import { USUAL } from '../codes/registry.js'
import { type Cache, noCache, openCache } from './cache.js'
import { prepareClassification } from './classification.js'
import { type FloatRows, toFloatRows } from './floats.js'
import { recommend } from './recommend.js'
import { prepareRetrieval } from './retrieval.js'
import { measureSpectra } from './spectra.js'
import { prepareSts } from './sts.js'
import type { Measurement, MeasureOptions, PreparedTask } from './task.js'
import {
  CALIBRATION_CHECKS,
  CLASSIFICATION_CHECKS,
  EVALUATE_CHECKS,
  RETRIEVAL_CHECKS,
  STS_CHECKS,
} from './task-options.js'
import { findRotation, fitTechnique, RESULTS_VERSION } from './technique.js'
import { isLossless, parseTechnique, parseTechniques, type Technique } from './technique-names.js'
import type {
  ClassificationTask,
  EvaluateOptions,
  EvaluationReport,
  EvaluationRow,
  EvaluationTask,
  RetrievalTask,
  StsTask,
  TaskSummary,
} from './types.js'

const FLOAT32 = parseTechnique(USUAL.exact)

interface Run {
  readonly cache: Cache
  readonly techniques: readonly Technique[]
  readonly measure: MeasureOptions
  readonly seed: number
  readonly progress: (message: string) => void
}

/**
 * Measures how much of a model's quality each way of quantizing keeps: every technique, scoring and rescore multiplier,
 * on one task or several of them. Results are cached where `cache` names a folder.
 * @throws PackvecError INVALID_ARGUMENT, DIMS_MISMATCH, NOT_FINITE, ... for input that cannot be evaluated
 */
export async function evaluate(
  tasks: EvaluationTask | readonly EvaluationTask[],
  given?: EvaluateOptions,
): Promise<EvaluationReport> {
  const options = checkOptions(given, EVALUATE_CHECKS)
  const isList = reading('tasks', () => Array.isArray(tasks))
  const list = (isList ? checkArray(tasks, 'tasks') : [tasks]) as readonly EvaluationTask[]
  if (list.length === 0) fail('INVALID_ARGUMENT', 'tasks', 'at least one task', 'none')
  const warnings: string[] = []
  const warn = (message: string) => {
    if (warnings.includes(message)) return
    warnings.push(message)
    ;(options.onWarning ?? console.warn)(message)
  }
  const keep = checkKeep(options.keep ?? 99)
  const seed = options.seed ?? 0
  const run: Run = {
    cache: options.cache === undefined ? noCache : openCache(options.cache, warn),
    techniques: parseTechniques(options.techniques ?? ['all']),
    measure: {
      scorings: checkScorings(options.scorings ?? ['symmetric', 'asymmetric']),
      multipliers: [...new Set(options.multipliers ?? [1, 2, 4, 10])],
    },
    seed,
    progress: options.onProgress ?? (() => {}),
  }
  const { calibration: source } = options
  const own = source === undefined ? undefined : checkOptions(source, CALIBRATION_CHECKS, 'calibration')
  const calibrated = own && {
    rows: toFloatRows(own.embeddings, 'calibration'),
    name: own.name ?? 'the given embeddings',
    isTestSet: false,
  }
  const prepared = list.map((task) => prepare(task, seed))
  const names = prepared.map(({ summary }) => summary.name)
  if (new Set(names).size < names.length) fail('INVALID_ARGUMENT', 'tasks', 'named differently', names.join(', '))
  const summaries: TaskSummary[] = []
  const rows: EvaluationRow[] = []
  for (const task of prepared) {
    const calibration = calibrated ?? task.ownCalibration
    checkSameDims('calibration', calibration.rows.dims, task.summary.dims, `the task "${task.summary.name}"`)
    warnOfCalibration(calibration, task.summary.name, warn)
    const { name, rows: calibrationRows, isTestSet } = { ...calibration, rows: calibration.rows.rows }
    summaries.push({ ...task.summary, calibration: { name, rows: calibrationRows, isTestSet } })
    rows.push(...(await measureTask(task, calibration.rows, run)))
  }
  const calibration = (calibrated ?? prepared[0]!.ownCalibration).rows
  const spectra = options.spectra === false ? [] : await measureSpectra(calibration, run.techniques, run, seed)
  return {
    format: 'packvec-evaluation',
    version: 1,
    keep,
    seed,
    tasks: summaries,
    rows,
    recommendations: recommend(rows, summaries, keep),
    spectra,
    warnings,
  }
}

function prepare(task: EvaluationTask, seed: number): PreparedTask {
  const kind = reading('task', () => checkOneOf(task?.kind, ['sts', 'classification', 'retrieval'], 'task.kind'))
  switch (kind) {
    case 'sts':
      return prepareSts(checkOptions(task as StsTask, STS_CHECKS, 'task'))
    case 'classification':
      return prepareClassification(checkOptions(task as ClassificationTask, CLASSIFICATION_CHECKS, 'task'), seed)
    default:
      return prepareRetrieval(checkOptions(task as RetrievalTask, RETRIEVAL_CHECKS, 'task'))
  }
}

/** float32 first, since everything is compared with it; its rows are shown only where it was asked for. */
async function measureTask(task: PreparedTask, calibration: FloatRows, run: Run): Promise<EvaluationRow[]> {
  const { name, dims } = task.summary
  const rows: EvaluationRow[] = []
  const exact = new Map<string, number>()
  const others = run.techniques.filter((technique) => !isLossless(technique))
  for (const technique of [FLOAT32, ...others]) {
    const { value: measured, cached } = await measureTechnique(task, technique, calibration, run)
    if (technique === FLOAT32) {
      for (const { metric, value } of measured) exact.set(metric, checkExact(value, metric, name))
      if (others.length === run.techniques.length) continue
    }
    for (const result of measured) {
      const retention = (100 * result.value) / exact.get(result.metric)!
      const { name: techniqueName, rotation } = technique
      const sizeMultiplier = (4 * dims) / result.bytes
      rows.push({ task: name, technique: techniqueName, rotation, ...result, retention, sizeMultiplier, cached })
    }
  }
  return rows
}

function measureTechnique(task: PreparedTask, technique: Technique, calibration: FloatRows, run: Run) {
  const lossless = technique === FLOAT32
  const scorings = lossless ? floatScorings(run.measure.scorings) : run.measure.scorings
  const measure = lossless ? { scorings, multipliers: [1] } : { ...run.measure, scorings }
  const parts = ['task', RESULTS_VERSION, technique.name, JSON.stringify(measure), run.seed]
  const data = [...task.inputs, lossless ? 'no calibration' : calibration.data]
  return run.cache.get([...parts, ...data], async (): Promise<Measurement[]> => {
    run.progress(`${task.summary.name}: ${technique.name}`)
    const rotation = await findRotation(technique.rotation, calibration, run.seed, run.cache)
    return task.measure(fitTechnique(technique, calibration, rotation), measure)
  })
}

/** Packed bytes of floats mean nothing; without another scoring the floats are still what is compared with. */
function floatScorings(scorings: MeasureOptions['scorings']): MeasureOptions['scorings'] {
  const real = scorings.filter((scoring) => scoring !== 'packed-bytes')
  return real.length > 0 ? real : ['symmetric']
}

function checkExact(value: number, metric: string, task: string): number {
  if (value > 0) return value
  const reason = `float32 embeddings give ${metric} ${value}, so there is nothing to compare with`
  const message = `task ${task} cannot be evaluated: ${reason}`
  throw new PackvecError('INVALID_ARGUMENT', 'task', message)
}

function checkKeep(keep: unknown): number {
  if (typeof keep === 'number' && keep > 0 && keep <= 100) return keep
  return fail('INVALID_ARGUMENT', 'keep', 'a percentage above 0 and up to 100', describe(keep))
}

function checkScorings(scorings: MeasureOptions['scorings']): MeasureOptions['scorings'] {
  if (scorings.length === 0) fail('INVALID_ARGUMENT', 'scorings', 'at least one scoring', 'none')
  const known = ['symmetric', 'asymmetric', 'packed-bytes'] as const
  return [...new Set(scorings)].map((scoring) => checkOneOf(scoring, known, 'scorings'))
}

function warnOfCalibration(
  { rows, isTestSet, name }: PreparedTask['ownCalibration'],
  task: string,
  warn: (message: string) => void,
): void {
  if (isTestSet)
    warn(
      `task ${task} is calibrated on ${name}, so its results look better than they are: pass other embeddings to calibrate on`,
    )
  if (rows.rows < rows.dims) {
    warn(
      `${name} has ${rows.rows} rows for ${rows.dims} dimensions: its rank is at most ${rows.rows}, ` +
        'rotations fitted on it are arbitrary beyond',
    )
  }
}
