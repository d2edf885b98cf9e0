import { describe, expect, it } from 'vitest'
import { fuzz } from './fuzz.js'

// Behind the module that counts what runs.
const { TARGETS } = await import('./targets.js')

/** Inputs in all; more where time is no matter. */
const RUNS = Number(process.env['FUZZ_RUNS'] ?? (process.env['CI_FULL'] ? 200_000 : 4000))
const SEED = Number(process.env['FUZZ_SEED'] ?? 20_261_125)
const shares = TARGETS.reduce((sum, [share]) => sum + share, 0)

describe(`${RUNS} inputs, changed at random and guided by what they reach (seed ${SEED})`, () => {
  it.each(TARGETS.map(([share, target]) => [target.name, Math.ceil((RUNS * share) / shares), target] as const))(
    'of %s, %i of them, are read or refused with a PackvecError, in bounded time and memory',
    async (_, runs, target) => {
      const { faults, ...outcome } = await fuzz(target, runs, SEED)
      if (process.env['CI_FULL']) console.log(target.name, JSON.stringify(outcome))
      expect(faults.join('\n')).toBe('')
      expect(outcome.accepted).toBeGreaterThan(0)
      expect(outcome.reached).toBeGreaterThan(target.seeds.length)
    },
    3_600_000,
  )
})
