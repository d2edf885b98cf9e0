import { offerPairs, resetBest, writeBest } from './heap'
import { keysToScores } from './order'

/** All pairs are read before the first is written: the output may take the place of the input. */
export function selectBest(
  idsPtr: usize,
  scoresPtr: usize,
  count: usize,
  k: usize,
  scratchPtr: usize,
  outIdsPtr: usize,
  outScoresPtr: usize,
): void {
  assert(k !== 0, 'k must be at least 1')
  resetBest(scratchPtr)
  offerPairs(idsPtr, scoresPtr, count, k, scratchPtr)
  const found = min(k, count)
  writeBest(scratchPtr, found, outIdsPtr, outScoresPtr)
  keysToScores(outScoresPtr, found)
}
