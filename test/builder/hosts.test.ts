import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { afterAll, describe, expect, it } from 'vitest'
import { ownIdentity } from '../../src/files/process-identity.js'
import { targetKey } from '../../src/files/temporary.js'
import { appendToIndex, buildIndex, compactIndex, verifyIndex } from '../../src/node.js'
import { Folder, rejectionOf, rowsOf } from './files.js'

const WRITER = join(import.meta.dirname, 'writer.mjs')
const folder = new Folder()
afterAll(() => folder.remove())

const corpus = rowsOf(200, 24, 1)
const target = folder.at('index.safetensors')
const underWay = () => folder.list().filter((name) => name.startsWith('.packvec'))
/** A namespace of processes of its own, as a container has it: same name of the host, same start, other numbers. */
const UNSHARE = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc']
const canUnshare = spawnSync(UNSHARE[0]!, [...UNSHARE.slice(1), 'true']).status === 0

describe('files under way', () => {
  const { host, pid, start } = ownIdentity()
  const [machine, boot, namespace] = [host.slice(0, 8), host.slice(8, 16), host.slice(16)]
  const other = '01234567'

  it.each([
    ['of a dead process of this host are removed', host, 2 ** 22 + 1, '7', false],
    ['of an earlier process that had our number are removed', host, pid, '7', false],
    ['of another thread of ours are left alone', host, pid, start, true],
    ['of a living process are left alone', host, process.ppid, '0', true],
    ['of another machine are left alone, though it has our name', other + boot + namespace, 2 ** 22 + 1, '7', true],
    ['of another container are left alone', machine + boot + other, 2 ** 22 + 1, '7', true],
    ['of another container, before a restart, are left alone', machine + other + other, 2 ** 22 + 1, '7', true],
  ])('%s', async (_, theirHost, theirPid, theirStart, stays) => {
    const name = `.packvec-${targetKey(target)}-${theirHost}-${theirPid}-${theirStart}-0123456789ab.tmp`
    folder.write(name, 'under way')
    await buildIndex(target, [corpus])
    expect(underWay()).toEqual(stays ? [name] : [])
    spawnSync('rm', ['-f', folder.at(name)])
  })
})

describe.runIf(canUnshare)('a process of another container with our name', () => {
  it('keeps its file and its lock; who waits for it is told what to do', async () => {
    await buildIndex(target, [corpus])
    const args = [...UNSHARE.slice(1), process.execPath, WRITER, target, '0', 'hold']
    const child = spawn(UNSHARE[0]!, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(child.stdout, 'data')
    const theirs = underWay()
    expect(theirs.map((name) => name.split('.').at(-1)).sort()).toEqual(['lock', 'tmp'])
    const error = await rejectionOf(appendToIndex(target, [corpus], { lockTimeout: 50 }))
    const lock = folder.at(theirs.find((name) => name.endsWith('.lock'))!)
    expect(error).toMatchObject({
      code: 'LOCKED',
      message: expect.stringContaining(`if it no longer runs, delete ${lock}`),
    })
    expect(underWay()).toEqual(theirs)
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(await rejectionOf(appendToIndex(target, [corpus], { lockTimeout: 50 }))).toMatchObject({ code: 'LOCKED' })
    spawnSync('rm', ['-f', lock])
    await appendToIndex(target, [corpus])
    expect(await verifyIndex(target)).toMatchObject({ rows: 400 })
    spawnSync('rm', ['-f', ...underWay().map((name) => folder.at(name))])
  })
})

describe('threads of one process', () => {
  it('that append to one file lose nothing', async () => {
    await buildIndex(target, [corpus])
    const codes = await Promise.all(
      [0, 1, 2, 3].map(async (i) => {
        const worker = new Worker(WRITER, { argv: [target, String(i), 'append', 'append'], stdout: true })
        return (await once(worker, 'exit'))[0]
      }),
    )
    expect(codes).toEqual([0, 0, 0, 0])
    expect(await verifyIndex(target)).toMatchObject({ rows: 208 })
    expect(underWay()).toEqual([])
  })
})

describe.runIf(existsSync('/proc/self/fd'))('a thread that is ended while it holds a lock', () => {
  it('keeps no other writer waiting', async () => {
    await buildIndex(target, [corpus])
    const worker = new Worker(WRITER, { argv: [target, '0', 'hold'], stdout: true })
    while (!underWay().some((name) => name.endsWith('.lock'))) await sleep(1)
    const error = await rejectionOf(compactIndex(target, { lockTimeout: 0 }))
    expect(error).toMatchObject({ code: 'LOCKED', message: expect.stringContaining(`process ${process.pid} on `) })
    await worker.terminate()
    await appendToIndex(target, [corpus])
    expect(await verifyIndex(target)).toMatchObject({ rows: 400 })
    // What it wrote goes with the process, which still lives.
    expect(underWay().filter((name) => !name.endsWith('.tmp'))).toEqual([])
    spawnSync('rm', ['-f', ...underWay().map((name) => folder.at(name))])
  })
})

describe('a lock that was removed by hand while its holder lived', () => {
  it('ends the work of that one with CHANGED: another may have written', async () => {
    await buildIndex(target, [corpus])
    const removeLock = () => {
      spawnSync('rm', [
        '-f',
        ...underWay()
          .filter((name) => name.endsWith('.lock'))
          .map((name) => folder.at(name)),
      ])
    }
    const appended = appendToIndex(target, [corpus], { onProgress: ({ phase }) => phase === 'encode' && removeLock() })
    expect(await rejectionOf(appended)).toMatchObject({
      code: 'CHANGED',
      message: expect.stringMatching(/the lock of/),
    })
    expect(await verifyIndex(target)).toMatchObject({ rows: 200 })
    expect(underWay()).toEqual([])
  })
})
