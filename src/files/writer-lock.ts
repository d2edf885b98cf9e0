import { throwIfAborted } from '../base/abort.js'
import { checkCount } from '../base/check.js'
import { PackvecError } from '../base/errors.js'
import { LockFile } from './lock-file.js'
import type { Holder } from './lock-holder.js'
import { realTarget } from './target.js'

/** How long a writer waits for others of its target. */
export interface LockOptions {
  /**
   * Milliseconds to wait for another writer of the same file, 60,000 by default; 0 does not wait. The time starts again when
   * that writer has ended and another one was first. Then the call ends with `LOCKED`, which names who writes.
   */
  readonly lockTimeout?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** The right to write a file, which one call in all processes has at a time. */
export interface WriterLock {
  /** The real path of the file. */
  readonly target: string
  /** @throws PackvecError `CHANGED` if the lock was taken away, `IO` if its file cannot be read */
  check(): Promise<void>
}

const LOCK_TIMEOUT_MS = 60_000
/** Between two looks at a lock of another process: the first, and the longest. */
const POLL_MS = [2, 40] as const

/** Calls of this process that want to write a file, in order: the first one may. */
const queues = new Map<string, Turn[]>()

interface Turn {
  readonly work: string
  wake: () => void
}

/**
 * Runs what writes a file while nobody else does: other calls of this process come in turn, other processes find a lock file.
 * A lock whose process has died is no hindrance.
 * @param work the name of the work, for messages to waiting calls
 * @throws PackvecError `LOCKED`, `ABORTED`, `IO`, and what `run` throws
 */
export async function withWriterLock<T>(
  path: string,
  work: string,
  options: LockOptions,
  run: (lock: WriterLock) => Promise<T>,
): Promise<T> {
  const patience = new Patience(path, options)
  const target = await realTarget(path)
  const queue = queues.get(target) ?? []
  queues.set(target, queue)
  const turn: Turn = { work, wake: () => {} }
  queue.push(turn)
  try {
    while (queue[0] !== turn) await waitInProcess(queue[0]!, turn, patience)
    return await underLockFile(path, target, work, patience, run)
  } finally {
    queue.splice(queue.indexOf(turn), 1)
    if (queue.length === 0) queues.delete(target)
    else queue[0]!.wake()
  }
}

async function underLockFile<T>(
  path: string,
  target: string,
  work: string,
  patience: Patience,
  run: (lock: WriterLock) => Promise<T>,
): Promise<T> {
  let pause: number = POLL_MS[0]
  const file = await LockFile.acquire(target, path, work, async (lockPath, holder, life) => {
    patience.check(holder === 'unreadable' ? lockPath : holder.token, () => describeHolder(lockPath, holder, life))
    // Not all at once.
    await sleep(pause * (0.5 + Math.random()))
    pause = Math.min(POLL_MS[1], 1.5 * pause)
  })
  try {
    patience.checkSignal()
    return await run({ target, check: () => checkHeld(file, path) })
  } finally {
    await file.release()
  }
}

async function waitInProcess(first: Turn, turn: Turn, patience: Patience): Promise<void> {
  patience.check(first, () => `${first.work} in this process`)
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, POLL_MS[1])
    turn.wake = () => {
      clearTimeout(timer)
      resolve()
    }
  })
}

/** How long a call is to wait, in milliseconds. @throws PackvecError `INVALID_ARGUMENT` */
function checkLockTimeout({ lockTimeout = LOCK_TIMEOUT_MS }: LockOptions): number {
  return checkCount(lockTimeout, 'lockTimeout', 0)
}

/** How long a call waits for each of those before it. */
class Patience {
  readonly #path: string
  readonly #options: LockOptions
  readonly #milliseconds: number
  #holder: unknown
  #since = 0

  constructor(path: string, options: LockOptions) {
    this.#path = path
    this.#options = options
    this.#milliseconds = checkLockTimeout(options)
    this.checkSignal()
  }

  checkSignal(): void {
    throwIfAborted(this.#options.signal)
  }

  /** @throws PackvecError `LOCKED` once `holder` was waited for long enough, `ABORTED` */
  check(holder: unknown, describe: () => string): void {
    this.checkSignal()
    const now = performance.now()
    if (holder !== this.#holder) [this.#holder, this.#since] = [holder, now]
    if (now - this.#since < this.#milliseconds) return
    const message = `cannot write ${this.#path}: it is being changed by ${describe()}, and waiting ${this.#milliseconds} ms did not help`
    throw new PackvecError('LOCKED', 'path', `${message}: try again, or pass a longer lockTimeout`)
  }
}

function describeHolder(lockPath: string, holder: Holder | 'unreadable', life: 'alive' | 'unknown'): string {
  const remedy = `if it no longer runs, delete ${lockPath}`
  if (holder === 'unreadable') return `a process that cannot be read from its lock (${remedy})`
  const { work, pid, hostName, since } = holder
  const what = `${work} in process ${pid} on ${hostName} since ${since}`
  return life === 'alive' ? what : `${what}, where this process cannot look (${remedy})`
}

async function checkHeld(file: LockFile, path: string): Promise<void> {
  if (await file.isHeld()) return
  const message = `the lock of ${path} was removed while it was being written; nothing was written: try again`
  throw new PackvecError('CHANGED', 'path', message)
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
