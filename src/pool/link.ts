import { fromErrorMessage, workerError } from './errors.js'
import type { Host, WorkerHandle } from './host.js'
import { type Answer, CONTROL, CONTROL_BYTES, controlArguments, controlWords, type Request } from './protocol.js'

interface Waiter {
  resolve(answer: Answer): void
  reject(error: Error): void
}

export interface LinkOptions {
  readonly host: Host
  /** The worker's script, if it is not beside the library. */
  readonly url: URL | string | undefined
  readonly shared: boolean
  /** How errors name the worker. */
  readonly name: string
  /** Hears of the end of a worker that had started. */
  readonly onLost: (error: Error) => void
}

/** A worker that does not say it is ready within this time never will: its script is another one. */
const START_MS = 30_000

/**
 * One worker and what it owes. Answers come in the order of asking. When the worker is gone, everything owed and everything
 * asked later is rejected.
 */
export class Link {
  readonly #worker: WorkerHandle
  readonly #control: SharedArrayBuffer | undefined
  readonly #words: Int32Array | undefined
  readonly #options: LinkOptions
  readonly #waiting: Waiter[] = []
  #failure: Error | undefined
  #started = false
  #ending = false

  private constructor(options: LinkOptions, onReady: () => void, onRefusal: (error: Error) => void) {
    this.#options = options
    this.#control = options.shared ? new SharedArrayBuffer(CONTROL_BYTES) : undefined
    this.#words = this.#control && controlWords(this.#control)
    this.#worker = options.host.start(options.url, {
      onReply: (reply) => {
        if ('ready' in reply) onReady()
        else if (reply.error !== undefined) this.#settle((waiter) => waiter.reject(fromErrorMessage(reply.error)))
        else this.#settle((waiter) => waiter.resolve(reply.answer))
      },
      onFailure: (reason, cause) => {
        if (this.#started) this.#lost(reason, cause)
        else onRefusal(new Error(reason, { cause }))
      },
    })
  }

  /** Starts a worker. @throws PackvecError IO if the script does not load or is another one */
  static async start(options: LinkOptions): Promise<Link> {
    let link: Link | undefined
    let timer: ReturnType<typeof setTimeout> | undefined
    try {
      await new Promise<void>((resolve, reject) => {
        link = new Link(options, resolve, reject)
        timer = setTimeout(() => reject(new Error(`it was not ready after ${START_MS / 1000} s`)), START_MS)
      })
      return link!.#begin()
    } catch (cause) {
      await (link as Link | undefined)?.end(cause as Error)
      const reason = cause instanceof Error ? cause.message : String(cause)
      const where = options.url === undefined ? 'pool-worker.js beside the library' : String(options.url)
      throw workerError('workerUrl', `${options.name} could not be started from ${where}: ${reason}`, cause)
    } finally {
      clearTimeout(timer)
    }
  }

  /** The block that wakes the worker, where memory is shared. */
  get control(): SharedArrayBuffer | undefined {
    return this.#control
  }

  /** Asks by message; `transfer` leaves this thread. */
  send<T extends Answer>(request: Request, transfer: ArrayBuffer[] = []): Promise<T> {
    return this.#ask(() => {
      this.#worker.post(request, transfer)
      this.#wake('messages')
    })
  }

  /** Asks through the control block: one call at a time. */
  call<T extends Answer>(write: (target: Float64Array) => void): Promise<T> {
    return this.#ask(() => {
      write(controlArguments(this.#control!))
      this.#wake('calls')
    })
  }

  /** Ends the worker; what it owes is rejected with `reason`. */
  async end(reason: Error): Promise<void> {
    // From now on the process waits for the worker's end. An answer that comes late must not undo that: Node would end
    // with nobody told.
    this.#hold(true)
    this.#ending = true
    this.#fail(reason)
    // Deno does not end a thread in its sleep: a message that never comes sends it back to its event loop.
    this.#wake('messages')
    await this.#worker.terminate()
  }

  #ask<T extends Answer>(post: () => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure)
        return
      }
      post()
      this.#waiting.push({ resolve: resolve as Waiter['resolve'], reject })
      // A worker keeps the process alive while it owes something, and only then: a forgotten pool does not.
      if (this.#waiting.length === 1) this.#hold(true)
    })
  }

  #begin(): this {
    this.#started = true
    this.#hold(false)
    return this
  }

  #hold(alive: boolean): void {
    if (!this.#ending) this.#worker.hold(alive)
  }

  #wake(counter: 'messages' | 'calls'): void {
    if (this.#words === undefined) return
    Atomics.add(this.#words, CONTROL[counter], 1)
    Atomics.add(this.#words, CONTROL.ticket, 1)
    Atomics.notify(this.#words, CONTROL.ticket)
  }

  #settle(settle: (waiter: Waiter) => void): void {
    const waiter = this.#waiting.shift()
    if (this.#waiting.length === 0) this.#hold(false)
    if (waiter !== undefined) settle(waiter)
  }

  #lost(reason: string, cause: unknown): void {
    if (this.#failure !== undefined) return
    const error = workerError('worker', `${this.#options.name} is lost, and its rows with it: ${reason}`, cause)
    this.#fail(error)
    this.#options.onLost(error)
  }

  #fail(error: Error): void {
    this.#failure ??= error
    for (const waiter of this.#waiting.splice(0)) waiter.reject(this.#failure)
  }
}
