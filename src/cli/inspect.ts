import type { Command } from 'commander'
import { readFaissArray, readFaissHeader } from '../files/faiss-file.js'
import { type OpenFile, withFile } from '../files/file.js'
import { readNpyArray, readNpyHeader } from '../files/npy-file.js'
import { type FaissKind, faissIndexName } from '../formats/faiss.js'
import { KIND_BYTES, wrongKind } from '../formats/kind.js'
import { isNpy } from '../formats/npy.js'
import { parseSafetensorsHeader, safetensorsDataOffset } from '../formats/safetensors.js'
import { PackvecError } from '../index.js'
import type { NpyArray } from '../node.js'
import { isFloats } from './arguments.js'
import { describeIndex, describeTensors, type IndexReport, inspectIndex } from './inspect-index.js'
import { clearProgress, grouped, print, progress, shortFloat } from './terminal.js'

interface FloatStatistics {
  /** Of the finite values; null when there are none. */
  min: number | null
  max: number | null
  /** Mean Euclidean length of the rows without NaN and infinity; null when there are none. */
  normMean: number | null
  nonFinite: number
}

interface FaissReport extends Partial<FloatStatistics> {
  format: 'faiss'
  /** FAISS's name of the class. */
  index: string
  kind: FaissKind
  rows: number
  /** Bits, in an IndexBinaryFlat. */
  dims: number
  bytes: number
}

type Report =
  | FaissReport
  | IndexReport
  | ({ format: 'npy'; dtype: string; shape: readonly number[]; bytes: number } & Partial<FloatStatistics>)
  | {
      format: 'safetensors'
      tensors: { name: string; dtype: string; shape: readonly number[]; bytes: number }[]
      metadata: Readonly<Record<string, string>>
    }

export function addInspect(program: Command): void {
  program
    .command('inspect')
    .description('Say what a .npy, safetensors, packvec index or FAISS flat index file holds.')
    .argument('<file>', 'a .npy or safetensors file, or a FAISS flat index')
    .option('--json', 'print one JSON object')
    .action(async (path: string, flags: { json?: true }) => {
      const report = await withFile(path, (file) => inspect(path, file))
      await print(flags.json ? [`${JSON.stringify(report)}\n`] : describe(report))
    })
}

async function inspect(path: string, file: OpenFile): Promise<Report> {
  const prefix = await file.prefix(KIND_BYTES)
  if (isNpy(prefix)) return inspectNpy(file)
  // Read as the length of a safetensors header, FAISS's letters are more than the format allows.
  const index = faissIndexName(prefix)
  if (index !== undefined) return inspectFaiss(file, index)
  if (prefix[8] !== 0x7b) {
    const expected = 'a .npy or safetensors file or a FAISS index'
    const message = `expected ${expected}; ${wrongKind(prefix, 'one of them') ?? 'it begins like none of them'}`
    throw new PackvecError('INVALID_FILE', 'file', message)
  }
  const header = parseSafetensorsHeader(await file.prefix(safetensorsDataOffset(prefix)), file.bytes)
  if (header.metadata['format'] === 'packvec-index') return inspectIndex(path)
  const tensors = Array.from(header.tensors, ([name, { dtype, shape, begin, end }]) => {
    return { name, dtype, shape, bytes: end - begin }
  })
  return { format: 'safetensors', tensors, metadata: header.metadata }
}

async function inspectNpy(file: OpenFile): Promise<Report> {
  const { dtype, shape, count, dataBytes } = await readNpyHeader(file)
  const report: Report = { format: 'npy', dtype, shape, bytes: dataBytes }
  if (!dtype.startsWith('float')) return report
  progress(`reading ${grouped(count)} values`, count)
  const statistics = measure(await readNpyArray(file))
  clearProgress()
  return { ...report, ...statistics }
}

async function inspectFaiss(file: OpenFile, index: string): Promise<Report> {
  const { kind, rows, dims, dataBytes } = await readFaissHeader(file)
  const report: Report = { format: 'faiss', index, kind, rows, dims, bytes: dataBytes }
  if (kind === 'binary') return report
  progress(`reading ${grouped(rows * dims)} values`, rows * dims)
  const { data } = await readFaissArray(file)
  const statistics = measure({ data, dims: [rows, dims] })
  clearProgress()
  return { ...report, ...statistics }
}

function measure({ data, dims }: Pick<NpyArray, 'data' | 'dims'>): FloatStatistics | undefined {
  if (!isFloats(data)) return undefined
  const width = dims.at(-1)!
  let [min, max, nonFinite, norms, rows] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0, 0]
  for (let first = 0; first < data.length; first += width) {
    let squares = 0
    let wrong = 0
    for (let i = first; i < first + width; i++) {
      const value = data[i]!
      if (!Number.isFinite(value)) {
        wrong++
        continue
      }
      if (value < min) min = value
      if (value > max) max = value
      squares += value * value
    }
    nonFinite += wrong
    if (wrong > 0) continue
    norms += Math.sqrt(squares)
    rows++
  }
  // A float32 is shown with its own digits, not with those of the float64 that holds it.
  const shown = (value: number) => (data instanceof Float32Array ? Number(shortFloat(value)) : value)
  const known = min <= max
  return {
    min: known ? shown(min) : null,
    max: known ? shown(max) : null,
    normMean: rows > 0 ? norms / rows : null,
    nonFinite,
  }
}

function* describe(report: Report): Generator<string> {
  if (report.format === 'npy') {
    const { dtype, shape, bytes } = report
    yield `dtype       ${dtype}\nshape       ${shape.join(' x ')}\nbytes       ${grouped(bytes)}\n`
    yield* describeFloats(report)
    return
  }
  if (report.format === 'faiss') {
    const { index, rows, dims, bytes } = report
    yield `index       ${index}\nrows        ${grouped(rows)}\ndims        ${dims}\nbytes       ${grouped(bytes)}\n`
    yield* describeFloats(report)
    return
  }
  yield* report.format === 'packvec-index' ? describeIndex(report) : describeTensors(report)
}

function* describeFloats({ min, max, normMean, nonFinite }: Partial<FloatStatistics>): Generator<string> {
  if (nonFinite === undefined) return
  yield `min         ${min ?? 'none'}\nmax         ${max ?? 'none'}\n`
  yield `norm mean   ${normMean ?? 'none'}\nnon-finite  ${grouped(nonFinite)}\n`
}
