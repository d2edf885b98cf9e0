import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { buildIndex } from '../../src/node.js'
import { Folder, rowsOf, slice } from './files.js'

const CLI = join(import.meta.dirname, '..', '..', 'dist', 'cli.js')
const folder = new Folder()
const disk = folder.at('disk')
mkdirSync(disk)
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'packvec-test', disk]).status === 0
afterAll(() => {
  if (mounted) spawnSync('umount', [disk])
  folder.remove()
})

const corpus = rowsOf(20_000, 64, 1)
const all = folder.npy('all.npy', corpus)
const target = join(disk, 'index.safetensors')

/** Runs the command line; without a small disk of its own, where no file may be larger than one. */
function run(...args: string[]): { status: number | null; stderr: string } {
  const node = [process.execPath, CLI, 'index', ...args]
  const limited = ['bash', '-c', 'trap "" XFSZ; ulimit -f 800; exec "$@"', 'bash', ...node]
  const [command, ...rest] = mounted ? node : limited
  const { status, stderr } = spawnSync(command!, rest, { encoding: 'utf8' })
  return { status, stderr }
}

describe(`a disk that is full (${mounted ? 'a tmpfs of 1 MiB' : 'files limited to 800 KiB'})`, () => {
  it.each([
    ['a build', (): string[] => ['build', all, '-o', target]],
    ['an append', (): string[] => ['append', target, all]],
  ])('ends %s with an error of the system, the old index whole and nothing beside it', async (_, args) => {
    await buildIndex(target, [slice(corpus, 0, 2000)])
    const old = readFileSync(target)
    const { status, stderr } = run(...args())
    expect(status).toBe(1)
    expect(stderr).toMatch(/^packvec: cannot write .*index\.safetensors: .*\((ENOSPC|EFBIG)\)\n$/)
    expect(readFileSync(target).equals(old)).toBe(true)
    expect(readdirSync(disk)).toEqual(['index.safetensors'])
  })

  it.runIf(mounted)('ends a build from batches, which need room for their floats', async () => {
    const before = readFileSync(target)
    await expect(buildIndex(target, [corpus])).rejects.toMatchObject({
      code: 'IO',
      message: expect.stringMatching(/ENOSPC/),
    })
    expect(readFileSync(target).equals(before)).toBe(true)
    expect(readdirSync(disk)).toEqual(['index.safetensors'])
  })
})
