import { PackvecError, type PackvecErrorCode } from '../base/errors.js'
import type { CauseMessage, ErrorMessage } from './protocol.js'

/** Causes of causes that cross with an error: one that is its own cause would never end. */
const MAX_CAUSES = 8

/** The parts of an error that cross between threads: structured cloning would keep neither its class nor its code. */
export function toErrorMessage(error: unknown, depth = 0): ErrorMessage {
  if (!(error instanceof Error)) return { message: String(error) }
  const { name, message, stack, cause } = error
  const { code, argument } = error as Partial<PackvecError>
  return {
    name,
    message,
    ...(stack !== undefined && { stack }),
    ...(typeof code === 'string' && { code }),
    ...(typeof argument === 'string' && { argument }),
    ...(cause !== undefined && depth < MAX_CAUSES && { cause: toCauseMessage(cause, depth + 1) }),
  }
}

/** A `PackvecError` again; any other error of a worker becomes the cause of one. */
export function fromErrorMessage(sent: ErrorMessage): PackvecError {
  if (sent.name !== 'PackvecError' || sent.code === undefined) {
    return workerError('worker', `in a worker: ${sent.message}`, toError(sent))
  }
  return toPackvecError(sent)
}

/** A worker is gone and its rows with it, or met an error that is not a PackvecError. */
export function workerError(argument: 'worker' | 'workerUrl', what: string, cause?: unknown): PackvecError {
  return new PackvecError('IO', argument, what, cause === undefined ? undefined : { cause })
}

/** Waits for all, so that nothing is under way when the first error is thrown. */
export async function settleAll<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(promises)
  return settled.map((result) => {
    if (result.status === 'rejected') throw result.reason
    return result.value
  })
}

function toCauseMessage(cause: unknown, depth: number): CauseMessage {
  if (cause instanceof Error) return { error: toErrorMessage(cause, depth) }
  // What is no error crosses as it reads, unless it is of a kind that every thread can take.
  const plain =
    cause === null || (typeof cause !== 'object' && typeof cause !== 'function' && typeof cause !== 'symbol')
  return { value: plain ? cause : String(cause) }
}

function toPackvecError(sent: ErrorMessage): PackvecError {
  return new PackvecError(sent.code as PackvecErrorCode, sent.argument ?? '', sent.message, causeOf(sent))
}

function toError(sent: ErrorMessage): Error {
  if (sent.name === 'PackvecError') return toPackvecError(sent)
  const error = new Error(sent.message, causeOf(sent))
  const own = { name: sent.name ?? error.name, stack: sent.stack ?? error.stack }
  for (const [key, value] of Object.entries(own)) {
    Object.defineProperty(error, key, { value, configurable: true, writable: true })
  }
  return sent.code === undefined ? error : Object.assign(error, { code: sent.code })
}

function causeOf({ cause }: ErrorMessage): ErrorOptions | undefined {
  if (cause === undefined) return undefined
  return { cause: 'error' in cause ? toError(cause.error) : cause.value }
}
