import type * as fs from 'node:fs'
import type * as promises from 'node:fs/promises'

/**
 * How a call to the system fails: 'fail' without effect; 'torn' with half of its effect; 'after' with all of it, so that only
 * the answer is lost; 'short' is no failure, but less than was asked for.
 */
export type FaultKind = 'fail' | 'torn' | 'after' | 'short'

/** The calls that can fail, and how. */
export const FAULTS = {
  open: ['fail', 'after'],
  write: ['fail', 'torn', 'after', 'short'],
  read: ['fail', 'short'],
  fsync: ['fail', 'after'],
  ftruncate: ['fail', 'after'],
  fstat: ['fail'],
  fchmod: ['fail', 'after'],
  fchown: ['fail', 'after'],
  // What the system could not close is closed nevertheless.
  close: ['after'],
  rename: ['fail', 'after'],
  link: ['fail', 'after'],
  rm: ['fail', 'after'],
  stat: ['fail'],
  lstat: ['fail'],
  realpath: ['fail'],
  access: ['fail'],
  readdir: ['fail'],
  readFile: ['fail'],
} as const satisfies Record<string, readonly FaultKind[]>

export type Operation = keyof typeof FAULTS
export interface Fault {
  readonly operation: Operation
  readonly kind: FaultKind
  /** Which call of the operation it is, from 0. */
  readonly at: number
}

const CODES: Partial<Record<Operation, string>> = { open: 'EMFILE', write: 'ENOSPC', rm: 'EBUSY', rename: 'EACCES' }

let armed: Fault | undefined
let isCounting = false
let counts: Record<string, number> = {}

/** Runs with a fault, or counts calls without one. @returns what ran, and how often each operation was called */
export async function withFault<T>(
  fault: Fault | undefined,
  run: () => Promise<T>,
): Promise<{ value: T | undefined; error: unknown; counts: Readonly<Record<string, number>>; wasMet: boolean }> {
  armed = fault
  counts = {}
  isCounting = true
  let value: T | undefined
  let error: unknown
  try {
    value = await run()
  } catch (cause) {
    error = cause
  }
  const wasMet = fault !== undefined && armed === undefined
  armed = undefined
  isCounting = false
  return { value, error, counts, wasMet }
}

/** The fault of this call, if it is its turn. */
function faultOf(operation: Operation): FaultKind | undefined {
  if (!isCounting) return undefined
  const at = counts[operation] ?? 0
  counts[operation] = at + 1
  if (armed?.operation !== operation || armed.at !== at) return undefined
  const { kind } = armed
  armed = undefined
  return kind
}

function systemError(operation: Operation): Error {
  const code = CODES[operation] ?? 'EIO'
  return Object.assign(new Error(`${code}: injected fault, ${operation}`), { code, syscall: operation })
}

type Callback = (error: Error | null, value?: unknown) => void
type WithCallback = (...given: unknown[]) => void

function callbackFaults(operation: Operation, original: WithCallback, closeFd: WithCallback): WithCallback {
  return (...given) => {
    const kind = faultOf(operation)
    if (kind === undefined) return original(...given)
    const done = given.at(-1) as Callback
    const answer = () => done(systemError(operation))
    if (kind === 'fail') return setImmediate(answer)
    const call = given.slice(0, -1)
    // Descriptor, bytes, offset, length: of them half, but never nothing, which would be the end of the file.
    if (kind !== 'after') call[3] = Math.max(1, Math.floor((call[3] as number) / 2))
    original(...call, (error: Error | null, value: unknown) => {
      if (error !== null || kind === 'short') done(error, value)
      // The file is there, but nobody has it.
      else if (operation === 'open') closeFd(value, answer)
      else answer()
    })
  }
}

function promiseFaults<T>(operation: Operation, original: (...given: never[]) => Promise<T>) {
  return async (...given: never[]): Promise<T> => {
    const kind = faultOf(operation)
    if (kind === undefined) return original(...given)
    if (kind === 'after') await original(...given)
    throw systemError(operation)
  }
}

/** `node:fs` as the library uses it, with faults. */
export function faultyFs(original: typeof fs): typeof fs {
  const calls = original as unknown as Record<string, WithCallback>
  const names = ['open', 'write', 'read', 'fsync', 'ftruncate', 'fstat', 'fchmod', 'fchown', 'close'] as const
  const wrapped = names.map((name) => [name, callbackFaults(name, calls[name]!, calls['close']!)])
  const readSync: typeof fs.readSync = (...given: unknown[]) => {
    const kind = faultOf('read')
    if (kind === 'fail') throw systemError('read')
    if (kind === 'short') given[3] = Math.max(1, Math.floor((given[3] as number) / 2))
    return (original.readSync as (...given: unknown[]) => number)(...given)
  }
  return { ...original, ...Object.fromEntries(wrapped), readSync }
}

/** `node:fs/promises`, the same. */
export function faultyPromises(original: typeof promises): typeof promises {
  const calls = original as unknown as Record<string, (...given: never[]) => Promise<unknown>>
  const names = ['rename', 'link', 'rm', 'stat', 'lstat', 'realpath', 'access', 'readdir', 'readFile'] as const
  return { ...original, ...Object.fromEntries(names.map((name) => [name, promiseFaults(name, calls[name]!)])) }
}
