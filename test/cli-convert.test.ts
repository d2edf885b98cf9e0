import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decodeFaiss, encodeFaiss } from '../src/formats/faiss.js'
import { encodeNpy } from '../src/formats/npy.js'

const CLI = join(import.meta.dirname, '..', 'dist', 'cli.js')
let directory = ''

function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], { cwd: directory, encoding: 'utf8' })
  return { status, stdout, stderr }
}

/** Runs what must succeed in silence, or with the text given. */
function succeed(...args: string[]): string {
  const { status, stdout, stderr } = run(...args)
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return stdout
}

/** Runs what must fail with one line, and gives the line. */
function fail(status: number, ...args: string[]): string {
  const result = run(...args)
  expect(result).toEqual({ status, stdout: '', stderr: expect.stringMatching(/^packvec: .*\n$/) })
  return result.stderr
}

function load(name: string): Uint8Array {
  return new Uint8Array(readFileSync(join(directory, name)))
}

function save(name: string, bytes: Uint8Array): void {
  writeFileSync(join(directory, name), bytes)
}

const floats = Float32Array.of(3, 4, -0, 0.1, 1e-40, -5)
const bits = Uint8Array.of(1, 2, 255, 0, 128, 7)

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'packvec-convert-'))
  save('floats.npy', encodeNpy(floats, [3, 2]))
  save('vector.npy', encodeNpy(floats, [6]))
  save('doubles.npy', encodeNpy(Float64Array.from(floats), [3, 2]))
  save('bits.npy', encodeNpy(bits, [2, 3]))
  save('signed.npy', encodeNpy(new Int8Array(6), [2, 3]))
  save('cube.npy', encodeNpy(floats, [3, 1, 2]))
  save('narrow.npy', encodeNpy(new Float32Array(0), [3, 0]))
  save('flat.faiss', encodeFaiss({ kind: 'l2', data: floats, rows: 3, dims: 2 }))
  save('bits.index', encodeFaiss({ kind: 'binary', data: bits, rows: 2, dims: 24 }))
  save('cut.faiss', encodeFaiss({ kind: 'ip', data: floats, rows: 3, dims: 2 }).subarray(0, 60))
  save('hnsw.faiss', Uint8Array.of(...Buffer.from('IHNf'), ...new Uint8Array(60)))
})

afterAll(() => rmSync(directory, { recursive: true }))

describe('packvec convert', () => {
  it('makes an IndexFlatIP of float32, an IndexFlatL2 where that is asked for', () => {
    succeed('convert', 'floats.npy', 'out.faiss')
    expect(decodeFaiss(load('out.faiss'))).toEqual({ kind: 'ip', data: floats, rows: 3, dims: 2 })
    succeed('convert', 'floats.npy', 'out.faiss', '--kind', 'l2')
    expect(load('out.faiss')).toEqual(load('flat.faiss'))
  })

  it('makes an IndexBinaryFlat of bits, named or not', () => {
    succeed('convert', 'bits.npy', 'out.index')
    expect(load('out.index')).toEqual(load('bits.index'))
    succeed('convert', 'bits.npy', 'OUT.INDEX', '--kind', 'binary')
    expect(load('OUT.INDEX')).toEqual(load('bits.index'))
  })

  it('makes a .npy file of either, the one that numpy.save would write', () => {
    succeed('convert', 'flat.faiss', 'out.npy')
    expect(load('out.npy')).toEqual(load('floats.npy'))
    succeed('convert', 'bits.index', 'out.npy')
    expect(load('out.npy')).toEqual(load('bits.npy'))
  })

  it('takes a vector as one row', () => {
    succeed('convert', 'vector.npy', 'out.faiss')
    expect(decodeFaiss(load('out.faiss'))).toMatchObject({ rows: 1, dims: 6 })
  })

  it('says that --kind has no effect on a .npy file', () => {
    const { status, stderr } = run('convert', 'flat.faiss', 'out.npy', '--kind', 'ip')
    expect({ status, stderr }).toEqual({ status: 0, stderr: 'packvec: warning: --kind has no effect on .npy files\n' })
  })

  it.each([
    ['two .npy files', ['floats.npy', 'never.npy']],
    ['two FAISS files', ['flat.faiss', 'never.index']],
    ['an unknown extension', ['floats.npy', 'never.bin']],
    ['no output', ['floats.npy']],
    ['an unknown kind', ['floats.npy', 'never.faiss', '--kind', 'cosine']],
  ])('refuses %s with exit code 2', (_, args) => {
    fail(2, 'convert', ...args)
    expect(readdirSync(directory).filter((name) => name.startsWith('never'))).toEqual([])
  })

  it.each([
    ['a missing file', ['missing.npy', 'never.faiss'], 'cannot read missing.npy'],
    [
      'float64',
      ['doubles.npy', 'never.faiss'],
      'doubles.npy: FAISS flat files hold float32 or bits as uint8, got float64',
    ],
    ['int8', ['signed.npy', 'never.faiss'], 'got int8; quantize to ubinary for bits'],
    [
      'three axes',
      ['cube.npy', 'never.faiss'],
      'cube.npy: expected a matrix of shape rows x dims, got shape 3 x 1 x 2',
    ],
    ['rows of no values', ['narrow.npy', 'never.faiss'], 'expected rows of at least 1 value, got shape 3 x 0'],
    ['floats as bits', ['floats.npy', 'never.faiss', '--kind', 'binary'], 'kind ip or l2, got --kind binary'],
    ['bits as floats', ['bits.npy', 'never.faiss', '--kind', 'l2'], 'kind binary, got --kind l2'],
    ['a FAISS file cut off', ['cut.faiss', 'never.npy'], 'cut.faiss: the FAISS header says 24 bytes of data'],
    ['another kind of index', ['hnsw.faiss', 'never.npy'], 'got IHNf (IndexHNSWFlat)'],
    ['an output in a missing directory', ['floats.npy', 'no/never.faiss'], 'cannot write no/never.faiss'],
  ])('refuses %s with exit code 1 and leaves no file', (_, args, message) => {
    expect(fail(1, 'convert', ...args)).toContain(message)
    expect(readdirSync(directory).filter((name) => /never|\.tmp$/.test(name))).toEqual([])
  })
})

describe('packvec inspect of a FAISS file', () => {
  it('names the index, its shape and what the floats are like', () => {
    expect(JSON.parse(succeed('inspect', 'flat.faiss', '--json'))).toEqual({
      ...{ format: 'faiss', index: 'IndexFlatL2', kind: 'l2', rows: 3, dims: 2, bytes: 24 },
      ...{ min: -5, max: 4, normMean: expect.closeTo((5 + 0.1 + 5) / 3, 6), nonFinite: 0 },
    })
    expect(succeed('inspect', 'flat.faiss')).toMatch(
      /^index +IndexFlatL2\nrows +3\ndims +2\nbytes +24\nmin +-5\nmax +4\nnorm mean +3\.36\d+\nnon-finite +0\n$/,
    )
    expect(succeed('inspect', 'bits.index')).toBe(
      'index       IndexBinaryFlat\nrows        2\ndims        24\nbytes       6\n',
    )
  })

  it('refuses one that is cut off or not flat', () => {
    expect(fail(1, 'inspect', 'cut.faiss')).toContain('cut.faiss: the FAISS header says 24 bytes of data')
    expect(fail(1, 'inspect', 'hnsw.faiss')).toContain('only flat FAISS indexes are read')
  })
})
