import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Host, WorkerEvents } from '../src/pool/host.js'
import { Link } from '../src/pool/link.js'
import { bundlePool } from './pool-bundle.js'

const run = promisify(execFile)
const TRANSPORTS = ['shared', 'transfer'] as const
/** Processes of each kind, each with other delays. */
const PROCESSES = process.env['CI_FULL'] ? 12 : 2
let bundle: Awaited<ReturnType<typeof bundlePool>>

beforeAll(async () => {
  bundle = await bundlePool()
})

/** Runs a program with a pool's functions and seeded delays at hand; gives what it printed. */
async function output(program: string, seed = 1, flags: readonly string[] = []): Promise<string> {
  const source = `
    import { createPool } from ${JSON.stringify(bundle.url('pool.js').href)}
    let state = ${seed}
    const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32
    const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
    const codes = new Set()
    const noted = (promise) => promise.then(() => codes.add('none'), (error) => codes.add(error.code))
    const matrix = (rows, dims) => {
      return { data: Float32Array.from({ length: rows * dims }, (_, i) => Math.sin(i)), dims: [rows, dims] }
    }
    const rows = matrix(3000, 64)
    const queries = matrix(300, 64)
    ${program}
    console.log('last line')`
  const args = [...flags, '--input-type=module', '-e', source]
  const { stdout } = await run(process.execPath, args, { timeout: 50_000 })
  return stdout
}

describe('close always settles', () => {
  it('although an answer comes when the worker is ending: the process waits for the end', async () => {
    const holds: boolean[] = []
    let events: WorkerEvents | undefined
    let ended: (() => void) | undefined
    const host: Host = {
      cores: 1,
      start(_url, listeners) {
        events = listeners
        return {
          post: () => {},
          hold: (alive) => holds.push(alive),
          terminate: () => new Promise((resolve) => (ended = resolve)),
        }
      },
    }
    const options = { host, url: undefined, shared: false, name: 'worker', onLost: () => {} }
    const starting = Link.start(options)
    events!.onReply({ ready: true })
    const link = await starting
    const asked = [1, 2].map((index) => link.send({ op: 'drop', index }).catch((error: Error) => error.message))
    events!.onReply({ answer: undefined })
    const ending = link.end(new Error('closed'))
    events!.onReply({ answer: undefined })
    events!.onReply({ answer: undefined })
    expect(holds.at(-1)).toBe(true)
    ended!()
    await ending
    expect(await Promise.all(asked)).toEqual([undefined, 'closed'])
  })

  const under = (ask: string) => `const index = await pool.build(rows); owed.push(...[${ask}].map(noted))`
  const abort = `const index = await pool.build(rows)
    const stop = new AbortController()
    owed.push(noted(index.search(queries, { signal: stop.signal })), noted(index.search(queries)))
    if (random() < 0.5) await pause(5 * random())
    stop.abort()`
  const KINDS = {
    'a build': 'owed.push(noted(pool.build(rows)), noted(pool.build(rows)))',
    searches: under('index.search(queries), index.search(queries)'),
    additions: under('index.add(rows), index.add(rows)'),
    'an aborted search': abort,
    'a search that is late': under('index.search(queries, { timeout: 1 }), index.search(queries)'),
    'an index that closes': under('index.search(queries), index.close(), index.search(queries)'),
    nothing: under(''),
  }
  const cases = Object.entries(KINDS).flatMap(([kind, begin]) => TRANSPORTS.map((t) => [kind, t, begin] as const))

  it.each(cases)('with %s under way, over %s memory', async (_kind, transport, begin) => {
    const program = `
      for (let round = 0; round < 6; round++) {
        const pool = await createPool({ workers: 2, transport: '${transport}' })
        const owed = []
        ${begin}
        if (random() < 0.7) await pause(30 * random())
        await pool.close()
        await Promise.all(owed)
        await pool.close()
      }
      for (const code of codes) if (!['none', 'DISPOSED', 'ABORTED', 'TIMEOUT'].includes(code)) console.log(code)`
    for (let seed = 1; seed <= PROCESSES; seed++) expect(await output(program, seed)).toBe('last line\n')
  })

  it.each(TRANSPORTS)('whichever answer a worker dies before, over %s memory', async (transport) => {
    const script = `dies-later-${transport}.js`
    writeFileSync(
      join(bundle.folder, script),
      `import { parentPort, threadId } from 'node:worker_threads'
       const dying = Number(process.env.DYING_REPLY)
       const post = parentPort.postMessage.bind(parentPort)
       let replies = 0
       parentPort.postMessage = (reply, transfer) => {
         if (++replies === dying && threadId % 2 === 0) process.exit(7)
         post(reply, transfer)
       }
       await import('./pool-worker.js')`,
    )
    const program = `
      const workerUrl = new URL(${JSON.stringify(bundle.url(script).href)})
      let reply = 0
      for (let alive = false; !alive; ) {
        process.env.DYING_REPLY = ++reply
        let pool
        try {
          codes.clear()
          pool = await createPool({ workers: 2, transport: '${transport}', workerUrl })
          const index = await pool.build(rows)
          await index.search(queries)
          await index.add(rows)
          await index.close()
          const other = await pool.build(rows)
          await Promise.all([noted(other.search(queries)), noted(other.search(queries))])
          await other.close()
          alive = !codes.has('IO')
        } catch (error) {
          if (error.code !== 'IO') console.log(error)
        }
        await pool?.close()
      }
      console.log(reply > 8)`
    expect(await output(program)).toBe('true\nlast line\n')
  })
})

describe('memory comes back from the workers', () => {
  const memory = `
    const megabytes = () => process.memoryUsage().rss / 2 ** 20
    const large = { data: new Float32Array(200_000 * 128).fill(0.5), dims: [200_000, 128] }
    const give = async (build) => {
      const pool = await createPool({ workers: 2, transport })
      await (await pool.build(rows)).search(queries)
      globalThis.gc()
      const before = megabytes()
      await build(pool)
      const built = megabytes()
      for (let i = 0; i < 300 && megabytes() > before + 30; i++) {
        await pause(50)
        globalThis.gc()
      }
      console.log(built - before > 80, megabytes() - before < 40)
      await pool.close()
    }`

  it.each(TRANSPORTS)('of an index that is closed, over %s memory', async (transport) => {
    const program = `const transport = '${transport}'; ${memory}
      await give(async (pool) => {
        const index = await pool.build(large, { coarse: 'float32' })
        await index.close()
      })`
    expect(await output(program, 1, ['--expose-gc'])).toBe('true true\nlast line\n')
  })

  it.each(TRANSPORTS)('of an index that is forgotten, over %s memory', async (transport) => {
    const program = `const transport = '${transport}'; ${memory}
      await give(async (pool) => {
        const index = await pool.build(large, { coarse: 'float32' })
        await index.search(large.data.subarray(0, 128))
      })`
    expect(await output(program, 1, ['--expose-gc'])).toBe('true true\nlast line\n')
  })

  it('of a pool that is forgotten with its indexes: its threads end', async () => {
    const program = `
      const { readdirSync } = await import('node:fs')
      const threads = () => readdirSync('/proc/self/task').length
      const use = async () => {
        const pool = await createPool({ workers: 4 })
        const index = await pool.build(rows)
        await index.search(queries)
        return threads()
      }
      await (await createPool({ workers: 1 })).close()
      const before = threads()
      const most = await use()
      for (let i = 0; i < 300 && threads() > before; i++) {
        await pause(50)
        globalThis.gc()
      }
      console.log(most - before >= 4, threads() <= before)`
    expect(await output(program, 1, ['--expose-gc'])).toBe('true true\nlast line\n')
  })
})
