import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { checkOneOf, checkString } from '../base/check.js'
import { PackvecError } from '../base/errors.js'
import { checkOptions, type OptionChecks } from '../base/options.js'
import { readNpy } from '../files/array-files.js'
import { checkPath } from '../files/path.js'
import type { TensorLike } from '../rows/matrix.js'
import { readLabels, readRecords } from './files.js'
import type { Grades } from './metrics.js'
import type { CalibrationSource, EvaluationTask } from './types.js'

/** Column of stsb_test.tsv that holds the score, 0 to 5. */
const STSB_SCORE = 4

/** Where texts and the arrays of one model lie. */
export interface DataFolder {
  readonly folder: string
  /** Folder of arrays inside it; the arrays may also lie beside the texts. */
  readonly model: string
}

const FOLDER_CHECKS: OptionChecks<DataFolder> = { folder: checkPath, model: checkString }

function checkFolder(data: DataFolder): DataFolder {
  const { folder, model } = checkOptions(data, FOLDER_CHECKS, 'data')
  return { folder: checkPath(folder, 'data.folder'), model: checkString(model, 'data.model') }
}

/**
 * The built-in tasks over a folder of texts and arrays: STS-B (`stsb_test.tsv`, `stsb_test_a.npy`, `stsb_test_b.npy`),
 * Banking77 (`banking77_train.csv`, `banking77_test.csv` and their arrays), and retrieval of Banking77's training texts
 * by its test texts, relevant being those of the same category.
 * @throws PackvecError IO, INVALID_FILE
 */
export async function builtInTask(kind: EvaluationTask['kind'], given: DataFolder): Promise<EvaluationTask> {
  checkOneOf(kind, ['sts', 'classification', 'retrieval'], 'kind')
  const data = checkFolder(given)
  if (kind === 'sts') {
    const [a, b] = [await array(data, 'stsb_test_a'), await array(data, 'stsb_test_b')]
    const path = join(data.folder, 'stsb_test.tsv')
    // Some of its lines have more fields behind the sentences: notes on their source.
    const scores = (await readRecords(path, { ragged: true })).map((record, row) => {
      const score = Number(record[STSB_SCORE] || Number.NaN)
      if (Number.isFinite(score)) return score
      throw new PackvecError(
        'INVALID_FILE',
        'path',
        `${path}: record ${row + 1} has no score in field ${STSB_SCORE + 1}`,
      )
    })
    return { kind, name: 'STS-B', a, b, scores }
  }
  const [train, test] = [await array(data, 'banking77_train'), await array(data, 'banking77_test')]
  const trainLabels = await readLabels(join(data.folder, 'banking77_train.csv'), rowsOf(train))
  const testLabels = await readLabels(join(data.folder, 'banking77_test.csv'), rowsOf(test))
  if (kind === 'classification') return { kind, name: 'Banking77', train, trainLabels, test, testLabels }
  const qrels = sameLabel(trainLabels, testLabels)
  return { kind, name: 'Banking77 retrieval', corpus: train, queries: test, qrels }
}

/** The Natural Questions of the folder, the usual calibration set; undefined where they are missing. */
export async function builtInCalibration(data: DataFolder): Promise<CalibrationSource | undefined> {
  const path = await find(checkFolder(data), 'nq_dev')
  return path === undefined ? undefined : { embeddings: await matrix(path), name: 'Natural Questions (nq_dev)' }
}

/** Every corpus row with the label of a query is relevant to it. Queries of one label share their grades. */
function sameLabel(corpus: readonly string[], queries: readonly string[]): Grades[] {
  const grades = new Map<string, Map<number, number>>()
  for (const [row, label] of corpus.entries()) {
    const own = grades.get(label) ?? new Map<number, number>()
    grades.set(label, own.set(row, 1))
  }
  return queries.map((label) => grades.get(label) ?? new Map())
}

async function array(data: DataFolder, name: string): Promise<TensorLike> {
  const path = await find(data, name)
  if (path !== undefined) return matrix(path)
  const { folder, model } = data
  throw new PackvecError('IO', 'data', `${name}.npy is neither in ${join(folder, model)} nor in ${folder}`)
}

async function find({ folder, model }: DataFolder, name: string): Promise<string | undefined> {
  for (const path of [join(folder, model, `${name}.npy`), join(folder, `${name}.npy`)]) {
    const there = await access(path).then(
      () => true,
      () => false,
    )
    if (there) return path
  }
  return undefined
}

async function matrix(path: string): Promise<TensorLike> {
  const { data, dims } = await readNpy(path)
  return { data, dims }
}

function rowsOf({ dims }: TensorLike): number {
  return (dims as readonly number[])[0]!
}
