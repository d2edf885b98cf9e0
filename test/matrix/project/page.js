import { runCore } from './core.js'
import { runPool } from './pool.js'

/** What the driver of the browser waits for. */
globalThis.outcome = run().catch((error) => ({ error: String(error.stack ?? error) }))

async function run() {
  const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })
  const fromWorker = new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data)
    worker.onerror = (event) => reject(new Error(`in the worker: ${event.message}`))
  })
  return { core: runCore(), worker: await fromWorker, pool: await runPool() }
}
