import { describe, fail } from '../base/check.js'
import { binary, ubinary } from './bits.js'
import { int8, uint8 } from './bytes.js'
import type { Code } from './code.js'
import { float32 } from './floats.js'
import { int4 } from './nibbles.js'
import { quaternary, ternary } from './pairs.js'
import type { Precision } from './precision.js'

/** From the most bytes to the fewest. */
const BUILT_IN: readonly Code[] = [float32, int8, uint8, int4, quaternary, ternary, binary, ubinary]

/** Every precision, from the most bytes to the fewest. */
export const PRECISIONS: readonly Precision[] = BUILT_IN.map(({ name }) => name)

/** The codes of an index whose caller asks for none. */
export const USUAL = { coarse: 'binary', rescore: 'int8', exact: 'float32' } as const

const codes = new Map<string, Code>(BUILT_IN.map((code) => [code.name, code]))

/** Makes a family of codes known under their names, in this thread; how they are searched is said to `registerForm`. */
export function registerCode(code: Code): void {
  codes.set(code.name, code)
}

export function codeOf(precision: Precision): Code {
  const code = codes.get(precision)
  if (code === undefined) throw new Error(`no code is called ${precision}`)
  return code
}

/** The names of all codes that are known. */
export function precisions(): Precision[] {
  return [...codes.keys()] as Precision[]
}

/** @throws PackvecError INVALID_ARGUMENT */
export function checkPrecision(value: unknown, argument = 'precision'): Precision {
  if (codes.has(value as Precision)) return value as Precision
  return fail('INVALID_ARGUMENT', argument, `one of ${precisions().join(', ')}`, describe(value))
}
