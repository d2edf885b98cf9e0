import { PackvecError } from '../errors.js'
import type { ErrorMessage } from './protocol.js'

/** What of an error crosses between threads: structured cloning would keep neither its class nor its code. */
export function toErrorMessage(error: unknown): ErrorMessage {
  if (error instanceof PackvecError) {
    const { code, argument, message } = error
    return { code, argument, message }
  }
  return {
    code: undefined,
    argument: '',
    message: error instanceof Error ? (error.stack ?? error.message) : `${error}`,
  }
}

export function fromErrorMessage({ code, argument, message }: ErrorMessage): Error {
  return code === undefined ? new Error(`in a worker: ${message}`) : new PackvecError(code, argument, message)
}

export function closedError(): PackvecError {
  return new PackvecError('INVALID_ARGUMENT', 'pool', 'pool must be open, got a closed pool')
}

/** A worker is gone and its rows with it. */
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
