const waiting = new WeakMap<AbortSignal, Set<() => void>>()

/**
 * Calls back once a signal is aborted; the function it returns takes that back. A signal has one listener, however many
 * wait for it: Node warns of a leak from the eleventh on.
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  // A set holds a function once: two who wait with the same one are still two.
  const call = () => callback()
  let callbacks = waiting.get(signal)
  if (callbacks === undefined) {
    callbacks = new Set()
    waiting.set(signal, callbacks)
  }
  if (callbacks.size === 0) signal.addEventListener('abort', callAll)
  callbacks.add(call)
  return () => {
    if (callbacks.delete(call) && callbacks.size === 0) signal.removeEventListener('abort', callAll)
  }
}

function callAll(this: AbortSignal): void {
  const callbacks = waiting.get(this)
  for (const call of [...(callbacks ?? [])]) call()
  callbacks?.clear()
  this.removeEventListener('abort', callAll)
}
