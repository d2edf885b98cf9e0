import type { RowSource } from '../rows/matrix.js'
import type { RescoreCall } from '../search/merge.js'
import type { ExactScores } from '../search/search-job.js'
import type { RowScorer } from './row-scorer.js'
import type { CodesOnDisk } from './shard.js'

/**
 * Exact scores of candidates whose codes are in the file: a chunk of them is scored while the next is read. The scorer is
 * used between two reads only, so that several searches may share it.
 */
export async function exactScores(
  { blocks, scales }: CodesOnDisk,
  scorer: RowScorer,
  queries: RowSource,
  { counts, ids }: RescoreCall,
  signal: AbortSignal | undefined,
): Promise<ExactScores> {
  const { capacity, rowBytes } = scorer
  const scores = new Float32Array(ids.length)
  const constants = new Float64Array(counts.length)
  const ends = Uint32Array.from(counts)
  for (let i = 1; i < ends.length; i++) ends[i]! += ends[i - 1]!
  const chunk = (first: number) => ids.subarray(first, first + capacity)
  const load = (first: number) => {
    const parts = Array.from(chunk(first), (row) => ({ at: row * rowBytes, length: rowBytes }))
    const loading = blocks.load(parts, signal)
    // A failure is thrown where it is awaited; until then nobody listens.
    loading.catch(() => {})
    return loading
  }
  let query = 0
  let next = load(0)
  for (let first = 0; first < ids.length; first += capacity) {
    const loaded = await next
    if (first + capacity < ids.length) next = load(first + capacity)
    const rows = chunk(first)
    for (let i = 0; i < rows.length; i++) loaded.copy(rows[i]! * rowBytes, rowBytes, scorer.codes, i * rowBytes)
    blocks.release(loaded)
    scorer.put(rows.length, scales && Float32Array.from(rows, (row) => scales[row]!))
    for (let at = first; at < first + rows.length; ) {
      while (ends[query]! <= at) query++
      const end = Math.min(ends[query]!, first + rows.length)
      constants[query] = scorer.prepare(queries, query)
      scorer.score(at - first, scores.subarray(at, end))
      at = end
    }
  }
  return { scores, constants }
}
