import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeNpy } from '../src/formats/npy.js'
import { encodeSafetensors } from '../src/formats/safetensors.js'
import { buildIndex } from '../src/node.js'

const CLI = join(import.meta.dirname, '..', 'dist', 'cli.js')
/** Clears a screen in C0 and in C1, sets a title, rings, and turns the direction of writing. */
const EVIL = '\u001b[2J\u009b2J\u009d0;title\u0007\u007f\u0085\u202e\u2066evil'
/** What no terminal may get: all control characters but the ends of lines. */
const CONTROLS = /(?!\n)[\p{Cc}\u202a-\u202e\u2066-\u2069]/u
let folder = ''

function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 50_000,
  })
  expect(stdout).not.toMatch(CONTROLS)
  expect(stderr).not.toMatch(CONTROLS)
  return { status, stdout, stderr }
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'packvec-terminal-'))
  const at = (name: string) => join(folder, name)
  const rows = { data: Float32Array.of(1, 2, 3, -4), dims: [2, 2] }
  writeFileSync(at('rows.npy'), encodeNpy(rows.data, rows.dims))
  writeFileSync(at('one.npy'), encodeNpy(rows.data.slice(0, 2), [1, 2]))
  const tensor = { name: EVIL, dtype: 'U8', shape: [1], data: Uint8Array.of(1) }
  writeFileSync(at('evil.safetensors'), encodeSafetensors([tensor], { [EVIL]: EVIL }))
  await buildIndex(at('index'), [rows], { ids: [EVIL, 'b'], metadata: { [EVIL]: EVIL }, onWarning: () => {} })
  writeFileSync(at(`${EVIL}.npy`), 'no array')
  writeFileSync(at('evil.html'), `<html>${EVIL}</html>`)
  writeFileSync(at('evil.ids'), `"${EVIL}\n`)
})

afterAll(() => rmSync(folder, { recursive: true }))

describe('what a file holds reaches the terminal without its control characters', () => {
  it.each([
    ['inspect', 'evil.safetensors'],
    ['inspect', 'index'],
  ])('%s %s, and its JSON has the values', (...args) => {
    expect(run(...args)).toMatchObject({ status: 0, stderr: '' })
    const { status, stdout } = run(...args, '--json')
    expect(status).toBe(0)
    expect(JSON.parse(stdout).metadata[EVIL]).toBe(EVIL)
  })

  it('keys of results', () => {
    const search = ['index', 'search', 'index', '--queries', 'rows.npy', '--top-k', '2']
    expect(run(...search).status).toBe(0)
    const { stdout } = run(...search, '--json')
    expect(JSON.parse(stdout).keys.flat()).toContain(EVIL)
  })

  it.each([
    [`${EVIL}.npy`, ['inspect', `${EVIL}.npy`]],
    ['a missing file', ['inspect', `${EVIL}.none`]],
    ['an argument', ['quantize', 'rows.npy', '-o', 'out.npy', '--precision', EVIL]],
    ['a command', [EVIL]],
    ['a page', ['inspect', 'evil.html']],
    ['an id', ['index', 'delete', 'index', '--ids', 'evil.ids']],
  ])('errors: %s', (_, args) => {
    const { status, stderr } = run(...args)
    expect(status).toBeGreaterThan(0)
    expect(stderr).toMatch(/^packvec: .+\n$/)
  })
})

describe('what a command recommends', () => {
  it.each([
    [
      'quantize',
      ['quantize', 'one.npy', '-o', 'out.npy', '--precision', 'int8'],
      'give --ranges or --calibration from',
    ],
    ['quantize', ['quantize', 'one.npy', '-o', 'out.npy', '--precision', 'int4'], 'give --calibration from'],
    ['search', ['search', '--corpus', 'one.npy', '--queries', 'rows.npy'], 'give --ranges or --calibration from'],
    ['index build', ['index', 'build', 'one.npy', '-o', 'out'], 'give --ranges or --calibration from'],
  ])('%s has: flags, not options of the library', (_, args, remedy) => {
    const { status, stderr } = run(...args)
    expect(status).toBe(1)
    expect(stderr).toContain(remedy)
  })
})

describe('--ids', () => {
  it.skipIf(process.platform === 'win32')('refuses a pipe by name, and does not wait for its writer', () => {
    execFileSync('mkfifo', [join(folder, 'pipe')])
    const { status, stderr } = run('index', 'build', 'rows.npy', '-o', 'out', '--ids', 'pipe')
    expect(status).toBe(1)
    expect(stderr).toContain('cannot read pipe: expected a file, got a pipe, socket or device')
  })
})
