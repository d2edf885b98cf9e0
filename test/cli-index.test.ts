import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { QuantizedIndex } from '../src/index.js'
import { Rotation, svdRotation } from '../src/rotations.js'
import { encodeIndex } from '../src/storage.js'
import { openIndex } from '../src/storage-node.js'
import { Folder, rowsOf, slice } from './builder/files.js'

const CLI = join(import.meta.dirname, '..', 'dist', 'cli.js')
const folder = new Folder()
afterAll(() => folder.remove())

function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], { cwd: folder.path, encoding: 'utf8' })
  return { status, stdout, stderr }
}

function succeed(...args: string[]): string {
  const { status, stdout, stderr } = run(...args)
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return stdout
}

const corpus = rowsOf(300, 24, 1)
folder.npy('a.npy', slice(corpus, 0, 120))
folder.npy('b.npy', slice(corpus, 120, 300))
folder.npy('all.npy', corpus)
folder.npy('narrow.npy', rowsOf(3, 23, 1))
const lines = (ids: readonly unknown[]) => ids.map((id) => `${JSON.stringify(id)}\n`).join('')
const texts = Array.from({ length: 300 }, (_, i) => `"${i}"\n`)
folder.write('ids.jsonl', lines(texts))
folder.write('first.jsonl', lines(texts.slice(0, 120)))
folder.write('rest.jsonl', lines(texts.slice(120)).trimEnd())
folder.write('some.jsonl', lines([texts[3], texts[299]]))
folder.write('broken.jsonl', '"a"\n{"b": 1}\n')

describe('packvec index', () => {
  it('builds what the library builds, of several files', () => {
    succeed('index', 'build', 'a.npy', 'b.npy', '-o', 'i.st')
    expect(folder.bytes('i.st')).toEqual(encodeIndex(QuantizedIndex.build(corpus)))
    const codes = ['--coarse', 'int4', '--rescore', 'none', '--scale', '--truncate', '20', '--renormalize']
    succeed('index', 'build', 'all.npy', '-o', 'i.st', ...codes, '--percentiles', '2,98')
    const options = { coarse: 'int4', rescore: 'none', scale: true, truncate: 20, renormalize: true } as const
    expect(folder.bytes('i.st')).toEqual(
      encodeIndex(QuantizedIndex.build(corpus, { ...options, percentiles: [2, 98] })),
    )
    succeed('index', 'build', 'all.npy', '-o', 'i.st', '--rotation', 'svd', '--center')
    const rotation = svdRotation(corpus, { center: true })
    expect(folder.bytes('i.st')).toEqual(encodeIndex(QuantizedIndex.build(corpus, { rotation })))
    succeed('index', 'build', 'all.npy', '-o', 'i.st', '--rotation', 'hadamard', '--center')
    const centred = { rotation: Rotation.hadamard(24, { seed: 0 }), center: true }
    expect(folder.bytes('i.st')).toEqual(encodeIndex(QuantizedIndex.build(corpus, centred)))
  })

  it('says on stderr which rows do not suit the codes, and follows the advice', () => {
    const shifted = { data: corpus.data.map((value) => value + 1), dims: corpus.dims }
    folder.npy('shifted.npy', shifted)
    const { stderr } = run('index', 'build', 'shifted.npy', '-o', 'i.st')
    expect(stderr).toMatch(/dimensions have one sign in at least 90 % of the rows.* center: true/)
    expect(run('index', 'build', 'shifted.npy', '-o', 'i.st', '--center')).toMatchObject({ status: 0, stderr: '' })
    expect(folder.bytes('i.st')).toEqual(encodeIndex(QuantizedIndex.build(shifted, { center: true })))
  })

  it('draws the sample it is told to, and follows another index', () => {
    succeed('index', 'build', 'all.npy', '-o', 'i.st', '--sample', '200', '--sample-seed', '4')
    expect(JSON.parse(succeed('inspect', 'i.st', '--json')).metadata.calibration_rows).toBe('200')
    succeed(
      'index',
      'build',
      'b.npy',
      '-o',
      'like.st',
      '--like',
      'i.st',
      '--metadata',
      'model=a=b',
      '--metadata',
      'by=me',
    )
    const { metadata } = JSON.parse(succeed('inspect', 'like.st', '--json'))
    expect(metadata).toMatchObject({ calibration_rows: '200', rows: '180', model: 'a=b', by: 'me' })
  })

  it('appends, deletes, compacts, verifies, and writes the ids', () => {
    succeed('index', 'build', 'a.npy', '-o', 'i.st', '--ids', 'first.jsonl')
    succeed('index', 'append', 'i.st', 'b.npy', '--ids', 'rest.jsonl')
    succeed('index', 'ids', 'i.st', '-o', 'out.jsonl')
    expect(folder.bytes('out.jsonl')).toEqual(folder.bytes('ids.jsonl'))
    succeed('index', 'delete', 'i.st', '--ids', 'some.jsonl')
    expect(run('index', 'delete', 'i.st', '--ids', 'some.jsonl')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/2 unknown/),
    })
    succeed('index', 'delete', 'i.st', '--ids', 'some.jsonl', '--ignore-missing')
    expect(JSON.parse(succeed('index', 'verify', 'i.st', '--json'))).toMatchObject({ rows: 300, deletedRows: 2 })
    expect(succeed('inspect', 'i.st')).toMatch(/^rows {8}300 \(2 deleted\)\ndims {8}24\n/)
    succeed('index', 'compact', 'i.st')
    expect(succeed('index', 'verify', 'i.st')).toMatch(/^298 rows, 0 deleted, [\d,]+ bytes: all checksums are right\n$/)
    succeed('index', 'ids', 'i.st', '-o', 'out.jsonl')
    expect(readFileSync(folder.at('out.jsonl'), 'utf8')).toBe(lines(texts.filter((_, i) => i !== 3 && i !== 299)))
  })

  it('says which tensor and which block of a damaged index are wrong', () => {
    succeed('index', 'build', 'all.npy', '-o', 'i.st')
    const bytes = folder.bytes('i.st')
    bytes[bytes.length - 1]! ^= 1
    folder.write('i.st', bytes)
    const { status, stderr } = run('index', 'verify', 'i.st')
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: expect.stringMatching(
        /^packvec: i\.st: tensor int8 is damaged in block 1 \(bytes \d+ to \d+ of the file\)\n$/,
      ),
    })
  })

  it.each<[string, string[], number, RegExp]>([
    ['no output', ['build', 'all.npy'], 2, /--output/],
    ['no corpus', ['build', '-o', 'never.st'], 2, /corpus/],
    ['an unknown precision', ['build', 'all.npy', '-o', 'never.st', '--coarse', 'int3'], 2, /int3/],
    [
      'ranges and a sample',
      ['build', 'all.npy', '-o', 'never.st', '--ranges', 'a.npy', '--sample', '3'],
      2,
      /conflict|cannot be used/,
    ],
    ['metadata without a text', ['build', 'all.npy', '-o', 'never.st', '--metadata', 'model'], 2, /key=text/],
    ['other dims', ['build', 'all.npy', 'narrow.npy', '-o', 'never.st'], 1, /narrow\.npy has 23 dimensions/],
    [
      'ids that are none',
      ['build', 'all.npy', '-o', 'never.st', '--ids', 'broken.jsonl'],
      1,
      /broken\.jsonl: line 2 must be a JSON string or number/,
    ],
    [
      'ids that are not there',
      ['build', 'all.npy', '-o', 'never.st', '--ids', 'no.jsonl'],
      1,
      /cannot read no\.jsonl: no such file/,
    ],
    ['no index', ['verify', 'all.npy'], 1, /all\.npy: /],
    ['no such command', ['search-for'], 2, /search-for/],
  ])('refuses %s in one line', (_, args, status, message) => {
    const before = folder.list()
    expect(run('index', ...args)).toEqual({ status, stdout: '', stderr: expect.stringMatching(/^packvec: .*\n$/) })
    expect(run('index', ...args).stderr).toMatch(message)
    expect(folder.list()).toEqual(before)
  })

  it('prints its help', () => {
    expect(succeed('index', '--help')).toContain('Usage: packvec index')
    for (const command of ['build', 'append', 'delete', 'compact', 'verify', 'ids']) {
      expect(succeed('index', command, '--help')).toContain(`Usage: packvec index ${command}`)
    }
  })

  it('searches a file, or several as one, as the library does', () => {
    const queries = rowsOf(4, 24, 9)
    folder.npy('q.npy', queries)
    const index = QuantizedIndex.build(corpus)
    succeed('index', 'build', 'all.npy', '-o', 's.st')
    const printed = (...args: string[]) =>
      JSON.parse(succeed('index', 'search', ...args, '--queries', 'q.npy', '--json'))
    const expected = index.search(queries, { topK: 4, rescoreMultiplier: 2 })
    const found = printed('s.st', '--top-k', '4', '--rescore-multiplier', '2')
    expect(found.ids).toEqual(expected.map(({ ids }) => [...ids]))
    expect(found.scores.map((row: number[]) => row.map(Math.fround))).toEqual(expected.map(({ scores }) => [...scores]))
    const least = Math.max(...expected.map(({ scores }) => scores[3]!))
    const cut = index.search(queries, { topK: 4, rescoreMultiplier: 2, minScore: least })
    const some = printed(
      's.st',
      '--top-k',
      '4',
      '--rescore-multiplier',
      '2',
      '--min-score',
      String(least),
      '--load',
      'all',
    )
    expect(some.ids).toEqual(cut.map(({ ids }) => [...ids]))

    succeed('index', 'build', 'a.npy', '-o', 'a.st', '--ids', 'first.jsonl', '--like', 's.st')
    succeed('index', 'build', 'b.npy', '-o', 'b.st', '--ids', 'rest.jsonl', '--like', 's.st')
    const two = printed('a.st', 'b.st')
    expect(two.keys).toEqual(index.search(queries).map(({ ids }) => Array.from(ids, (id) => texts[id])))
    const filtered = printed('a.st', 'b.st', '--filter', 'some.jsonl')
    for (const keys of filtered.keys) expect(keys.sort()).toEqual([texts[3], texts[299]].sort())
    const table = succeed('index', 'search', 'a.st', 'b.st', '--queries', 'q.npy', '--top-k', '1').trim().split('\n')
    expect(table.length).toBe(5)
    expect(table[1]).toContain(JSON.stringify(two.keys[0][0]))
  })

  it('says in one line what keeps it from searching', () => {
    folder.write('none.st', 'nothing')
    const fails = (...args: string[]) => run('index', 'search', ...args)
    expect(fails('none.st', '--queries', 'q.npy')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^packvec: none.st: .*\n$/),
    })
    expect(fails('s.st', '--queries', 'narrow.npy')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('23 dimensions'),
    })
    expect(fails('s.st', '--queries', 'q.npy', '--min-score', 'x').status).toBe(2)
  })

  it('searches the file with the pinned digest alone', async () => {
    const digests = await Promise.all(
      ['a.st', 'b.st'].map(async (name) => (await openIndex(folder.at(name))).sha256[0]!),
    )
    const search = (...args: string[]) => run('index', 'search', ...args, '--queries', 'q.npy', '--json')
    const plain = search('a.st', 'b.st').stdout
    expect(search('a.st', 'b.st', '--sha256', ...digests)).toMatchObject({ status: 0, stdout: plain })
    expect(search('a.st', '--sha256', digests[1]!)).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/not the pinned one.*\n$/),
    })
    expect(search('a.st', 'b.st', '--sha256', digests[0]!)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('sha256 must be one digest per source, 2 in all, got 1'),
    })
  })
})
