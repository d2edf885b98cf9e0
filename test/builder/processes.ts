import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** What a process does to an index: `append` adds a row, `delete` one of its own ids, `compact` nothing that shows. */
export type Change = 'append' | 'delete' | 'compact'

const WRITER = join(import.meta.dirname, 'writer.mjs')

/**
 * Runs processes that change one file, side by side. The last `killed` of them are killed as soon as they have reported a
 * change.
 * @returns the last line of each: 'done', and how many changes it reported
 */
export async function runWriters(
  count: number,
  path: string,
  changes: readonly Change[],
  killed = 0,
): Promise<string[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const child = spawnWriter([path, String(i), ...changes])
      let text = ''
      child.stdout!.setEncoding('utf8').on('data', (more: string) => {
        text += more
        if (i >= count - killed && text.includes('changed')) child.kill('SIGKILL')
      })
      await once(child, 'close')
      const reported = text.split('changed').length - 1
      return i >= count - killed ? `killed ${reported}` : (text.trim().split('\n').at(-1) ?? 'nothing')
    }),
  )
}

/** A process that has the lock of a file, in the midst of an append, and that stands still. */
export async function heldBy(path: string): Promise<ChildProcess> {
  const child = spawnWriter([path, '0', 'hold'])
  await once(child.stdout!, 'data')
  return child
}

function spawnWriter(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [WRITER, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
}
