import { describe, fail, reading } from './check.js'
import { PackvecError } from './errors.js'

/**
 * Every option of a call, with the check that its value must pass; `true` if the call checks it itself. Kept beside the
 * interface: a name that is missing here, or that the interface does not have, does not compile.
 */
export type OptionChecks<T> = Readonly<Record<keyof T, true | ((value: unknown, name: string) => unknown)>>

/** For calls whose only option is the width of a row, which they check themselves. */
export const DIMS_CHECKS: OptionChecks<{ readonly dims?: number }> = { dims: true }

/** Other names of options: in sentence-transformers, in FAISS, and in other calls of packvec. */
const ALIASES: Readonly<Record<string, string>> = {
  topK: 'k n limit count topn neighbors numresults',
  rescoreMultiplier: 'multiplier oversampling oversample rescorefactor',
  coarse: 'precision quantization corpusprecision dtype',
  precision: 'coarse quantization corpusprecision dtype',
  ranges: 'calibration minmax',
  calibrateOn: 'calibration sample',
  filter: 'ids allowed where rows',
  minScore: 'threshold scorethreshold',
  scoring: 'metric similarity scorefunction',
  dims: 'dim dimensions width',
  truncate: 'truncatedim truncatedims matryoshka',
  renormalize: 'normalize normalise renormalise normalizeembeddings',
  center: 'centre centering centred mean',
  percentiles: 'quantiles',
  seed: 'randomstate randomseed',
  workers: 'threads poolsize',
  signal: 'abortsignal abort controller',
}

/**
 * A copy of the options of a call: an option that does not exist is refused with the nearest that does, and so is a value
 * of the wrong kind. Inherited options count; undefined ones do not.
 * @param argument the name of the object, if it is a part of the options
 * @throws PackvecError INVALID_ARGUMENT
 */
export function checkOptions<T extends object>(
  options: T | undefined,
  checks: OptionChecks<T>,
  argument = 'options',
): T {
  return reading(argument, () => {
    const copy: Record<string, unknown> = {}
    const isPlain = Object.prototype.toString.call(options ?? {}) === '[object Object]'
    if (options === null || !isPlain) fail('INVALID_ARGUMENT', argument, 'an object', describe(options))
    for (const name in options) {
      const value = options[name]
      if (value === undefined) continue
      if (!Object.hasOwn(checks, name)) throw unknownOption(name, Object.keys(checks))
      const check = checks[name]
      if (check !== true) check(value, name)
      copy[name] = value
    }
    return copy as T
  })
}

/** Names the option and not its value, which may be a key or a password. */
function unknownOption(name: string, known: readonly string[]): PackvecError {
  const nearest = nearestName(name, known)
  const shown = /^\w{1,40}$/.test(name) ? name : describe(name)
  const remedy = nearest === undefined ? `its options are ${known.join(', ')}` : `did you mean ${nearest}?`
  return new PackvecError('INVALID_ARGUMENT', shown, `this call has no option ${shown}: ${remedy}`)
}

/** The option that a name probably means: spelled differently, named differently elsewhere, or misspelled. */
function nearestName(name: string, known: readonly string[]): string | undefined {
  const plain = plainName(name)
  const aliases = known.filter((one) => plainName(one) === plain || ALIASES[one]?.split(' ').includes(plain))
  if (aliases.length > 0 || plain.length > 40) return aliases.join(' or ') || undefined
  const distances = known.map((one) => editDistance(plain, plainName(one)))
  const least = Math.min(...distances)
  return least <= Math.max(1, plain.length / 3) ? known[distances.indexOf(least)] : undefined
}

function plainName(name: string): string {
  return name.replace(/[_-]/g, '').toLowerCase()
}

/** Levenshtein's distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[b.length]!
}
