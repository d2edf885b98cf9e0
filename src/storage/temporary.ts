import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type FileHandle, open, readdir, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'

/**
 * Files under way lie beside their target, as `.packvec-<target>-<host>-<process>-<start>-<number>.tmp`: the name says which
 * process writes it, so that what a killed one left behind is known for that, and what a living one writes is left alone.
 */
const NAME = /^\.packvec-([0-9a-f]{16})-([0-9a-f]{8})-(\d+)-(\d+)-[0-9a-f]{12}\.tmp$/

/** A new file beside `target`, open for reading and writing. */
export async function openTemporary(target: string): Promise<{ path: string; handle: FileHandle }> {
  const { pid } = process
  const id = `${targetKey(target)}-${hostKey()}-${pid}-${startOf(pid) ?? 0}-${randomBytes(6).toString('hex')}`
  const path = join(dirname(target), `.packvec-${id}.tmp`)
  const handle = await open(path, 'wx+')
  own.add(basename(path))
  return { path, handle }
}

/** Removes a file that `openTemporary` made, where it is still there. */
export async function removeTemporary(path: string): Promise<void> {
  await rm(path, { force: true }).catch(() => undefined)
  own.delete(basename(path))
}

/** Removes what dead processes of this machine have left of their work on `target`. */
export async function removeLeftovers(target: string): Promise<void> {
  const folder = dirname(target)
  // A folder that may be written but not listed keeps them.
  const names = await readdir(folder).catch(() => [])
  for (const name of names) {
    const [, key, host, pid, start] = NAME.exec(name) ?? []
    if (key !== targetKey(target) || host !== hostKey() || own.has(name)) continue
    if (isAlive(Number(pid), start!)) continue
    await rm(join(folder, name), { force: true }).catch(() => undefined)
  }
}

/** Names of the files that this process has under way. */
const own = new Set<string>()

/** Whether the process that wrote this still runs; a later process with its number began at another time. */
function isAlive(pid: number, start: string): boolean {
  // Ours are in `own`: this one is of an earlier process with our number.
  if (pid === process.pid) return start === '0'
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  const now = startOf(pid)
  return now === undefined || start === '0' || now === start
}

/** When a process began, in ticks since the machine did; undefined where the system does not say. */
function startOf(pid: number): string | undefined {
  try {
    // The name of the program comes second, in brackets, and may hold anything.
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[19]
  } catch {
    return undefined
  }
}

function targetKey(target: string): string {
  return createHash('sha256').update(basename(target)).digest('hex').slice(0, 16)
}

function hostKey(): string {
  return createHash('sha256').update(hostname()).digest('hex').slice(0, 8)
}
