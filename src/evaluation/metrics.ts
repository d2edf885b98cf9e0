import { mean, sampleCorrelation, sampleRankCorrelation, standardDeviation } from 'simple-statistics'
import { checkCount, describe, fail, isInstance, reading } from '../base/check.js'
import { arrayType } from '../rows/matrix.js'

/** Relevance of documents for one query: document id to grade; documents without an entry have grade 0. */
export type Grades = ReadonlyMap<number, number>

/** Two series of numbers as arrays. @throws PackvecError INVALID_ARGUMENT */
function series(x: ArrayLike<number>, y: ArrayLike<number>): [number[], number[]] {
  const [a, b] = [numbers(x, 'x'), numbers(y, 'y')]
  if (a.length !== b.length) fail('INVALID_ARGUMENT', 'y', `${a.length} values long, as x is`, `${b.length}`)
  return [a, b]
}

function numbers(values: unknown, argument: string): number[] {
  return reading(argument, () => {
    const type = arrayType(values)
    if (type === undefined || type === 'DataView') fail('INVALID_ARGUMENT', argument, 'numbers', describe(values))
    const array: number[] = []
    for (const value of values as Iterable<unknown>) {
      if (typeof value !== 'number') {
        fail('INVALID_ARGUMENT', argument, 'numbers', `${describe(value)} at position ${array.length}`)
      }
      array.push(value)
    }
    return array
  })
}

/** Pearson's correlation of two equally long series; NaN where one is constant. */
export function pearson(x: ArrayLike<number>, y: ArrayLike<number>): number {
  const [a, b] = series(x, y)
  return a.length < 2 ? Number.NaN : sampleCorrelation(a, b)
}

/** Spearman's rank correlation, tied values sharing the mean of their ranks; NaN where one series is constant. */
export function spearman(x: ArrayLike<number>, y: ArrayLike<number>): number {
  const [a, b] = series(x, y)
  return a.length < 2 ? Number.NaN : sampleRankCorrelation(a, b)
}

/** Share of the `exact` ids that stand among the first exact.length `found` ones. */
export function recall(found: ArrayLike<number>, exact: ArrayLike<number>): number {
  const [ids, all] = [numbers(found, 'found'), numbers(exact, 'exact')]
  const wanted = new Set(all)
  const hits = ids.slice(0, all.length).filter((id) => wanted.has(id)).length
  return hits / all.length
}

/**
 * Normalised discounted cumulative gain of the first k ids, gains being the grades themselves, as trec_eval and BEIR
 * count it; NaN where no document has a grade above 0.
 *
 * Method: Järvelin & Kekäläinen, "Cumulated gain-based evaluation of IR techniques", 2002.
 */
export function ndcg(found: ArrayLike<number>, grades: Grades, k: number): number {
  const discounted = (gains: readonly number[]) => {
    return gains.reduce((sum, gain, rank) => sum + gain / Math.log2(rank + 2), 0)
  }
  checkCount(k, 'k')
  if (!isInstance(grades, Map)) fail('INVALID_ARGUMENT', 'grades', 'a Map of ids to grades', describe(grades))
  const gains = numbers(found, 'found')
    .slice(0, k)
    .map((id) => Math.max(0, grades.get(id) ?? 0))
  const ideal = Array.from(grades.values(), (grade) => Math.max(0, grade))
    .sort((a, b) => b - a)
    .slice(0, k)
  const best = discounted(ideal)
  return best > 0 ? discounted(gains) / best : Number.NaN
}

/** Share of equal entries. */
export function accuracy(predicted: ArrayLike<number>, truth: ArrayLike<number>): number {
  let right = 0
  for (let i = 0; i < truth.length; i++) if (predicted[i] === truth[i]) right++
  return right / truth.length
}

/** Mean and population standard deviation, as numpy's `mean` and `std`. */
export function meanAndDeviation(values: readonly number[]): { mean: number; deviation: number } {
  return { mean: mean(values as number[]), deviation: standardDeviation(values as number[]) }
}
