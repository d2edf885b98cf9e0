import { extname } from 'node:path'
import { type Command, Option } from 'commander'
import { refuseInputs } from '../files/target.js'
import { PackvecError } from '../index.js'
import { type FaissKind, type NpyArray, readFaiss, readNpy, writeFaiss, writeNpy } from '../node.js'
import { clearProgress, grouped, progress, warn } from './terminal.js'

interface ConvertFlags {
  kind?: FaissKind
}

const FAISS_EXTENSIONS = ['.faiss', '.index']

export function addConvert(program: Command): void {
  const command = program
    .command('convert')
    .description('Convert between .npy (float32, or bits as uint8) and FAISS flat index files, by their extensions.')
    .argument('<in>', 'a .npy file, or a FAISS flat index: .faiss or .index')
    .argument('<out>', 'the other of the two; an existing file is replaced')
    .addOption(
      new Option(
        '--kind <kind>',
        'of index to write: ip or l2 for float32, binary for uint8 (default: ip, binary)',
      ).choices(['ip', 'l2', 'binary']),
    )
  command.action(async (input: string, output: string, flags: ConvertFlags) => {
    const [from, to] = [formatOf(input), formatOf(output)]
    await refuseInputs(output, [['input', input]], 'output')
    if (from === 'npy' && to === 'faiss') await toFaiss(input, output, flags)
    else if (from === 'faiss' && to === 'npy') await toNpy(input, output, flags)
    else command.error(`error: one file must end in .npy, the other in ${FAISS_EXTENSIONS.join(' or ')}`)
    clearProgress()
  })
}

function formatOf(path: string): 'npy' | 'faiss' | undefined {
  const extension = extname(path).toLowerCase()
  if (FAISS_EXTENSIONS.includes(extension)) return 'faiss'
  return extension === '.npy' ? 'npy' : undefined
}

async function toFaiss(input: string, output: string, { kind }: ConvertFlags): Promise<void> {
  const { data, dims: shape, dtype } = await readNpy(input)
  if (shape.length > 2) {
    throw wrongInput(input, `expected a matrix of shape rows x dims, got shape ${shape.join(' x ')}`)
  }
  const [rows, columns] = shape.length === 1 ? [1, shape[0]!] : [shape[0]!, shape[1]!]
  if (columns === 0) throw wrongInput(input, `expected rows of at least 1 value, got shape ${shape.join(' x ')}`)
  const array = { data: checkValues(data, dtype, input), dims: [rows, columns] }
  const kinds: readonly FaissKind[] = array.data instanceof Uint8Array ? ['binary'] : ['ip', 'l2']
  if (kind !== undefined && !kinds.includes(kind)) {
    throw wrongInput(input, `${dtype} values make an index of kind ${kinds.join(' or ')}, got --kind ${kind}`)
  }
  report(output, rows, columns)
  await writeFaiss(output, array, kind)
}

/** float16 was widened when it was read, which loses nothing. */
function checkValues(data: NpyArray['data'], dtype: string, input: string): Float32Array | Uint8Array {
  if (data instanceof Float32Array || data instanceof Uint8Array) return data
  const hint = dtype === 'int8' ? '; quantize to ubinary for bits' : ''
  throw wrongInput(input, `FAISS flat files hold float32 or bits as uint8, got ${dtype}${hint}`)
}

async function toNpy(input: string, output: string, { kind }: ConvertFlags): Promise<void> {
  const { data, rows, dims } = await readFaiss(input)
  if (kind !== undefined) warn('--kind has no effect on .npy files')
  const columns = data instanceof Uint8Array ? dims / 8 : dims
  report(output, rows, columns)
  await writeNpy(output, { data, dims: [rows, columns] })
}

function report(output: string, rows: number, columns: number): void {
  progress(`writing ${output}: ${grouped(rows)} x ${grouped(columns)}`, rows * columns)
}

function wrongInput(input: string, message: string): PackvecError {
  return new PackvecError('INVALID_FILE', 'npy', `${input}: ${message}`)
}
