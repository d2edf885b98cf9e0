import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import { buildIndex } from '../../src/node.js'
import { Folder, rowsOf } from './files.js'
import { heldBy } from './processes.js'

const CLI = join(import.meta.dirname, '..', '..', 'dist', 'cli.js')
const folder = new Folder()
afterAll(() => folder.remove())

const rows = rowsOf(200, 24, 1)
const corpus = folder.npy('corpus.npy', rows)
const target = folder.at('index.safetensors')
const SIGNALS = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const
const underWay = () => readdirSync(folder.path).filter((name) => name.startsWith('.packvec'))

function start(...args: string[]): {
  child: ChildProcess
  ended: Promise<{ status: number | string; stderr: string }>
} {
  const child = spawn(process.execPath, [CLI, ...args], { cwd: folder.path, stdio: ['ignore', 'ignore', 'pipe'] })
  let stderr = ''
  child.stderr!.on('data', (text) => {
    stderr += text
  })
  return { child, ended: once(child, 'close').then(([status, signal]) => ({ status: status ?? signal, stderr })) }
}

/** Waits until a process has a file under way; fails where it ends without. */
async function underWayIn(child: ChildProcess, before: readonly string[]): Promise<void> {
  while (!underWay().some((name) => !before.includes(name))) {
    if (child.exitCode !== null) expect.fail('it ended before it could be interrupted')
    await sleep(1)
  }
}

// Another process has the lock of each target: the work stands before its end, however slow the machine is.
describe.each(SIGNALS)('%s', (signal, status) => {
  it.each([
    ['a build', ['index', 'build', corpus, '-o', target]],
    ['an append', ['index', 'append', target, corpus]],
    ['a compaction', ['index', 'compact', target]],
  ])('ends %s with its own exit code, the old index whole and nothing beside it', async (_, args) => {
    await buildIndex(target, [rows])
    const old = folder.bytes('index.safetensors')
    const holder = await heldBy(target)
    const before = underWay()
    const { child, ended } = start(...args)
    await underWayIn(child, before)
    child.kill(signal)
    expect(await ended).toEqual({ status, stderr: `packvec: interrupted: ${target} is as it was\n` })
    expect(folder.bytes('index.safetensors')).toEqual(old)
    expect(underWay()).toEqual(before)
    holder.kill('SIGKILL')
    await once(holder, 'exit')
    await buildIndex(target, [rows])
    expect(underWay()).toEqual([])
  })

  it('ends the writing of another file, and removes what was under way', async () => {
    const output = folder.at('out.faiss')
    await buildIndex(output, [rows])
    const old = folder.bytes('out.faiss')
    const holder = await heldBy(output)
    const before = underWay()
    const { child, ended } = start('convert', corpus, output)
    await underWayIn(child, before)
    child.kill(signal)
    expect(await ended).toEqual({ status, stderr: 'packvec: interrupted\n' })
    expect(folder.bytes('out.faiss')).toEqual(old)
    expect(underWay()).toEqual(before)
    holder.kill('SIGKILL')
    await once(holder, 'exit')
    await buildIndex(output, [rows])
  })
})

describe('a second signal', () => {
  it('ends what is under way at once, and leaves nothing beside it', async () => {
    const holder = await heldBy(target)
    const before = underWay()
    const { child, ended } = start('index', 'build', corpus, '-o', target)
    await underWayIn(child, before)
    child.kill('SIGTERM')
    child.kill('SIGINT')
    // Either may come first, and may have ended it before the other one comes.
    expect(['SIGTERM', 'SIGINT', 143, 130]).toContain((await ended).status)
    expect(underWay()).toEqual(before)
    holder.kill('SIGKILL')
    await once(holder, 'exit')
  })
})
