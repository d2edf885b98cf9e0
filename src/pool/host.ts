import { workerError } from './errors.js'
import { importNode } from './node-module.js'
import type { Reply, Request } from './protocol.js'

/** One worker, whichever kind the host has. */
export interface WorkerHandle {
  post(request: Request, transfer: ArrayBuffer[]): void
  terminate(): Promise<void>
  /** Whether the worker keeps the process alive; Node and Bun ask. */
  hold(alive: boolean): void
}

export interface WorkerEvents {
  onReply(reply: Reply): void
  /** The worker is gone, or never came. */
  onFailure(reason: string, cause?: unknown): void
}

type NodeWorkers = typeof import('node:worker_threads')

/** Where workers come from: `Worker` of browsers, Deno and Bun, or Node's module, which browsers' bundles never name. */
export interface Host {
  start(url: URL | string | undefined, events: WorkerEvents): WorkerHandle
  readonly cores: number
}

export async function openHost(): Promise<Host> {
  if (typeof Worker === 'function') {
    return { start: startWeb, cores: globalThis.navigator?.hardwareConcurrency ?? 1 }
  }
  if (typeof process !== 'object' || !process.versions?.node) {
    throw workerError('worker', 'this host has no workers: neither Worker nor node:worker_threads')
  }
  const threads = await importNode('worker_threads')
  const { availableParallelism } = await importNode('os')
  return { start: (url, events) => startNode(threads, url, events), cores: availableParallelism() }
}

function startWeb(url: URL | string | undefined, { onReply, onFailure }: WorkerEvents): WorkerHandle {
  // Bundlers find the worker by this very form.
  const worker =
    url === undefined
      ? new Worker(new URL('./pool-worker.js', import.meta.url), { type: 'module' })
      : new Worker(url, { type: 'module' })
  worker.onmessage = ({ data }) => onReply(data)
  worker.onmessageerror = () => onFailure('an answer could not be read')
  worker.onerror = (event) => {
    event.preventDefault()
    // A script that cannot be loaded gives an event without a message.
    onFailure(event.message || 'its script could not be loaded', event.error ?? undefined)
  }
  return {
    post: (request, transfer) => worker.postMessage(request, transfer),
    terminate: async () => worker.terminate(),
    hold(alive) {
      // Bun has both methods, as Node; browsers have no process, and Deno waits for its workers.
      const counted = worker as { ref?: () => void; unref?: () => void }
      if (alive) counted.ref?.()
      else counted.unref?.()
    },
  }
}

function startNode(threads: NodeWorkers, url: URL | string | undefined, events: WorkerEvents): WorkerHandle {
  const { onReply, onFailure } = events
  // Not in the form above: a bundler for browsers would add the file a second time.
  const here = import.meta.url
  const script = url === undefined ? new URL('./pool-worker.js', here) : nodeUrl(url)
  // Workers inherit the flags of the process, and Node 20 refuses a file under the one that reads the program as text.
  const typed = process.execArgv.some((flag) => flag.startsWith('--input-type'))
  const worker = new threads.Worker(script, typed ? { execArgv: [] } : {})
  worker.on('message', onReply)
  worker.on('messageerror', (error) => onFailure('an answer could not be read', error))
  worker.on('error', (error) => onFailure(error instanceof Error ? error.message : String(error), error))
  worker.on('exit', (code) => onFailure(`it ended with code ${code}`))
  return {
    post: (request, transfer) => worker.postMessage(request, transfer),
    terminate: async () => void (await worker.terminate()),
    hold(alive) {
      if (alive) worker.ref()
      else worker.unref()
    },
  }
}

/** Node takes paths as strings and URLs as objects only. */
function nodeUrl(url: URL | string): URL | string {
  return typeof url === 'string' && /^(file|data):/.test(url) ? new URL(url) : url
}
