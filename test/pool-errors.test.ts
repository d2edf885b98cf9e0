import { execFileSync } from 'node:child_process'
import { getEventListeners } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PackvecError, QuantizedIndex } from '../src/index.js'
import { fromErrorMessage, toErrorMessage } from '../src/pool/errors.js'
import { createPool, type Pool, type PoolIndex, type PoolOptions } from '../src/pool.js'
import { decodeIndex, encodeIndex } from '../src/storage.js'
import { bundlePool } from './pool-bundle.js'
import { matrix, thrownBy, unitRows } from './random.js'

const embeddings = matrix(600, 32, 1)
const query = unitRows(1, 32, 2)
const one = QuantizedIndex.build(embeddings)
let bundle: Awaited<ReturnType<typeof bundlePool>>

beforeAll(async () => {
  bundle = await bundlePool()
})

function open(options: PoolOptions = {}): Promise<Pool> {
  return createPool({ workers: 2, workerUrl: bundle.url('pool-worker.js'), ...options })
}

/** A worker that runs `prelude` first: its `post` is what the pool's worker answers with. */
function brokenWorker(name: string, prelude: string): URL {
  const source = `
    import { parentPort } from 'node:worker_threads'
    const post = parentPort.postMessage.bind(parentPort)
    parentPort.postMessage = (reply, transfer) => { ${prelude}; post(reply, transfer) }
    await import('./pool-worker.js')`
  writeFileSync(join(bundle.folder, name), source)
  return bundle.url(name)
}

async function rejection(promise: Promise<unknown>): Promise<PackvecError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(Error)
  return error as PackvecError
}

describe.each(['shared', 'transfer'] as const)('over %s memory', (transport) => {
  let pool: Pool
  let index: PoolIndex

  beforeAll(async () => {
    pool = await open({ transport })
    index = await pool.build(embeddings)
  })
  afterAll(() => pool.close())

  const notFinite = { data: embeddings.data.slice(), dims: [600, 32] }
  notFinite.data[32 * 470 + 3] = Number.NaN
  const nanQueries = [query, [...query.subarray(0, 31), Number.NaN]]

  it.each<[string, (on: { build: Pool['build']; index: PoolIndex }) => unknown]>([
    ['a query of other dims', ({ index }) => index.search([1, 2])],
    ['a query with NaN', ({ index }) => index.search(nanQueries)],
    ['a quantized query', ({ index }) => index.search(new Int8Array(32) as never)],
    ['topK 0', ({ index }) => index.search(query, { topK: 0 })],
    ['a multiplier that is none', ({ index }) => index.search(query, { rescoreMultiplier: Number.NaN })],
    ['an unknown scoring', ({ index }) => index.search(query, { scoring: 'fast' as never })],
    ['a topK that no memory holds', ({ index }) => index.search(query, { topK: Number.MAX_SAFE_INTEGER })],
    ['added rows of other dims', ({ index }) => index.add([[1, 2]])],
    ['added rows with NaN', ({ index }) => index.add(notFinite)],
    ['added rows with text', ({ index }) => index.add([Array(32).fill('1')] as never)],
    ['no rows to build from', ({ build }) => build([])],
    ['rows with NaN', ({ build }) => build(notFinite)],
    ['rows with NaN as bits alone', ({ build }) => build(notFinite, { rescore: 'none' })],
    ['an unknown precision', ({ build }) => build(embeddings, { coarse: 'int3' as never })],
    ['a single row without ranges', ({ build }) => build([query])],
  ])('refuses %s as one index does, changes nothing and goes on', async (_title, use) => {
    const local = QuantizedIndex.build(embeddings)
    let expected: unknown
    try {
      expected = use({ build: QuantizedIndex.build as never, index: local as never })
    } catch (error) {
      expected = error
    }
    const attempt = use({ build: (...args) => pool.build(...args), index })
    if (expected instanceof Error) {
      const error = await rejection(attempt as Promise<unknown>)
      const { code, argument, message } = expected as PackvecError
      expect(error).toMatchObject({ name: 'PackvecError', code, argument, message })
      expect(String(error.cause)).toBe(String(expected.cause))
    } else expect(await attempt).toEqual(expected)
    expect(index.size).toBe(600)
    expect(await index.search(query)).toEqual(one.search(query))
  })

  it('refuses files that are none, and what belongs to a row in the file', async () => {
    for (const bytes of [new Uint8Array(5), encodeIndex(one).subarray(0, -1)]) {
      const { code, message } = thrownBy(() => decodeIndex(bytes))
      expect(await rejection(pool.open(bytes))).toMatchObject({ code, message })
    }
    const floats = encodeIndex(QuantizedIndex.build(embeddings, { coarse: 'float32' }))
    new DataView(floats.buffer).setFloat32(floats.length - 4, Number.NaN, true)
    const { code, message } = thrownBy(() => decodeIndex(floats))
    expect(await rejection(pool.open(floats))).toMatchObject({ code, message })
  })

  it('an abort rejects at once with its reason as the cause; the searches after it are right', async () => {
    const running = new AbortController()
    const queued = new AbortController()
    const first = index.search(matrix(500, 32, 3), { signal: running.signal })
    const second = index.search(query, { signal: queued.signal })
    const third = index.search(query)
    queued.abort(new Error('not needed'))
    const aborted = { name: 'PackvecError', code: 'ABORTED', argument: 'signal' }
    expect(await rejection(second)).toMatchObject({ ...aborted, cause: { message: 'not needed' } })
    running.abort()
    expect(await rejection(first)).toMatchObject({ ...aborted, cause: { name: 'AbortError' } })
    expect(await third).toEqual(one.search(query))
    const early = rejection(index.search(query, { signal: AbortSignal.abort('no time') }))
    expect(await early).toMatchObject({ ...aborted, cause: 'no time' })
    const signal = new AbortController().signal
    expect(await index.search(query, { signal })).toEqual(one.search(query))
    const wrong = rejection(index.search(query, { signal: 1 as never }))
    expect(await wrong).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'signal' })
  })

  it('a closed index rejects, the others and the pool go on', async () => {
    const other = await pool.build(embeddings)
    const waiting = rejection(other.search(query))
    await Promise.all([other.close(), other.close()])
    await other[Symbol.asyncDispose]()
    for (const promise of [waiting, rejection(other.search([1])), rejection(other.add([]))]) {
      expect(await promise).toMatchObject({ code: 'DISPOSED', argument: 'index' })
    }
    expect(await index.search(query)).toEqual(one.search(query))
  })

  it('closing rejects what is under way and everything after', async () => {
    const pool = await open({ transport })
    const index = await pool.build(embeddings)
    const asked = [index.search(query), index.add(embeddings), index.search(query)].map(rejection)
    await pool.close()
    await pool[Symbol.asyncDispose]()
    const later = [index.search(query), index.add([]), pool.build([]), pool.open(new Uint8Array(3))].map(rejection)
    for (const error of await Promise.all([...asked, ...later])) {
      expect(error).toMatchObject({ code: 'DISPOSED', argument: 'pool' })
    }
    await index.close()
    expect(await rejection(index.search(query))).toMatchObject({ code: 'DISPOSED', argument: 'index' })
  })

  it('a search that takes longer than its timeout rejects, whether it runs or waits', async () => {
    const workerUrl = brokenWorker('silent.js', 'if (reply.answer?.rescored) return')
    const pool = await open({ transport, workerUrl })
    const index = await pool.build(embeddings)
    const asked = [index.search(query, { timeout: 30 }), index.search(query, { timeout: 20 })].map(rejection)
    for (const error of await Promise.all(asked)) {
      expect(error).toMatchObject({ name: 'PackvecError', code: 'TIMEOUT', argument: 'timeout' })
    }
    const wrong = rejection(index.search(query, { timeout: 0 }))
    expect(await wrong).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'timeout' })
    await pool.close()
  })

  it('searches that end in time leave nothing of their timeout and signal behind', async () => {
    const { signal } = new AbortController()
    const warnings: Error[] = []
    const note = (warning: Error) => warnings.push(warning)
    process.on('warning', note)
    const searches = Array.from({ length: 25 }, () => index.search(query, { signal, timeout: 60_000 }))
    for (const result of await Promise.all(searches)) expect(result).toEqual(one.search(query))
    await new Promise((resolve) => setImmediate(resolve))
    process.off('warning', note)
    expect(warnings).toEqual([])
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it.each([
    ['the first stage', 'reply.answer?.rescored'],
    ['the second stage', 'reply.answer?.constants'],
  ])('a worker that dies in %s rejects all that is pending, and everything after', async (_stage, when) => {
    const workerUrl = brokenWorker(`dies-${when.length}.js`, `if (${when}) process.exit(7)`)
    const pool = await open({ transport, workerUrl })
    const index = await pool.build(embeddings)
    const asked = [index.search(query), index.search(query), index.add(embeddings)].map(rejection)
    for (const error of await Promise.all(asked)) expect(error).toMatchObject({ code: 'IO', argument: 'worker' })
    const error = await rejection(index.search(query))
    expect(error).toMatchObject({ code: 'IO', argument: 'worker' })
    expect(error.message).toMatch(/^worker [12] of 2 is lost, and its rows with it: it ended with code 7$/)
    await pool.close()
  })

  it('an error inside a worker that is no PackvecError comes across with its message', async () => {
    const workerUrl = brokenWorker('throws.js', `if (reply.answer?.rescored) { reply = { error: { message: 'oh' } } }`)
    const pool = await open({ transport, workerUrl })
    const index = await pool.build(embeddings)
    const lost = { code: 'IO', argument: 'worker', message: 'in a worker: oh', cause: { message: 'oh' } }
    expect(await rejection(index.search(query))).toMatchObject(lost)
    await pool.close()
  })
})

describe('an error that crosses from a worker', () => {
  const cross = (error: unknown) => fromErrorMessage(structuredClone(toErrorMessage(error)))

  it('keeps code, argument, message and causes', () => {
    const disk = Object.assign(new RangeError('no room'), { code: 'ENOSPC' })
    const cause = new PackvecError('IO', 'path', 'cannot write', { cause: disk })
    const error = cross(new PackvecError('TOO_LARGE', 'embeddings', 'too many', { cause }))
    expect(error).toBeInstanceOf(PackvecError)
    expect(error).toMatchObject({ code: 'TOO_LARGE', argument: 'embeddings', message: 'too many' })
    expect(error.cause).toBeInstanceOf(PackvecError)
    expect(error.cause).toMatchObject({ code: 'IO', argument: 'path', message: 'cannot write' })
    expect((error.cause as Error).cause).toBeInstanceOf(Error)
    expect((error.cause as Error).cause).toMatchObject({ name: 'RangeError', code: 'ENOSPC', stack: disk.stack })
    for (const value of ['why', 0, null, 5n]) {
      expect(cross(new PackvecError('IO', '', '', { cause: value })).cause).toBe(value)
    }
  })

  it('is a PackvecError whatever was thrown, and its causes end', () => {
    const round = new Error('round')
    round.cause = round
    for (const thrown of [round, new TypeError('type'), 'text', undefined, { a: () => {} }]) {
      const error = cross(thrown)
      expect(error).toMatchObject({ name: 'PackvecError', code: 'IO', argument: 'worker' })
      expect(error.message).toMatch(/^in a worker: /)
      expect(error.cause).toBeInstanceOf(Error)
    }
  })
})

describe('createPool', () => {
  it.each([
    ['0 workers', { workers: 0 }, 'INVALID_ARGUMENT', 'workers'],
    ['NaN workers', { workers: Number.NaN }, 'INVALID_ARGUMENT', 'workers'],
    ['half a worker', { workers: 1.5 }, 'INVALID_ARGUMENT', 'workers'],
    ['more workers than anyone has', { workers: 1e6 }, 'INVALID_ARGUMENT', 'workers'],
    ['an unknown transport', { transport: 'pigeon' as never }, 'INVALID_ARGUMENT', 'transport'],
    ['a worker that is not there', { workerUrl: new URL('file:///none/worker.js') }, 'IO', 'workerUrl'],
    ['no URL', { workerUrl: 'none' }, 'IO', 'workerUrl'],
    ['a script that ends at once', { workerUrl: new URL('data:text/javascript,1') }, 'IO', 'workerUrl'],
    ['a script that throws', { workerUrl: new URL('data:text/javascript,throw new Error(1)') }, 'IO', 'workerUrl'],
  ])('refuses %s', async (_title, options, code, argument) => {
    const error = await rejection(open(options))
    expect(error).toBeInstanceOf(PackvecError)
    expect(error).toMatchObject({ code, argument })
  })

  it('leaves no worker behind where one does not start', async () => {
    writeFileSync(
      join(bundle.folder, 'second-fails.js'),
      `import { threadId } from 'node:worker_threads'
       if (threadId % 2) throw new Error('odd')
       await import('./pool-worker.js')`,
    )
    const error = await rejection(open({ workerUrl: bundle.url('second-fails.js') }))
    expect(error.message).toMatch(/could not be started from .*odd/)
  })

  it('a pool that is forgotten keeps no process alive, one that owes an answer does', () => {
    const source = `
      import { createPool } from ${JSON.stringify(bundle.url('pool.js').href)}
      const pool = await createPool({ workers: 2 })
      const index = await pool.build(Array.from({ length: 200 }, (_, i) => [i, 1 - i, i % 7]))
      console.log((await index.search([1, 2, 3])).ids.length)`
    const printed = execFileSync(process.execPath, ['--input-type=module', '-e', source], { timeout: 30_000 })
    expect(String(printed)).toBe('10\n')
  })
})
