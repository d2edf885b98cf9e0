import { checkCount, checkSameDims } from '../base/check.js'
import { PackvecError } from '../base/errors.js'
import { type FloatRows, takeRows, toFloatRows, unitRows } from './floats.js'
import { fitLogistic, type LogisticModel, predictLogistic } from './logistic.js'
import { accuracy, meanAndDeviation } from './metrics.js'
import { vote } from './neighbours.js'
import { sample, seededRandom } from './seeded.js'
import { checkOnePerRow, type Measurement, type PreparedTask, timed } from './task.js'
import type { FittedTechnique } from './technique.js'
import type { ClassificationTask, EvaluationScoring } from './types.js'

/** Neighbours that vote. */
const NEIGHBOURS = 10

interface Checked {
  readonly train: FloatRows
  readonly test: FloatRows
  /** Classes as numbers, 0 to classes - 1. */
  readonly trainLabels: Int32Array<ArrayBuffer>
  readonly testLabels: Int32Array<ArrayBuffer>
  readonly classes: number
  /** Training rows of each draw. */
  readonly draws: readonly (readonly number[])[]
}

/**
 * Labelled texts. The logistic regression is fitted on decoded vectors of unit length, a few rows of each class,
 * several seeded draws; symmetric scoring classifies decoded codes, asymmetric scoring floats. The neighbours are the
 * 10 nearest of all training rows, found by the index.
 * @throws PackvecError INVALID_ARGUMENT for labels that do not match the rows, test labels that no training row has,
 * and a class with fewer rows than `samplesPerClass`
 */
export function prepareClassification(task: ClassificationTask, seed: number): PreparedTask {
  const checked = check(task, seed)
  const { train, test, classes, draws } = checked
  const samplesPerClass = draws[0]!.length / classes
  const counts = { train: train.rows, test: test.rows, classes, samplesPerClass, draws: draws.length }
  return {
    summary: {
      name: task.name ?? 'classification',
      kind: 'classification',
      dims: train.dims,
      counts,
      metrics: ['accuracy', 'knn-accuracy'],
    },
    inputs: [
      ...[train.data, test.data, checked.trainLabels, checked.testLabels],
      JSON.stringify(['classification', train.dims, counts]),
    ],
    ownCalibration: { rows: train, name: 'the training rows', isTestSet: false },
    measure: (fitted, { scorings }) => [
      ...measureLogistic(fitted, scorings, checked),
      ...scorings.flatMap((scoring) => (scoring === 'packed-bytes' ? [] : [measureVote(fitted, scoring, checked)])),
    ],
  }
}

function measureLogistic(
  fitted: FittedTechnique,
  scorings: readonly EvaluationScoring[],
  { train, test, trainLabels, testLabels, classes, draws }: Checked,
): Measurement[] {
  const { result: codes, ms: encodeMs } = timed(() => fitted.encode(train))
  const testCodes = fitted.encode(test)
  const fit = (rows: FloatRows): LogisticModel[] => {
    const unit = unitRows(rows)
    return draws.map((ids) => {
      const labels = ids.map((id) => trainLabels[id]!)
      return fitLogistic(takeRows(unit, ids), labels, classes)
    })
  }
  const decodedModels = scorings.some((scoring) => scoring !== 'packed-bytes') ? fit(fitted.decode(codes)) : []
  return scorings.map((scoring) => {
    const packed = scoring === 'packed-bytes'
    const models = packed ? fit(fitted.packed(codes)) : decodedModels
    const asked = packed
      ? fitted.packed(testCodes)
      : scoring === 'symmetric'
        ? fitted.decode(testCodes)
        : fitted.transform(test)
    const { result: accuracies, ms: searchMs } = timed(() => {
      const rows = unitRows(asked)
      return models.map((model) => accuracy(predictLogistic(model, rows), testLabels))
    })
    const { mean: value, deviation } = meanAndDeviation(accuracies)
    const bytes = codes.rowBytes
    const common = { multiplier: 1, rescore: 'none', bytes, scanBytes: bytes, encodeMs, searchMs } as const
    return { ...common, scoring, metric: 'accuracy', value, deviation }
  })
}

function measureVote(
  fitted: FittedTechnique,
  scoring: 'symmetric' | 'asymmetric',
  { train, test, trainLabels, testLabels, classes }: Checked,
): Measurement {
  const stored = fitted.store(train, 'none')
  const { ids, searchMs } = stored.search(test, Math.min(NEIGHBOURS, train.rows), 1, scoring)
  const predicted = ids.map((found) => vote(found, trainLabels, classes))
  const { bytes, scanBytes, encodeMs } = stored
  const common = { multiplier: 1, rescore: 'none', bytes, scanBytes, encodeMs, searchMs } as const
  return { ...common, scoring, metric: 'knn-accuracy', value: accuracy(predicted, testLabels) }
}

function check(task: ClassificationTask, seed: number): Checked {
  const train = toFloatRows(task.train, 'train')
  const test = toFloatRows(task.test, 'test')
  checkSameDims('test', test.dims, train.dims, 'train')
  checkOnePerRow(task.trainLabels, 'trainLabels', train.rows, 'train')
  checkOnePerRow(task.testLabels, 'testLabels', test.rows, 'test')
  const samplesPerClass = checkCount(task.samplesPerClass ?? 8, 'samplesPerClass')
  const drawCount = checkCount(task.draws ?? 10, 'draws')
  const members = new Map<string, number[]>()
  for (const [row, label] of task.trainLabels.entries()) {
    const rows = members.get(label)
    if (rows === undefined) members.set(label, [row])
    else rows.push(row)
  }
  const names = Array.from(members.keys()).sort()
  if (names.length < 2) {
    const message = `trainLabels must name at least 2 classes, got ${names.length}: ${JSON.stringify(names[0])}`
    throw new PackvecError('INVALID_ARGUMENT', 'trainLabels', message)
  }
  for (const name of names) {
    const rows = members.get(name)!.length
    if (rows >= samplesPerClass) continue
    const quoted = JSON.stringify(name)
    const message = `class ${quoted} has ${rows} training rows, a draw takes ${samplesPerClass} of each class: lower samplesPerClass`
    throw new PackvecError('INVALID_ARGUMENT', 'trainLabels', message)
  }
  const numbers = new Map(names.map((name, i) => [name, i]))
  const testLabels = Int32Array.from(task.testLabels, (label, row) => {
    const number = numbers.get(label)
    if (number !== undefined) return number
    const message = `no training row has the label ${JSON.stringify(label)} of test row ${row}`
    throw new PackvecError('INVALID_ARGUMENT', 'testLabels', message)
  })
  const draws = Array.from({ length: drawCount }, (_, draw) => {
    const random = seededRandom(seed * 1000 + draw)
    return names.flatMap((name) => sample(members.get(name)!, samplesPerClass, random))
  })
  const trainLabels = Int32Array.from(task.trainLabels, (label) => numbers.get(label)!)
  return { train, test, trainLabels, testLabels, classes: names.length, draws }
}
