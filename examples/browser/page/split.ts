import { quantizeEmbeddings } from 'packvec'
import { breathe, timeOf } from './clock.js'
import type { Corpus } from './corpus.js'
import { milliseconds } from './numbers.js'
import type { Question } from './questions.js'

const ROUNDS = 3
/** Browsers' clocks tell milliseconds at the worst. */
const ROUND_MS = 8

type Part = 'embed' | 'quantize' | 'scan' | 'read' | 'rescore'

/**
 * Where the time of a search goes. The parts are measured apart, as a caller can: the library itself carries no clocks.
 * `firstMs`: what the first search of this question took, which read the candidates' codes; they are kept then.
 */
export async function measureSplit(
  corpus: Corpus,
  { vector }: Question,
  topK: number,
  multiplier: number,
  firstMs: number,
): Promise<Record<Exclude<Part, 'embed'>, number>> {
  const best = { quantize: Infinity, scanned: Infinity, whole: Infinity }
  const keep = (name: keyof typeof best, ms: number) => {
    best[name] = Math.min(best[name], ms)
  }
  // In turns, so that a busy moment falls on all of them.
  for (let round = 0; round < ROUNDS; round++) {
    keep('quantize', await timeOf(() => quantizeEmbeddings(vector, 'ubinary'), ROUND_MS))
    // One candidate: the scan of all rows, and next to nothing behind it.
    keep('scanned', await timeOf(() => corpus.search(vector, 1, 1), ROUND_MS))
    keep('whole', await timeOf(() => corpus.search(vector, topK, multiplier), ROUND_MS))
    await breathe()
  }
  const { quantize, scanned, whole } = best
  const over = (ms: number) => Math.max(0, ms)
  return {
    quantize,
    scan: over(scanned - quantize),
    read: over(firstMs - whole),
    rescore: over(whole - scanned),
  }
}

export function showSplit(parts: Partial<Record<Part, number>>, question: Question): void {
  const texts: Record<Part, string> = {
    embed: question.embedMs === undefined ? 'done before' : `${milliseconds(question.embedMs)} ms`,
    quantize: shown(parts.quantize),
    scan: shown(parts.scan),
    read: shown(parts.read),
    rescore: shown(parts.rescore),
  }
  for (const [part, text] of Object.entries(texts)) {
    document.querySelector(`#split [data-part="${part}"]`)!.textContent = text
  }
}

function shown(ms: number | undefined): string {
  return ms === undefined ? '…' : `${milliseconds(ms)} ms`
}
