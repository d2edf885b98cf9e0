import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { appendToIndex, buildIndex, IndexBuilder, verifyIndex, writeFileAtomic, writeNpy } from '../../src/node.js'
import { Folder, rejectionOf, rowsOf } from './files.js'

const CLI = join(import.meta.dirname, '..', '..', 'dist', 'cli.js')
const folder = new Folder()
afterAll(() => folder.remove())

const corpus = rowsOf(200, 24, 1)
const isRoot = process.getuid?.() === 0
let count = 0
const newFolder = () => {
  const path = folder.at(`folder-${count++}`)
  mkdirSync(path)
  return path
}
const text = (path: string) => readFileSync(path, 'utf8')

describe('a file under way', () => {
  it.each([0o600, 0o640, 0o666, 0o400 | 0o200])(
    'has the permissions of its target, %o, from its first byte',
    async (mode) => {
      const at = newFolder()
      const path = join(at, 'file')
      writeFileSync(path, 'old')
      chmodSync(path, mode)
      const modes: number[] = []
      async function* chunks() {
        yield Buffer.from('new')
        const [name] = spawnSync('ls', ['-A', at], { encoding: 'utf8' })
          .stdout.split('\n')
          .filter((n) => n.endsWith('.tmp'))
        modes.push(statSync(join(at, name!)).mode & 0o777)
      }
      await writeFileAtomic(path, chunks())
      expect([text(path), statSync(path).mode & 0o777, modes]).toEqual(['new', mode, [mode]])
    },
  )

  it.runIf(isRoot)('has the owner of its target too', async () => {
    const path = join(newFolder(), 'index.safetensors')
    await buildIndex(path, [corpus])
    chownSync(path, 1234, 2345)
    chmodSync(path, 0o640)
    await appendToIndex(path, [corpus])
    const { uid, gid, mode } = statSync(path)
    expect({ uid, gid, mode: mode & 0o777 }).toEqual({ uid: 1234, gid: 2345, mode: 0o640 })
  })
})

describe('a symbolic link', () => {
  it('stays, and what it leads to is written, whether that is there or not', async () => {
    const at = newFolder()
    mkdirSync(join(at, 'real'))
    symlinkSync('real', join(at, 'alias'))
    symlinkSync('alias/file', join(at, 'first'))
    symlinkSync(join(at, 'first'), join(at, 'second'))
    await writeFileAtomic(join(at, 'second'), [Buffer.from('through a dangling link')])
    expect([readlinkSync(join(at, 'second')), readlinkSync(join(at, 'first'))]).toEqual([
      join(at, 'first'),
      'alias/file',
    ])
    expect([lstatSync(join(at, 'real/file')).isFile(), text(join(at, 'real/file'))]).toEqual([
      true,
      'through a dangling link',
    ])
    await buildIndex(join(at, 'second'), [corpus])
    await appendToIndex(join(at, 'first'), [corpus])
    expect(await verifyIndex(join(at, 'real/file'))).toMatchObject({ rows: 400 })
    expect(lstatSync(join(at, 'second')).isSymbolicLink()).toBe(true)
  })

  it('that leads into a folder that is not there, or to itself, is refused', async () => {
    const at = newFolder()
    symlinkSync('missing/file', join(at, 'lost'))
    symlinkSync('loop', join(at, 'loop'))
    for (const name of ['lost', 'loop']) {
      const error = await rejectionOf(writeFileAtomic(join(at, name), []))
      expect(error).toMatchObject({ code: 'IO', message: expect.stringContaining(`cannot write ${join(at, name)}`) })
      expect(lstatSync(join(at, name)).isSymbolicLink()).toBe(true)
    }
  })
})

describe('an output that is an input', () => {
  /** Names of one file. */
  const at = newFolder()
  const npy = join(at, 'corpus.npy')
  const names = [npy, join(at, 'hard.npy'), join(at, 'link.npy'), join(at, './', 'corpus.npy'), join(at, 'hard.faiss')]
  const other = join(at, 'other.npy')

  async function writeInputs(): Promise<Buffer> {
    await writeNpy(npy, corpus)
    await writeNpy(other, corpus)
    for (const name of ['hard.npy', 'hard.faiss']) {
      spawnSync('rm', ['-f', join(at, name)])
      linkSync(npy, join(at, name))
    }
    spawnSync('ln', ['-sf', 'corpus.npy', join(at, 'link.npy')])
    return readFileSync(npy)
  }

  it('is refused by the library, by whatever path or link', async () => {
    const before = await writeInputs()
    const index = join(at, 'index.safetensors')
    await buildIndex(index, [corpus])
    symlinkSync('index.safetensors', join(at, 'index.link'))
    for (const name of names) {
      for (const refuse of [() => buildIndex(name, npy), () => buildIndex(name, [other, npy])]) {
        expect(await rejectionOf(refuse())).toMatchObject({
          code: 'INVALID_ARGUMENT',
          message: expect.stringMatching(
            /path must not be the source, which would be replaced: .*choose another output/,
          ),
        })
      }
    }
    for (const refuse of [
      () => buildIndex(index, [corpus], { like: join(at, 'index.link') }),
      () => IndexBuilder.open(join(at, 'index.link'), { like: index }),
      () => appendToIndex(index, [other, join(at, 'index.link')]),
    ]) {
      expect(await rejectionOf(refuse())).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'path' })
    }
    expect(readFileSync(npy)).toEqual(before)
  })

  it.each([
    'quantize corpus.npy -o hard.npy --precision int8',
    'quantize other.npy -o link.npy --precision int8 --calibration corpus.npy',
    'quantize other.npy -o codes.npy --precision int8 --scales other.npy',
    'quantize other.npy -o codes.npy --precision int8 --scales ./codes.npy',
    'quantize other.npy -o c.npy --precision int8 --rotation hadamard --rotation-matrix other.npy',
    'convert corpus.npy hard.faiss',
    'index build other.npy corpus.npy -o link.npy',
    'index build other.npy -o ids.jsonl --ids ids.jsonl',
    'index build other.npy -o corpus.npy --calibration hard.npy',
    'index ids made.st -o made.st',
    'index append made.st other.npy --ids made.st',
    'eval --task retrieval --corpus report.md --queries other.npy -o . --no-cache',
  ])('is refused by the command line: packvec %s', async (line) => {
    const args = line.split(' ')
    await writeInputs()
    await buildIndex(join(at, 'made.st'), [corpus])
    writeFileSync(join(at, 'ids.jsonl'), Array.from({ length: 200 }, (_, i) => `${i}\n`).join(''))
    writeFileSync(join(at, 'report.md'), readFileSync(other))
    const files = ['corpus.npy', 'other.npy', 'made.st', 'ids.jsonl', 'report.md'].map((name) => join(at, name))
    const before = files.map((path) => readFileSync(path))
    const { status, stderr } = spawnSync(process.execPath, [CLI, ...args], { cwd: at, encoding: 'utf8' })
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: expect.stringMatching(/^packvec: .* must not be the .*\n$/),
    })
    expect(files.map((path) => readFileSync(path))).toEqual(before)
  })
})
