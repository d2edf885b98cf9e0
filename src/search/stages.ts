import { checkOneOf } from '../base/check.js'
import type { Precision } from '../codes/precision.js'
import { checkPrecision, codeOf, USUAL } from '../codes/registry.js'
import type { Scoring } from './forms/form.js'
import { formOf } from './forms/registry.js'

/** What the two stages of a search run on; 'none' leaves the first stage's order. */
export interface Stages {
  readonly coarse: Precision
  readonly rescore: Precision | 'none'
}

/** The codes that a caller asks for, or the usual ones. @throws PackvecError INVALID_ARGUMENT */
export function checkStages(asked: { readonly coarse?: Precision; readonly rescore?: Precision | 'none' }): Stages {
  const coarse = checkPrecision(asked.coarse ?? USUAL.coarse, 'coarse')
  const rescore = asked.rescore ?? (formOf(coarse).isOneScoring ? 'none' : USUAL.rescore)
  return { coarse, rescore: rescore === 'none' ? rescore : checkPrecision(rescore, 'rescore') }
}

/** The precisions that two stages need: one of a family, in the first precision named, as an index keeps it. */
export function storedPrecisions({ coarse, rescore }: Stages): Precision[] {
  const first = codeOf(coarse)
  if (rescore === 'none' || codeOf(rescore).family === first.family) return [first.keptAs]
  return [first.keptAs, codeOf(rescore).keptAs]
}

/** How a first stage of these codes compares: as the caller says, or as is usual. @throws PackvecError INVALID_ARGUMENT */
export function checkScoring(scoring: Scoring | undefined, coarse: Precision): Scoring {
  const { usualScoring } = formOf(coarse)
  return checkOneOf(scoring ?? usualScoring, ['symmetric', 'asymmetric'], 'scoring')
}

/** What a scoring means for stages: the one place that decides it. */
export interface FirstStage {
  /** Whether codes meet the float query itself, or a code of it. */
  readonly takesFloats: boolean
  /** Whether a query is decoded from its own codes before it is compared. */
  readonly decodesQueries: boolean
  /** Whether the first stage gives the final scores already, but for their rounding. */
  readonly isFinal: boolean
  /** Whether the final scores are distances. */
  readonly givesDistances: boolean
}

export function firstStage({ coarse, rescore }: Stages, scoring: Scoring): FirstStage {
  const form = formOf(coarse)
  const takesFloats = scoring === 'asymmetric' || form.isOneScoring === true
  const isSameFamily = rescore !== 'none' && codeOf(rescore).family === codeOf(coarse).family
  const isFinal = rescore === 'none' || (isSameFamily && takesFloats)
  return {
    takesFloats,
    decodesQueries: !takesFloats && form.decodesQueries === true,
    isFinal,
    givesDistances: isFinal && !takesFloats && form.symmetricScore === 'distance',
  }
}
