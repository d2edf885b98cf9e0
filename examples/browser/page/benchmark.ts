import { breathe, timeOnce } from './clock.js'
import { Candidate, CONTENDERS, recall } from './contenders.js'
import { median } from './numbers.js'
import type { Questions } from './questions.js'

const ROUNDS = 7
const BUILDS = 3
const MULTIPLIER = 4

export interface Measured {
  readonly name: string
  readonly bytesPerVector: number
  readonly buildMs: number
  /** Of one question: all of them in turn, divided by their number; the least and the middle of the rounds. */
  readonly minMs: number
  readonly medianMs: number
  readonly recall: number
}

/**
 * Builds and searches with every precision. The contenders take turns, round by round, so that a machine that slows down
 * slows all of them; results are compared with the exact ones before anything is timed.
 */
export async function runBenchmark(
  embeddings: Float32Array,
  dims: number,
  questions: Questions,
  onStep: (done: number, steps: number) => void,
): Promise<Measured[]> {
  const steps = CONTENDERS.length * (BUILDS + ROUNDS)
  let done = 0
  const step = async () => {
    onStep(++done, steps)
    await breathe()
  }
  const builds: number[][] = CONTENDERS.map(() => [])
  let candidates: Candidate[] = []
  for (let round = 0; round < BUILDS; round++) {
    candidates = []
    for (const [i, contender] of CONTENDERS.entries()) {
      builds[i]!.push(timeOnce(() => candidates.push(new Candidate(contender, embeddings, dims))))
      await step()
    }
  }
  const vectors = questions.all.map(({ vector }) => vector)
  const found = candidates.map((candidate) => candidate.searchAll(vectors, MULTIPLIER))
  const rounds: number[][] = CONTENDERS.map(() => [])
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, candidate] of candidates.entries()) {
      const ms = timeOnce(() => {
        for (const vector of vectors) candidate.search(vector, MULTIPLIER)
      })
      rounds[i]!.push(ms / vectors.length)
      await step()
    }
  }
  return candidates.map(({ contender, bytesPerVector }, i) => ({
    name: contender.rescored ? `${contender.name} ${MULTIPLIER} × 10` : contender.name,
    bytesPerVector,
    buildMs: Math.min(...builds[i]!),
    minMs: Math.min(...rounds[i]!),
    medianMs: median(rounds[i]!),
    recall: recall(found[i]!, found[0]!),
  }))
}
