import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import { appendToIndex, buildIndex, verifyIndex } from '../../src/node.js'
import { randomSource } from '../random.js'
import { Folder, rowsOf, slice } from './files.js'

const CLI = join(import.meta.dirname, '..', '..', 'dist', 'cli.js')
/** Kills of a build and of an append: more where time is no matter. */
const KILLS = process.env['CI_FULL'] ? 25 : 5
const SEED = 20_261_122
const folder = new Folder()
afterAll(() => folder.remove())

const corpus = rowsOf(40_000, 96, 1)
const target = folder.at('index.safetensors')
const [first, rest] = [
  folder.npy('first.npy', slice(corpus, 0, 15_000)),
  folder.npy('rest.npy', slice(corpus, 15_000, 40_000)),
]
const temporaries = () => folder.list().filter((name) => name.endsWith('.tmp'))
const isTarget = (bytes: Uint8Array) => Buffer.compare(folder.bytes('index.safetensors'), bytes) === 0

function start(args: readonly string[]): { child: ChildProcess; ended: Promise<unknown> } {
  const child = spawn(process.execPath, [CLI, 'index', ...args], { stdio: 'ignore' })
  return { child, ended: once(child, 'exit') }
}

/** Runs a command to its end; milliseconds from the moment at which its temporary file is there. */
async function timeOf(args: readonly string[]): Promise<number> {
  const { child, ended } = start(args)
  const begun = await temporaryOf(child, new Set())
  const from = performance.now()
  await ended
  expect([begun, child.exitCode]).toEqual([true, 0])
  return performance.now() - from
}

/** Waits for a temporary file that was not there before; false where the process ends without. */
async function temporaryOf(child: ChildProcess, before: ReadonlySet<string>): Promise<boolean> {
  while (child.exitCode === null && child.signalCode === null) {
    if (temporaries().some((name) => !before.has(name))) return true
    await sleep(1)
  }
  return false
}

describe(`${2 * KILLS} processes killed at seeded moments`, () => {
  it.each([
    ['a build', ['build', first, rest, '-o', target]],
    ['an append', ['append', target, rest]],
  ])(
    'of %s leave the old index or the new one, whole, and one file at most, which the next run removes',
    async (_, args) => {
      await buildIndex(target, [first])
      const old = folder.bytes('index.safetensors')
      const time = await timeOf(args)
      const fresh = folder.bytes('index.safetensors')
      expect(Buffer.compare(old, fresh)).not.toBe(0)
      const random = randomSource(SEED)
      for (let i = 0; i < KILLS; i++) {
        folder.write('index.safetensors', old)
        const before = new Set(temporaries())
        const { child, ended } = start(args)
        await temporaryOf(child, before)
        await sleep(1.1 * time * random())
        child.kill('SIGKILL')
        await ended
        expect([isTarget(old), isTarget(fresh)]).toContain(true)
        expect(await verifyIndex(target)).toMatchObject({ rows: isTarget(old) ? 15_000 : 40_000 })
        expect(temporaries().length).toBeLessThanOrEqual(1)
      }
      folder.write('index.safetensors', old)
      const { child, ended } = start(args)
      await ended
      expect(child.exitCode).toBe(0)
      expect([isTarget(fresh), temporaries()]).toEqual([true, []])
    },
    300_000,
  )
})

describe('files of work under way', () => {
  it('are left alone while their process lives, and removed when it is dead', async () => {
    await buildIndex(target, [first])
    const { child, ended } = start(['build', first, rest, '-o', target])
    while (!(await temporaryOf(child, new Set()))) expect(child.exitCode).toBe(null)
    // Stopped, so that it is alive at any speed.
    child.kill('SIGSTOP')
    const [name] = temporaries()
    await appendToIndex(target, [slice(corpus, 0, 10)])
    expect(temporaries()).toEqual([name])
    // Of another index, in the same folder.
    await buildIndex(folder.at('other.safetensors'), [slice(corpus, 0, 100)])
    child.kill('SIGKILL')
    await ended
    await buildIndex(folder.at('other.safetensors'), [slice(corpus, 0, 100)])
    expect(temporaries()).toEqual([name])
    await appendToIndex(target, [slice(corpus, 0, 10)])
    expect(temporaries()).toEqual([])
  })

  it('of another process that had our number are removed', async () => {
    await buildIndex(target, [first])
    const { child, ended } = start(['build', first, rest, '-o', target])
    while (!(await temporaryOf(child, new Set()))) expect(child.exitCode).toBe(null)
    child.kill('SIGKILL')
    await ended
    const [name] = temporaries()
    const bytes = folder.bytes(name!)
    const renamed = name!.replace(`-${child.pid}-`, `-${process.pid}-`)
    folder.write(renamed, bytes)
    await appendToIndex(target, [slice(corpus, 0, 10)])
    expect(temporaries()).toEqual([])
  })
})
