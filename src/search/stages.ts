import { type Precision, precisionKind } from '../codes/precision.js'
import type { Scoring } from './scan.js'

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

/** Whether the first stage gives the final scores already, but for their rounding. */
export function isFinal({ coarse, rescore }: Stages, scoring: Scoring): boolean {
  if (rescore === 'none') return true
  const kind = precisionKind(coarse)
  return precisionKind(rescore) === kind && (scoring === 'asymmetric' || kind === 'floats')
}
