import { checkCount, checkSameDims } from '../base/check.js'
import { PackvecError } from '../base/errors.js'
import { USUAL } from '../codes/registry.js'
import { type FloatRows, toFloatRows, unitRows } from './floats.js'
import { type Grades, meanAndDeviation, ndcg, recall } from './metrics.js'
import { checkOnePerRow, type Measurement, type PreparedTask, timed } from './task.js'
import { exactNearest, type FittedTechnique } from './technique.js'
import { bitsOf } from './technique-names.js'
import type { EvaluationScoring, RetrievalTask } from './types.js'

const NDCG_DEPTH = 10

/**
 * A corpus and queries: recall@k of the k nearest rows by exact float32 dot product, and nDCG@10 where relevance is
 * given. At a multiplier of 1 the codes alone decide; above it they find multiplier · k candidates, which int8
 * rescores.
 * @throws PackvecError DIMS_MISMATCH, INVALID_ARGUMENT for relevance that does not match queries and corpus
 */
export function prepareRetrieval(task: RetrievalTask): PreparedTask {
  const corpus = toFloatRows(task.corpus, 'corpus')
  const queries = toFloatRows(task.queries, 'queries')
  checkSameDims('queries', queries.dims, corpus.dims, 'corpus')
  const topK = Math.min(checkCount(task.topK ?? 10, 'topK'), corpus.rows)
  if (task.qrels !== undefined) checkQrels(task.qrels, queries, corpus)
  let known: Uint32Array[] | undefined
  const exact = () => {
    known ??= exactNearest(corpus, queries, topK)
    return known
  }
  const recallName = `recall@${topK}`
  return {
    summary: {
      name: task.name ?? 'retrieval',
      kind: 'retrieval',
      dims: corpus.dims,
      counts: { corpus: corpus.rows, queries: queries.rows, ...(task.qrels && { graded: gradedQueries(task.qrels) }) },
      metrics: task.qrels === undefined ? [recallName] : [recallName, `ndcg@${NDCG_DEPTH}`],
    },
    inputs: [
      ...[corpus.data, queries.data],
      JSON.stringify(['retrieval', corpus.dims, topK, task.qrels?.map((grades) => Array.from(grades))]),
    ],
    ownCalibration: { rows: corpus, name: 'the corpus', isTestSet: false },
    measure(fitted, { scorings, multipliers }) {
      const depth = Math.max(topK, task.qrels === undefined ? 0 : Math.min(NDCG_DEPTH, corpus.rows))
      const searches = scorings.flatMap((scoring) => search(fitted, scoring, multipliers, corpus, queries, depth))
      return searches.flatMap(({ ids, ...common }) => {
        const recalls = ids.map((found, query) => recall(found, exact()[query]!))
        const rows: Measurement[] = [{ ...common, metric: recallName, value: meanAndDeviation(recalls).mean }]
        if (task.qrels === undefined) return rows
        const gains = ids.map((found, query) => ndcg(found, task.qrels![query]!, NDCG_DEPTH))
        const graded = gains.filter((gain) => !Number.isNaN(gain))
        return [...rows, { ...common, metric: `ndcg@${NDCG_DEPTH}`, value: meanAndDeviation(graded).mean }]
      })
    },
  }
}

type Searched = Omit<Measurement, 'metric' | 'value'> & { readonly ids: readonly Uint32Array[] }

function search(
  fitted: FittedTechnique,
  scoring: EvaluationScoring,
  multipliers: readonly number[],
  corpus: FloatRows,
  queries: FloatRows,
  topK: number,
): Searched[] {
  if (scoring === 'packed-bytes') return [searchPacked(fitted, corpus, queries, topK)]
  // int8 behind 8 bits or more adds bytes and no accuracy.
  const useful = multipliers.filter((multiplier) => multiplier === 1 || bitsOf(fitted.technique) < 8)
  const alone = useful.includes(1) ? fitted.store(corpus, 'none') : undefined
  const rescored = useful.some((multiplier) => multiplier > 1) ? fitted.store(corpus, USUAL.rescore) : undefined
  return useful.map((multiplier) => {
    const rescore = multiplier > 1 ? USUAL.rescore : 'none'
    const stored = (multiplier > 1 ? rescored : alone)!
    const { ids, searchMs } = stored.search(queries, topK, multiplier, scoring)
    const { bytes, scanBytes, encodeMs } = stored
    return { scoring, multiplier, rescore, bytes, scanBytes, encodeMs, searchMs, ids }
  })
}

function searchPacked(fitted: FittedTechnique, corpus: FloatRows, queries: FloatRows, topK: number): Searched {
  const { result: codes, ms: encodeMs } = timed(() => fitted.encode(corpus))
  const { result: ids, ms: searchMs } = timed(() => {
    return exactNearest(unitRows(fitted.packed(codes)), unitRows(fitted.packed(fitted.encode(queries))), topK)
  })
  const bytes = codes.rowBytes
  return { scoring: 'packed-bytes', multiplier: 1, rescore: 'none', bytes, scanBytes: bytes, encodeMs, searchMs, ids }
}

function gradedQueries(qrels: readonly Grades[]): number {
  return qrels.filter((grades) => Array.from(grades.values()).some((grade) => grade > 0)).length
}

function checkQrels(qrels: readonly Grades[], queries: FloatRows, corpus: FloatRows): void {
  checkOnePerRow(qrels, 'qrels', queries.rows, 'queries')
  for (const [query, grades] of qrels.entries()) {
    for (const [row, grade] of grades) {
      if (Number.isInteger(row) && row >= 0 && row < corpus.rows && Number.isFinite(grade)) continue
      const expected = `corpus rows 0 to ${corpus.rows - 1} by numbers`
      const message = `qrels of query ${query} must grade ${expected}, got row ${row}, grade ${grade}`
      throw new PackvecError('INVALID_ARGUMENT', 'qrels', message)
    }
  }
  if (gradedQueries(qrels) === 0) {
    throw new PackvecError('INVALID_ARGUMENT', 'qrels', 'qrels must grade at least one row above 0, got none')
  }
}
