import { mean, sampleCorrelation, sampleRankCorrelation, standardDeviation } from 'simple-statistics'

/** Relevance of documents for one query: document id to grade; what is not named has grade 0. */
export type Grades = ReadonlyMap<number, number>

/** Pearson's correlation of two equally long series; NaN where one is constant. */
export function pearson(x: ArrayLike<number>, y: ArrayLike<number>): number {
  return sampleCorrelation(Array.from(x), Array.from(y))
}

/** Spearman's rank correlation, tied values sharing the mean of their ranks; NaN where one series is constant. */
export function spearman(x: ArrayLike<number>, y: ArrayLike<number>): number {
  return sampleRankCorrelation(Array.from(x), Array.from(y))
}

/** Share of the `exact` ids that stand among the first exact.length `found` ones. */
export function recall(found: ArrayLike<number>, exact: ArrayLike<number>): number {
  const wanted = new Set(Array.from(exact))
  let hits = 0
  for (let i = 0; i < Math.min(found.length, exact.length); i++) if (wanted.has(found[i]!)) hits++
  return hits / exact.length
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
  const gains = Array.from(found)
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
