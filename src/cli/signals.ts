import { removeAllTemporaries } from '../files/temporary.js'
import { PackvecError } from '../index.js'
import { complain } from './terminal.js'

/** What a shell reports of a process that such a signal ended: 128 and its number. */
const EXIT_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const

/** How long work has to end in order before it is cut off. */
const GRACE_MS = 2000

type Signal = keyof typeof EXIT_CODES

let received: Signal | undefined
/** Ends the work under way, if it can be ended. */
let interrupt: (() => void) | undefined

/** Ends in order on Ctrl-C, a request to terminate or a terminal that is closed; at once when asked a second time. */
export function handleSignals(): void {
  for (const signal of Object.keys(EXIT_CODES) as Signal[]) process.on(signal, onSignal)
}

/** Ends the process if a signal asked for it: awaited input would keep it alive. */
export function endIfAsked(): void {
  if (received !== undefined) process.exit(EXIT_CODES[received])
}

/** Runs work that a signal aborts; `path` is what stays as it was. */
export async function abortedBySignal<T>(path: string, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const abort = new AbortController()
  interrupt = () => abort.abort(new PackvecError('ABORTED', 'signal', `interrupted: ${path} is as it was`))
  try {
    return await run(abort.signal)
  } finally {
    interrupt = undefined
  }
}

function onSignal(signal: Signal): void {
  const isFirst = received === undefined
  received ??= signal
  if (!isFirst) breakOff(received)
  else if (interrupt === undefined) {
    cleanUp()
    endIfAsked()
  } else {
    interrupt()
    setTimeout(breakOff, GRACE_MS, signal)
  }
}

/** Ends the process by the signal itself: an exit would wait for a read that waits for a pipe. */
function breakOff(signal: Signal): void {
  cleanUp()
  process.off(signal, onSignal)
  process.kill(process.pid, signal)
}

function cleanUp(): void {
  complain('interrupted')
  removeAllTemporaries()
}
