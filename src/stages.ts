import { type Precision, precisionKind } from './precision.js'

/** What the two stages of a search run on; 'none' leaves the first stage's order. */
export interface Stages {
  readonly coarse: Precision
  readonly rescore: Precision | 'none'
}

/** The precisions that two stages need, one of a kind: bits as unsigned bytes, others in the first precision named. */
export function storedPrecisions({ coarse, rescore }: Stages): Precision[] {
  const kept: Precision[] = [coarse === 'binary' ? 'ubinary' : coarse]
  if (rescore !== 'none' && precisionKind(rescore) !== precisionKind(coarse)) {
    kept.push(rescore === 'binary' ? 'ubinary' : rescore)
  }
  return kept
}
