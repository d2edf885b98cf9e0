import { init } from '../kernels/workspace.js'
import { type Boards, readCall } from './call-codec.js'
import { toErrorMessage } from './errors.js'
import { importNode } from './node-module.js'
import { type Answer, CONTROL, controlArguments, controlWords, type Reply, type Request } from './protocol.js'
import { Shards } from './shard.js'

// The script of a worker of the pool: `dist/pool-worker.js`, one file that imports nothing.

interface Port {
  post(reply: Reply, transfer: ArrayBuffer[]): void
  listen(handle: (request: Request) => void): void
}

const shards = new Shards()
const boards = {} as { -readonly [name in keyof Boards]: Boards[name] }
let control: SharedArrayBuffer | undefined
/** Messages and calls answered so far: what the main thread counts beyond is waiting. */
let messages = 0
let calls = 0
/** Milliseconds between two turns of the event loop while dropped stores are to be collected. */
const NAP_MS = 20
let turn: ReturnType<typeof setTimeout> | undefined

// No await at the top: bundlers make classic scripts of workers unless told otherwise.
void openPort().then((port) => {
  port.listen((request) => {
    messages++
    respond(port, () => run(request))
    awaitWork(port)
  })
  port.post({ ready: true }, [])
})

/** Answers calls where memory is shared; lets dropped stores be collected meanwhile. */
function awaitWork(port: Port): void {
  if (turn === undefined && shards.dropped.waits) {
    turn = setTimeout(() => {
      turn = undefined
      shards.dropped.press()
      awaitWork(port)
    }, NAP_MS)
  }
  if (control !== undefined) serveCalls(port, control)
}

/**
 * Sleeps on the control block and answers calls, until a message waits: only the event loop brings messages. The ticket is
 * read first, so that what comes between looking and sleeping wakes the thread at once. While a turn is due, a sleep is a nap.
 */
function serveCalls(port: Port, block: SharedArrayBuffer): void {
  const words = controlWords(block)
  for (;;) {
    const ticket = Atomics.load(words, CONTROL.ticket)
    if (Atomics.load(words, CONTROL.messages) !== messages) return
    if (Atomics.load(words, CONTROL.calls) === calls) {
      if (Atomics.wait(words, CONTROL.ticket, ticket, turn === undefined ? undefined : NAP_MS) === 'timed-out') return
      continue
    }
    calls++
    respond(port, () => shards.run(readCall(controlArguments(block), boards)))
  }
}

function run(request: Request): Answer {
  if (request.op === 'board') {
    boards[request.name] = request.buffer
    return undefined
  }
  if (request.op !== 'setup') return shards.run(request)
  init(request.init)
  control = request.control
  return undefined
}

function respond(port: Port, work: () => Answer): void {
  try {
    const answer = work()
    port.post({ answer }, buffersOf(answer))
  } catch (error) {
    port.post({ error: toErrorMessage(error) }, [])
  }
}

/** Results leave without a copy; what lies in shared memory stays there. */
function buffersOf(answer: Answer): ArrayBuffer[] {
  if (answer === undefined || typeof answer === 'string') return []
  const arrays = ArrayBuffer.isView(answer)
    ? [answer]
    : Object.values(answer).filter((value) => ArrayBuffer.isView(value))
  return arrays.map(({ buffer }) => buffer).filter((buffer) => buffer instanceof ArrayBuffer)
}

/** Browsers, Deno and Bun speak to a worker through its global scope, Node through a port of its own. */
async function openPort(): Promise<Port> {
  const scope = globalThis as unknown as {
    postMessage?: (message: unknown, transfer: ArrayBuffer[]) => void
    onmessage?: (event: { readonly data: Request }) => void
  }
  if (typeof scope.postMessage === 'function') {
    return {
      post: (reply, transfer) => scope.postMessage!(reply, transfer),
      listen(handle) {
        scope.onmessage = ({ data }) => handle(data)
      },
    }
  }
  const { parentPort } = await importNode('worker_threads')
  return {
    post: (reply, transfer) => parentPort!.postMessage(reply, transfer),
    listen: (handle) => parentPort!.on('message', handle),
  }
}
