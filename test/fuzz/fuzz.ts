import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PackvecError } from '../../src/base/errors.js'
import { sha256 } from '../format/sealed.js'
import { randomSource } from '../random.js'
import { Allocations } from './allocations.js'
import { Coverage } from './coverage.js'
import { pick, type Random } from './mutate.js'

/** A parser, and what it is tried with. */
export interface Target {
  readonly name: string
  /** Inputs that are right, made by code. */
  readonly seeds: readonly Uint8Array[]
  readonly mutate: (input: Uint8Array, others: readonly Uint8Array[], random: Random) => Uint8Array
  /**
   * Reads one input: returns, or throws a PackvecError; anything else it throws is a fault, and so is a `Wrong`.
   */
  readonly run: (input: Uint8Array, random: Random) => unknown
}

/** Thrown by a target whose answer is wrong. */
export class Wrong extends Error {}

export interface Outcome {
  runs: number
  accepted: number
  refused: number
  /** Shapes of coverage. */
  reached: number
  /** Faults, each with the input as base64. */
  readonly faults: string[]
}

/** What one input may take: these, and so much more for each of its bytes. */
const MOST_MEMORY = 64 << 20
const MEMORY_PER_BYTE = 64
/** Thousands of times what the slowest one needs. */
const MOST_CPU_SECONDS = 5
const MOST_FAULTS = 10
/** Of the inputs kept, so many of the newest are taken half of the time. */
const NEWEST = 40

/** Of one run, for the repository. */
const MOST_KEPT = 12

const CORPUS = join(import.meta.dirname, 'corpus')

/** Tries the seeds, the kept inputs, and then changes of those that reached something new. */
export async function fuzz(target: Target, runs: number, seed: number): Promise<Outcome> {
  const random = randomSource(seed)
  const outcome: Outcome = { runs: 0, accepted: 0, refused: 0, reached: 0, faults: [] }
  const begun = [...target.seeds, ...keptInputs(target.name)]
  const pool = [...begun]
  const coverage = new Coverage()
  const allocations = new Allocations()
  try {
    for (const input of begun) {
      await tryInput(target, input, random, allocations, outcome)
      coverage.isNew()
    }
    while (outcome.runs < runs && outcome.faults.length < MOST_FAULTS) {
      const parent = random() < 0.5 ? pick(random, pool) : pick(random, pool.slice(-NEWEST))
      const input = target.mutate(parent, pool, random)
      await tryInput(target, input, random, allocations, outcome)
      if (coverage.isNew()) pool.push(input)
    }
    outcome.reached = coverage.size
  } finally {
    allocations.restore()
  }
  if (process.env['FUZZ_KEEP']) await keep(target, begun, pool.slice(begun.length))
  return outcome
}

async function tryInput(
  target: Target,
  input: Uint8Array,
  random: Random,
  allocations: Allocations,
  outcome: Outcome,
): Promise<void> {
  outcome.runs++
  const fault = (what: string) => {
    outcome.faults.push(`${target.name}: ${what}\n  input: ${Buffer.from(input).toString('base64')}`)
  }
  allocations.reset(MOST_MEMORY + MEMORY_PER_BYTE * input.length)
  const before = process.cpuUsage()
  try {
    const result = target.run(input.slice(), random)
    if (result instanceof Promise) await result
    outcome.accepted++
  } catch (error) {
    if (error instanceof PackvecError) outcome.refused++
    else fault(error instanceof Error ? (error.stack ?? error.message) : `threw ${String(error)}`)
  }
  if (allocations.excess !== undefined) fault(allocations.excess)
  allocations.reset(Number.POSITIVE_INFINITY)
  const { user, system } = process.cpuUsage(before)
  if (user + system > 1e6 * MOST_CPU_SECONDS) fault(`took ${(user + system) / 1e6} s of the processor`)
}

/** The inputs in `corpus/<target>/`: faults of old, and what reached far. */
function keptInputs(name: string): Uint8Array[] {
  const folder = join(CORPUS, name)
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .sort()
    .map((file) => new Uint8Array(readFileSync(join(folder, file))))
}

/** Adds the smallest inputs that reach what those that are there do not. */
async function keep(target: Target, begun: readonly Uint8Array[], inputs: readonly Uint8Array[]): Promise<void> {
  const folder = join(CORPUS, target.name)
  mkdirSync(folder, { recursive: true })
  const coverage = new Coverage()
  const random = randomSource(1)
  const isNew = async (input: Uint8Array) => {
    try {
      await target.run(input.slice(), random)
    } catch {}
    return coverage.isNew()
  }
  for (const input of begun) await isNew(input)
  let left = MOST_KEPT
  for (const input of [...inputs].sort((a, b) => a.length - b.length)) {
    if (left === 0 || !(await isNew(input))) continue
    writeFileSync(join(folder, sha256(input).toString('hex').slice(0, 12)), input)
    left--
  }
}
