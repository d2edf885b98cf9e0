import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import manifest from '../package.json' with { type: 'json' }
import { decodeNpy, encodeNpy, type NpyData } from '../src/formats/npy.js'
import { Calibration, PRECISIONS, QuantizedIndex, quantizeEmbeddings, transformEmbeddings } from '../src/index.js'
import { Rotation, svdRotation } from '../src/rotations.js'
import { encodeIndex } from '../src/storage.js'

const CLI = join(import.meta.dirname, '..', 'dist', 'cli.js')
let directory = ''

function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], {
    cwd: directory,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  return { status, stdout, stderr }
}

/** Runs what must succeed in silence. */
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

function save(name: string, data: NpyData, dims: number[]): void {
  writeFileSync(join(directory, name), encodeNpy(data, dims))
}

function load(name: string): { data: NpyData; dims: number[] } {
  const { data, dims } = decodeNpy(readFileSync(join(directory, name)))
  return { data, dims }
}

/** Rows that differ in every dimension, without randomness. */
function embeddings(rows: number, dims: number, seed: number): { data: Float32Array; dims: [number, number] } {
  const data = Float32Array.from({ length: rows * dims }, (_, i) => Math.sin(i * 1.7 + seed) * (1 + (i % 7)))
  return { data, dims: [rows, dims] }
}

const corpus = embeddings(300, 24, 0)
const queries = embeddings(3, 24, 5)
const sample = embeddings(150, 24, 9)
const ranges = { data: Calibration.from(sample).ranges, dims: [2, 24] }

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'packvec-cli-'))
  save('corpus.npy', corpus.data, corpus.dims)
  save('queries.npy', queries.data, queries.dims)
  save('query.npy', queries.data.subarray(0, 24), [24])
  save('sample.npy', sample.data, sample.dims)
  save('ranges.npy', ranges.data, ranges.dims)
  save('codes.npy', Int8Array.of(1, 2, 3, 4), [2, 2])
  save('cube.npy', new Float32Array(8), [2, 2, 2])
  save('narrow.npy', embeddings(3, 23, 0).data, [3, 23])
  save('nan.npy', Float32Array.of(1, 2, NaN, 4, Infinity, 6), [3, 2])
  writeFileSync(join(directory, 'cut.npy'), encodeNpy(corpus.data, corpus.dims).subarray(0, 5000))
  writeFileSync(join(directory, 'text.txt'), 'some text that is no array\n')
  writeFileSync(join(directory, 'index.safetensors'), encodeIndex(QuantizedIndex.build(corpus)))
})

afterAll(() => rmSync(directory, { recursive: true }))

describe('packvec quantize', () => {
  it('writes what quantizeEmbeddings gives, in every precision', () => {
    for (const precision of PRECISIONS) {
      expect(succeed('quantize', 'corpus.npy', '-o', 'out.npy', '--precision', precision)).toBe('')
      const { data, rows, rowBytes } = quantizeEmbeddings(corpus, precision)
      expect(load('out.npy')).toEqual({ data, dims: [rows, rowBytes / data.BYTES_PER_ELEMENT] })
    }
  })

  it('takes the ranges from a file, or from a sample', () => {
    const expected = quantizeEmbeddings(corpus, 'int8', { ranges: Calibration.from(sample) }).data
    expect(expected).not.toEqual(quantizeEmbeddings(corpus, 'int8').data)
    for (const [flag, file] of [
      ['--ranges', 'ranges.npy'],
      ['--calibration', 'sample.npy'],
    ] as const) {
      succeed('quantize', 'corpus.npy', '-o', 'out.npy', '--precision', 'int8', flag, file)
      expect(load('out.npy').data).toEqual(expected)
    }
  })

  it('rounds as it is told', () => {
    succeed('quantize', 'corpus.npy', '-o', 'out.npy', '--precision', 'int8', '--rounding', 'truncate')
    const truncated = quantizeEmbeddings(corpus, 'int8', { rounding: 'truncate' }).data
    expect(load('out.npy').data).toEqual(truncated)
    expect(truncated).not.toEqual(quantizeEmbeddings(corpus, 'int8').data)
  })

  it('takes the scope, the percentiles, the rotation and writes what goes with the codes', () => {
    const out = ['quantize', 'corpus.npy', '-o', 'out.npy', '--calibration', 'sample.npy']
    succeed(...out, '--precision', 'ternary', '--scope', 'dimension')
    const options = { calibrationEmbeddings: sample }
    expect(load('out.npy').data).toEqual(quantizeEmbeddings(corpus, 'ternary', { ...options, scope: 'dimension' }).data)
    succeed(...out, '--precision', 'int4', '--percentiles', '5,95', '--scales', 'scales.npy')
    const int4 = quantizeEmbeddings(corpus, 'int4', { ...options, percentiles: [5, 95], scale: 'float32' })
    expect(load('out.npy').data).toEqual(int4.data)
    expect(load('scales.npy')).toEqual({ data: int4.scales, dims: [300] })
    const rotate = ['--rotation', 'svd', '--truncate', '16', '--rotation-matrix', 'matrix.npy']
    succeed(...out, '--precision', 'binary', ...rotate)
    const sampled = transformEmbeddings(sample, { truncate: 16 })
    const rotation = svdRotation({ data: sampled.data, dims: [150, 16] })
    expect(load('matrix.npy')).toEqual({ data: rotation.matrix, dims: [16, 16] })
    const rotated = transformEmbeddings(corpus, { truncate: 16, rotation })
    expect(load('out.npy').data).toEqual(quantizeEmbeddings({ ...rotated, dims: [300, 16] }, 'binary').data)
  })

  it('warns on stderr of few rows, and of an option without effect', () => {
    const few = run('quantize', 'narrow.npy', '-o', 'out.npy', '--precision', 'int8')
    expect(few).toMatchObject({ status: 0, stderr: expect.stringMatching(/^packvec: warning: .*3 embeddings.*\n$/) })
    const args = ['quantize', 'corpus.npy', '-o', 'out.npy', '--precision', 'binary', '--ranges', 'ranges.npy']
    expect(run(...args)).toMatchObject({ status: 0, stderr: 'packvec: warning: --ranges has no effect on binary\n' })
  })

  it('leaves an existing output as it was when it fails, and nothing beside it', () => {
    writeFileSync(join(directory, 'kept.npy'), 'kept')
    const before = readdirSync(directory)
    fail(1, 'quantize', 'nan.npy', '-o', 'kept.npy', '--precision', 'binary')
    expect(readFileSync(join(directory, 'kept.npy'), 'utf8')).toBe('kept')
    expect(readdirSync(directory)).toEqual(before)
  })
})

describe('packvec search', () => {
  function searched(...flags: string[]): { ids: number[][]; scores: number[][]; distances?: number[][] } {
    return JSON.parse(succeed('search', '--corpus', 'corpus.npy', '--queries', 'queries.npy', '--json', ...flags))
  }

  it('searches any codes, rotated, truncated, scaled, as the index does', () => {
    const flags = ['--precision', 'quaternary', '--rescore', 'none', '--scale', '--rotation', 'hadamard', '--seed', '7']
    const search = [
      'search',
      '--corpus',
      'corpus.npy',
      '--queries',
      'queries.npy',
      '--calibration',
      'sample.npy',
      '--json',
    ]
    const rotation = Rotation.hadamard(16, { seed: 7 })
    const index = QuantizedIndex.build(corpus, {
      coarse: 'quaternary',
      rescore: 'none',
      scale: true,
      rotation,
      truncate: 16,
      renormalize: true,
      calibrationEmbeddings: sample,
    })
    const found = JSON.parse(succeed(...search, ...flags, '--truncate', '16', '--renormalize'))
    expect(found.ids).toEqual(index.search(queries).map(({ ids }) => [...ids]))
  })

  it('prints ids and scores that are those of the library to the last bit', () => {
    const results = QuantizedIndex.build(corpus).search(queries)
    const { ids, scores, ...rest } = searched()
    expect(rest).toEqual({})
    expect(ids).toEqual(results.map((result) => Array.from(result.ids)))
    expect(scores.map((list) => Float32Array.from(list))).toEqual(results.map((result) => result.scores))
  })

  it('passes every option on', () => {
    const calibration = Calibration.from(sample)
    const index = QuantizedIndex.build(corpus, { coarse: 'ubinary', rescore: 'float32', ranges: calibration })
    const results = index.search(queries, { topK: 3, rescoreMultiplier: 1.5, scoring: 'asymmetric' })
    const printed = searched(
      ...['--precision', 'ubinary', '--rescore', 'float32', '--rescore-multiplier', '1.5', '--top-k', '3'],
      ...['--scoring', 'asymmetric'],
    )
    expect(printed.ids).toEqual(results.map((result) => Array.from(result.ids)))
    const calibrated = QuantizedIndex.build(corpus, { coarse: 'int8', rescore: 'none', ranges: calibration }).search(
      queries,
    )
    for (const [flag, file] of [
      ['--ranges', 'ranges.npy'],
      ['--calibration', 'sample.npy'],
    ] as const) {
      const { scores } = searched('--precision', 'int8', '--rescore', 'none', flag, file)
      expect(scores.map((list) => Float32Array.from(list))).toEqual(calibrated.map((result) => result.scores))
    }
  })

  it('takes every precision, and gives Hamming distances where they are the score', () => {
    for (const precision of PRECISIONS) {
      expect(searched('--precision', precision).ids.map((list) => list.length)).toEqual([10, 10, 10])
    }
    const { scores, distances } = searched('--rescore', 'none')
    expect(scores).toEqual(distances?.map((list) => list.map((distance) => 0 - distance)))
  })

  it('prints a table without --json, and as many rows as there are', () => {
    const lines = succeed('search', '--corpus', 'corpus.npy', '--queries', 'queries.npy', '--top-k', '1000').split('\n')
    expect(lines[0]?.trim()).toMatch(/^query +rank +id +score$/)
    expect(lines).toHaveLength(1 + 3 * 300 + 1)
    expect(new Set(lines.slice(0, -1).map((line) => line.length)).size).toBe(1)
  })

  it('takes a vector as one query', () => {
    const { ids } = JSON.parse(succeed('search', '--corpus', 'corpus.npy', '--queries', 'query.npy', '--json'))
    expect(ids).toEqual([searched().ids[0]])
  })

  it('stops in silence when its reader has seen enough', async () => {
    save('many.npy', embeddings(20_000, 24, 1).data, [20_000, 24])
    const child = spawn(process.execPath, [CLI, 'search', '--corpus', 'corpus.npy', '--queries', 'many.npy'], {
      cwd: directory,
    })
    let stderr = ''
    child.stderr.on('data', (text) => {
      stderr += text
    })
    child.stdout.once('data', () => child.stdout.destroy())
    const status = await new Promise((resolve) => child.once('close', resolve))
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })
})

describe('packvec inspect', () => {
  it('says what a float array holds', () => {
    save('small.npy', Float32Array.of(3, 4, -5, 12), [2, 2])
    const report = JSON.parse(succeed('inspect', 'small.npy', '--json'))
    const expected = { format: 'npy', dtype: 'float32', shape: [2, 2], bytes: 16, min: -5, max: 12, normMean: 9 }
    expect(report).toEqual({ ...expected, nonFinite: 0 })
    save('tenth.npy', Float32Array.of(0.1), [1])
    expect(succeed('inspect', 'tenth.npy')).toMatch(/min +0\.1\n/)
    expect(succeed('inspect', 'small.npy')).toMatch(/dtype +float32\nshape +2 x 2\nbytes +16\nmin +-5\nmax +12\n/)
  })

  it('counts NaN and infinity, and leaves them out of the rest', () => {
    const report = JSON.parse(succeed('inspect', 'nan.npy', '--json'))
    expect(report).toMatchObject({ min: 1, max: 6, normMean: Math.sqrt(5), nonFinite: 2 })
  })

  it('says what codes are', () => {
    const report = JSON.parse(succeed('inspect', 'codes.npy', '--json'))
    expect(report).toEqual({ format: 'npy', dtype: 'int8', shape: [2, 2], bytes: 4 })
  })

  it('says what an index holds, and lists its tensors and metadata', () => {
    const report = JSON.parse(succeed('inspect', 'index.safetensors', '--json'))
    const { tensors, metadata } = report
    expect(report).toMatchObject({ format: 'packvec-index', rows: 300, deletedRows: 0, dims: 24, coarse: 'binary' })
    expect(report).toMatchObject({ rescore: 'int8', rotation: null, ids: 'row numbers', codeBytes: 300 * 27 })
    expect(tensors).toContainEqual({ name: expect.any(String), dtype: 'U8', shape: [300, 3], bytes: 900 })
    expect(metadata).toMatchObject({ dims: '24', rows: '300' })
    expect(report.sha256).toBe(metadata.sha256)
    const text = succeed('inspect', 'index.safetensors')
    expect(text).toContain(`sha256      ${report.sha256}\n`)
    for (const { name } of tensors) expect(text).toContain(JSON.stringify(name))
  })
})

describe('help and version', () => {
  it('are printed on stdout, for the program and each command', () => {
    expect(succeed('--version')).toBe(`${manifest.version}\n`)
    expect(succeed('--help')).toContain('quantize')
    for (const command of ['quantize', 'search', 'inspect']) {
      expect(succeed(command, '--help')).toContain(`Usage: packvec ${command}`)
    }
  })
})

describe('wrong usage exits with 2 and one line', () => {
  const quantize = ['quantize', 'corpus.npy', '-o', 'never.npy', '--precision']
  const search = ['search', '--corpus', 'corpus.npy', '--queries', 'queries.npy']
  it.each([
    ['an unknown command', ['pack']],
    ['an unknown option', [...search, '--topk', '3']],
    ['a missing argument', ['inspect']],
    ['an argument too many', ['inspect', 'a', 'b']],
    ['a missing option', ['quantize', 'corpus.npy', '-o', 'never.npy']],
    ['an option without its value', [...search, '--top-k']],
    ['an unknown precision', [...quantize, 'int3']],
    ['an unknown rounding', [...quantize, 'int8', '--rounding', 'up']],
    ['ranges and calibration', [...quantize, 'int8', '--ranges', 'ranges.npy', '--calibration', 'sample.npy']],
    ['ranges and calibration of a search', [...search, '--ranges', 'ranges.npy', '--calibration', 'sample.npy']],
    ['0 results', [...search, '--top-k', '0']],
    ['a negative number of results', [...search, '--top-k', '-3']],
    ['half a result', [...search, '--top-k', '1.5']],
    ['results in words', [...search, '--top-k', 'ten']],
    ['a multiplier below 1', [...search, '--rescore-multiplier', '0.5']],
    ['an unknown scoring', [...search, '--scoring', 'fast']],
    ['an unknown rescoring', [...search, '--rescore', 'int3']],
  ])('%s', (_, args) => {
    fail(2, ...args)
    expect(readdirSync(directory)).not.toContain('never.npy')
  })

  it('no command at all, with the help on stderr', () => {
    expect(run()).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining('Usage: packvec') })
  })
})

describe('bad files and data exit with 1 and one line that names them', () => {
  const quantize = (file: string) => ['quantize', file, '-o', 'never.npy', '--precision', 'binary']
  const search = (corpusFile: string, queriesFile: string) => [
    ...['search', '--corpus', corpusFile, '--queries', queriesFile],
  ]
  it.each([
    ['a missing file', quantize('missing.npy'), 'cannot read missing.npy: no such file or directory (ENOENT)'],
    ['a directory', quantize('.'), 'got a directory'],
    ['a directory as output', ['quantize', 'corpus.npy', '-o', '.', '--precision', 'binary'], 'got a directory'],
    ['an output in a missing directory', [...quantize('corpus.npy'), '-o', 'no/out.npy'], 'cannot write no/out.npy'],
    ['a file cut off', quantize('cut.npy'), 'cut.npy: the .npy header says 28800 bytes'],
    ['another kind of file', quantize('text.txt'), 'text.txt: a .npy file begins with'],
    ['codes instead of floats', quantize('codes.npy'), 'codes.npy: expected float embeddings, got int8'],
    ['three axes', quantize('cube.npy'), 'cube.npy: expected a matrix'],
    ['NaN', quantize('nan.npy'), 'row 1'],
    [
      'ranges of the wrong shape',
      [...quantize('corpus.npy'), '--precision', 'int8', '--ranges', 'corpus.npy'],
      '2 rows',
    ],
    ['a corpus of codes', search('codes.npy', 'queries.npy'), 'codes.npy'],
    ['queries of another width', search('corpus.npy', 'narrow.npy'), 'narrow.npy has 23 dimensions, corpus.npy has 24'],
    ['another kind of file to inspect', ['inspect', 'text.txt'], 'text.txt: expected a .npy or safetensors file'],
    ['a file cut off to inspect', ['inspect', 'cut.npy'], 'cut.npy: the .npy header says'],
    ['a name with a line break', ['inspect', 'a\nb\x1b[31m.npy'], 'cannot read a b [31m.npy'],
  ])('%s', (_, args, message) => {
    expect(fail(1, ...args)).toContain(message)
    expect(readdirSync(directory)).not.toContain('never.npy')
  })
})
