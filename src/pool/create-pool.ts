import { checkCount, checkOneOf, describe, fail } from '../base/check.js'
import { PackvecError } from '../base/errors.js'
import { checkOptions, type OptionChecks } from '../base/options.js'
import { backend, checkModule, type InitOptions } from '../kernels/workspace.js'
import { type Host, openHost } from './host.js'
import { Link } from './link.js'
import { Pool } from './pool.js'
import { canShare, openTransport, type TransportKind } from './transport.js'

/** How many threads, how they are spoken to, and where hosts that find neither must be told. */
export interface PoolOptions {
  /** Threads that hold rows and search them: one fewer than there are cores by default, at least 1, at most 1,024. */
  readonly workers?: number
  /**
   * 'shared' hands queries over in a SharedArrayBuffer and wakes workers by Atomics, 'transfer' posts messages. By default
   * shared if the host allows it: Node, and pages that are cross-origin isolated.
   */
  readonly transport?: TransportKind
  /** Where `packvec/pool-worker.js` is, for hosts that do not find it beside the library. */
  readonly workerUrl?: URL | string
  /** The compiled `packvec/kernels.wasm` for the workers, as `init` takes it for this thread. */
  readonly module?: InitOptions['module']
}

const MAX_WORKERS = 1024
const POOL_CHECKS: OptionChecks<PoolOptions> = {
  workers: checkWorkers,
  transport: true,
  workerUrl: checkWorkerUrl,
  module: checkModule,
}

/**
 * Starts threads that hold the rows of indexes and search them together, with the results of one thread. A pool that is
 * forgotten keeps no process alive, but Deno's: Node and Bun count its workers only while they owe an answer.
 * @throws (rejects with) PackvecError INVALID_ARGUMENT (workers, transport), UNSUPPORTED (transport: 'shared' where memory
 * cannot be shared), IO if a worker cannot be started
 */
export async function createPool(given?: PoolOptions): Promise<Pool> {
  const options = checkOptions(given, POOL_CHECKS)
  const transport = chooseTransport(options.transport)
  const host = await openHost()
  const count = options.workers ?? Math.min(Math.max(1, host.cores - 1), MAX_WORKERS)
  let lost: Error | undefined
  // Weak: the workers keep what they call back, and a pool that is forgotten ends with its threads.
  let opened: WeakRef<Pool> | undefined
  const links = await startLinks(host, count, options, transport === 'shared', (error) => {
    lost ??= error
    void opened?.deref()?.fail(error)
  })
  const pool = Pool.ofLinks(links, openTransport(transport, links))
  opened = new WeakRef(pool)
  // One may have ended while the last were starting.
  if (lost !== undefined) await pool.fail(lost)
  return pool
}

/** All workers or none. */
async function startLinks(
  host: Host,
  count: number,
  { workerUrl, module }: PoolOptions,
  shared: boolean,
  onLost: (error: Error) => void,
): Promise<Link[]> {
  const init = { backend: backend(), ...(module && { module }) }
  const started = await Promise.allSettled(
    Array.from({ length: count }, async (_, i) => {
      const link = await Link.start({ host, url: workerUrl, shared, name: `worker ${i + 1} of ${count}`, onLost })
      await link.send({ op: 'setup', init, control: link.control })
      return link
    }),
  )
  const links = started.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []))
  const wrong = started.find((start) => start.status === 'rejected')
  if (wrong === undefined) return links
  await Promise.all(links.map((link) => link.end(wrong.reason)))
  throw wrong.reason
}

function checkWorkers(workers: unknown): void {
  if (checkCount(workers, 'workers') <= MAX_WORKERS) return
  fail('INVALID_ARGUMENT', 'workers', `at most ${MAX_WORKERS}`, String(workers))
}

function checkWorkerUrl(url: unknown): void {
  if (url instanceof URL || (typeof url === 'string' && url !== '')) return
  fail('INVALID_ARGUMENT', 'workerUrl', 'a URL', describe(url))
}

function chooseTransport(asked: TransportKind | undefined): TransportKind {
  if (asked === undefined) return canShare() ? 'shared' : 'transfer'
  checkOneOf(asked, ['shared', 'transfer'], 'transport')
  if (asked === 'transfer' || canShare()) return asked
  const message =
    "transport 'shared' needs SharedArrayBuffer: a page must be cross-origin isolated (COOP and COEP headers)"
  throw new PackvecError('UNSUPPORTED', 'transport', message)
}
