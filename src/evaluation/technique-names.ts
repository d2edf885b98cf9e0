import { checkArray, describe } from '../base/check.js'
import { PackvecError } from '../base/errors.js'
import type { Precision } from '../codes/precision.js'
import { codeOf, precisions, USUAL } from '../codes/registry.js'

/** What turns the embeddings before they are encoded. */
export type RotationName = 'none' | 'svd' | 'hadamard' | 'random' | 'itq'

/** A way to make codes, as the command line names it: `rotated-ternary+scale`. */
export interface Technique {
  readonly name: string
  readonly code: Precision
  readonly rotation: RotationName
  /** Whether a scale for each vector is stored beside its code. */
  readonly scale: boolean
}

const PREFIXES: Readonly<Record<string, RotationName>> = {
  rotated: 'svd',
  svd: 'svd',
  hadamard: 'hadamard',
  random: 'random',
  itq: 'itq',
}

/**
 * What `all` stands for: every code alone, the rotations where they can matter, the scale where it is worth its bytes.
 */
export const ALL_TECHNIQUES: readonly string[] = [
  ...['float32', 'int8', 'int4', 'quaternary', 'ternary', 'binary'],
  ...['rotated', 'hadamard', 'random'].flatMap((prefix) => {
    return ['int8', 'int4', 'quaternary', 'ternary', 'binary'].map((code) => `${prefix}-${code}`)
  }),
  ...['itq-ternary', 'itq-binary'],
  ...['int4', 'quaternary', 'ternary', 'binary'].flatMap((code) => [`${code}+scale`, `hadamard-${code}+scale`]),
]

/**
 * Reads names such as `binary`, `rotated-int8` and `hadamard-ternary+scale`; `all` stands for a full list. Doubles go.
 * @throws PackvecError INVALID_ARGUMENT for a name that is none
 */
export function parseTechniques(names: readonly string[]): Technique[] {
  const full = (checkArray(names, 'techniques') as readonly string[]).flatMap((name) =>
    name === 'all' ? ALL_TECHNIQUES : [name],
  )
  if (full.length === 0) {
    throw new PackvecError('INVALID_ARGUMENT', 'techniques', 'techniques must name at least 1 technique, got none')
  }
  return [...new Set(full)].map(parseTechnique)
}

export function parseTechnique(name: string): Technique {
  const match = typeof name !== 'string' ? null : /^(?:([a-z]+)-)?([a-z0-9]+)(\+scale)?$/.exec(name)
  const rotation = match?.[1] === undefined ? 'none' : PREFIXES[match[1]]
  const code = precisions().find((known) => known === match?.[2])
  if (match === null || rotation === undefined || code === undefined) {
    const expected = `one of ${precisions().join(', ')}, optionally with rotated-, hadamard-, random- or itq- before it`
    const message = `technique must be a code: ${expected}, and +scale after it; got ${describe(name)}`
    throw new PackvecError('INVALID_ARGUMENT', 'techniques', message)
  }
  return { name, code, rotation, scale: match[3] !== undefined }
}

export function isLossless({ code }: Pick<Technique, 'code'>): boolean {
  return code === USUAL.exact
}

/** Bits of a dimension, without what is stored beside the code. */
export function bitsOf({ code }: Technique): number {
  return codeOf(code).bits
}

/** The first of the codes that differ in the sign of a stored byte only. */
export function twinOf(code: Precision): Precision {
  const { family, books } = codeOf(code)
  return precisions().find((other) => codeOf(other).family === family && codeOf(other).books === books)!
}
