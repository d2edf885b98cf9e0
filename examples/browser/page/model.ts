import type { Manifest } from './manifest.js'
import type { ModelAnswer, ModelRequest } from './model-protocol.js'

/** An embedding with the milliseconds that it took. */
export interface Embedded {
  readonly vector: Float32Array
  readonly ms: number
}

interface Waiting {
  readonly resolve: (embedded: Embedded) => void
  readonly reject: (error: Error) => void
}

/** The model in its worker. */
export class Model {
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  #tickets = 0

  private constructor(worker: Worker) {
    this.#worker = worker
    worker.addEventListener('message', ({ data }: MessageEvent<ModelAnswer>) => this.#take(data))
  }

  /** Downloads and opens the model. @throws Error with the reason; the worker is gone then */
  static load({ model }: Manifest, onBytes: (bytes: number) => void): Promise<Model> {
    const worker = new Worker(new URL('model-worker.js', document.baseURI), { type: 'module' })
    const request: ModelRequest = { kind: 'load', base: document.baseURI, id: model.id, hosted: model.hosted }
    return new Promise<Model>((resolve, reject) => {
      const fail = (message: string) => {
        worker.terminate()
        reject(new Error(message))
      }
      worker.addEventListener('error', (event) => fail(event.message || 'the worker of the model did not start'))
      worker.addEventListener('message', ({ data }: MessageEvent<ModelAnswer>) => {
        if (data.kind === 'progress') onBytes(data.bytes)
        if (data.kind === 'failed' && data.ticket === undefined) fail(data.message)
        if (data.kind === 'ready') resolve(new Model(worker))
      })
      worker.postMessage(request)
    })
  }

  embed(text: string): Promise<Embedded> {
    const ticket = this.#tickets++
    const request: ModelRequest = { kind: 'embed', ticket, text }
    return new Promise((resolve, reject) => {
      this.#waiting.set(ticket, { resolve, reject })
      this.#worker.postMessage(request)
    })
  }

  #take(data: ModelAnswer): void {
    if (data.kind !== 'vector' && data.kind !== 'failed') return
    const waiting = this.#waiting.get(data.ticket ?? -1)
    this.#waiting.delete(data.ticket ?? -1)
    if (data.kind === 'vector') waiting?.resolve(data)
    else waiting?.reject(new Error(data.message))
  }
}
