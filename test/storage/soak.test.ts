import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { PackvecError, QuantizedIndex, type SearchOptions } from '../../src/index.js'
import { encodeIndex, openIndex, type StoredIndex } from '../../src/storage-node.js'
import { matrix, randomSource, unitRows } from '../random.js'
import { faultyServer } from './faulty-server.js'

const SECONDS = Number(process.env['SOAK_SECONDS'] ?? (process.env['CI_FULL'] ? 600 : 8))
const SEED = 20_261_125
const SEARCHERS = 12
const DIMS = 64
/** What may remain of it all: less than one index. */
const MOST_GROWTH_BYTES = 12 << 20
/** How searches may end that the server or the caller has spoilt. */
const CODES = ['IO', 'TIMEOUT', 'ABORTED', 'INVALID_FILE', 'CHANGED']

const index = QuantizedIndex.build(matrix(6000, DIMS, 1), { scale: true, onWarning() {} })
const queries = Array.from({ length: 30 }, (_, i) => unitRows(1, DIMS, 100 + i))
const OPTIONS: readonly SearchOptions[] = [
  { topK: 10 },
  { topK: 3, scoring: 'asymmetric' },
  { topK: 50, rescoreMultiplier: 2 },
  { topK: 5, filter: Array.from({ length: 60 }, (_, i) => 97 * i) },
]
const textOf = (result: unknown) =>
  JSON.stringify(result, (_, value) => (ArrayBuffer.isView(value) ? Array.from(value as Uint32Array) : value))
const right = OPTIONS.map((options) => queries.map((query) => textOf(index.search(query, options))))

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

async function memory(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    await sleep(20)
    collect()
  }
  const { heapUsed, external, arrayBuffers } = process.memoryUsage()
  return heapUsed + external + arrayBuffers
}

const sockets = () => process.getActiveResourcesInfo().filter((name) => name.startsWith('TCPSocket')).length
const descriptors = () => (process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0)

/** Waits until the sockets that `fetch` keeps for a while are closed. */
async function fewerSockets(most: number): Promise<number> {
  for (let i = 0; i < 200 && sockets() > most; i++) await sleep(50)
  return sockets()
}

it(
  `${SECONDS} s of searches over a server with faults give what is right or a PackvecError, and leave nothing behind`,
  async () => {
    const random = randomSource(SEED)
    const warnings: string[] = []
    const onWarning = ({ name, message }: Error) => warnings.push(`${name}: ${message}`)
    process.on('warning', onWarning)
    const before = { sockets: sockets(), descriptors: descriptors() }
    const { server, counts } = faultyServer(encodeIndex(index), random)
    await server.open()
    const outcomes = new Map<string, number>()
    const count = (outcome: string) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    const wrong: string[] = []
    let end = 0

    /** Runs what the server may spoil. */
    const attempt = async (run: () => Promise<void>) => {
      try {
        await run()
        count('right')
      } catch (error) {
        const isTyped = error instanceof PackvecError && CODES.includes(error.code)
        count(isTyped ? error.code : 'wrong')
        if (!isTyped) wrong.push(error instanceof Error ? (error.stack ?? error.message) : String(error))
      }
    }
    const search = async (stored: StoredIndex) => {
      const [o, q] = [Math.floor(random() * OPTIONS.length), Math.floor(random() * queries.length)]
      const kind = random()
      const controller = new AbortController()
      if (kind < 0.1) setTimeout(() => controller.abort(new Error('enough')), 20 * random())
      const limits =
        kind < 0.1 ? { signal: controller.signal } : kind < 0.15 ? { timeout: 1 + Math.floor(20 * random()) } : {}
      if (kind > 0.9) {
        const other = (q + 1) % queries.length
        const results = await stored.search([queries[q]!, queries[other]!], OPTIONS[o])
        expect(results.map(textOf)).toEqual([right[o]![q], right[o]![other]])
      } else expect(textOf(await stored.search(queries[q]!, { ...OPTIONS[o], ...limits }))).toBe(right[o]![q])
    }
    const searcher = async () => {
      while (performance.now() < end && wrong.length < 5) {
        await attempt(async () => {
          const cacheBytes = random() < 0.5 ? 0 : 1 << 16
          const stored = await openIndex(server.url, { cacheBytes, retries: 2, retryDelay: 1, requestTimeout: 2000 })
          try {
            for (let i = 0; i < 40 && performance.now() < end; i++) await attempt(() => search(stored))
          } finally {
            await stored.close()
          }
        })
      }
    }
    const round = async (seconds: number) => {
      end = performance.now() + 1000 * seconds
      await Promise.all(Array.from({ length: SEARCHERS }, searcher))
      return memory()
    }
    const early = await round(SECONDS / 4)
    const late = await round((3 * SECONDS) / 4)
    await server.close()
    const after = { sockets: await fewerSockets(before.sockets), descriptors: descriptors() }
    process.off('warning', onWarning)

    if (process.env['CI_FULL'])
      console.log(JSON.stringify({ outcomes: [...outcomes], faults: [...counts], early, late }))
    expect(wrong.join('\n')).toBe('')
    expect(outcomes.get('right')).toBeGreaterThan(50)
    expect(counts.size).toBeGreaterThan(5)
    expect(late - early).toBeLessThan(MOST_GROWTH_BYTES)
    expect(after.sockets).toBeLessThanOrEqual(before.sockets)
    expect(after.descriptors).toBeLessThanOrEqual(before.descriptors)
    expect(warnings).toEqual([])
  },
  1000 * SECONDS + 120_000,
)
