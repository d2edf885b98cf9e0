import { throwIfAborted } from '../base/abort.js'
import { hexOf } from '../base/checksum.js'
import { PackvecError } from '../base/errors.js'
import { invalid } from '../base/invalid.js'
import { checkOptions } from '../base/options.js'
import { codeOf } from '../codes/registry.js'
import { named, naming } from '../files/file.js'
import { nodeSha256 } from '../files/node-sha256.js'
import { checkPath } from '../files/path.js'
import { checkSum } from '../index-file/check-tensor.js'
import type { IndexHeader, StoredTensor } from '../index-file/header.js'
import { decodeFloats } from '../index-file/parts.js'
import { IdList } from './id-list.js'
import { IndexReader } from './index-reader.js'
import { WORK_CHECKS, type WorkOptions } from './options.js'
import { Progress } from './progress.js'
import { countDeleted, deletedTest, storedIds } from './stored-ids.js'

/** What `verifyIndex` read. */
export interface IndexSummary {
  readonly rows: number
  readonly deletedRows: number
  /** Bytes of the file. */
  readonly byteLength: number
}

/**
 * Reads the whole file and checks everything that opening and searching it could meet: the header, every tensor by
 * its sum and by the digests of its blocks, codebooks, floats and factors that are not finite, deleted rows, ids.
 * @throws PackvecError INVALID_FILE, naming the tensor and the block; UNSUPPORTED, IO, ABORTED
 */
export async function verifyIndex(target: string, given?: WorkOptions): Promise<IndexSummary> {
  const path = checkPath(target)
  const options = checkOptions(given, WORK_CHECKS)
  const index = await IndexReader.open(path)
  const ids = new IdList(path)
  try {
    const { header } = index
    const { rows, byteLength } = header
    const progress = new Progress(options.onProgress, 'verify', rows, byteLength / Math.max(1, rows))
    let done = 0
    for (const tensor of header.tensors.values()) {
      throwIfAborted(options.signal)
      if (tensor.digests === undefined) await index.read(tensor)
      else {
        await checkRows(index, tensor, options.signal, (bytes) =>
          progress.report(Math.min(rows, Math.floor(((done + bytes) / byteLength) * rows))),
        )
      }
      done += tensor.byteLength
    }
    const deleted = await index.readDeleted()
    if (header.ids.kind !== 'rows') await checkIds(index, ids, deletedTest(deleted), options.signal)
    progress.report(rows)
    return { rows, deletedRows: countDeleted(deleted), byteLength }
  } finally {
    await ids.close()
    await index.close()
  }
}

/** Reads a tensor of rows and checks its sum, its blocks and its values. */
async function checkRows(
  index: IndexReader,
  tensor: StoredTensor,
  signal: AbortSignal | undefined,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const whole = nodeSha256()
  const check = valueCheck(index.header, tensor)
  let bytes = 0
  for await (const piece of index.stream(tensor, signal)) {
    whole.update(piece)
    const fault = check?.(piece, bytes)
    if (fault !== undefined) throw naming(index.path, invalid('path', fault))
    bytes += piece.length
    onBytes(bytes)
  }
  named(index.path, () => checkSum(tensor, hexOf(whole.digest()), 'path'))
}

/** The fault of a piece of a tensor, after so many bytes of it; undefined if any bytes will do. */
type ValueCheck = (piece: Uint8Array, bytesBefore: number) => string | undefined

function valueCheck({ columns, dims }: IndexHeader, { name, dtype }: StoredTensor): ValueCheck | undefined {
  const isScale = columns.some(({ scale }) => scale?.tensor.name === name)
  const isCodes = columns.some(
    ({ codes, precision }) => codes.name === name && codeOf(precision).array === 'Float32Array',
  )
  if (!isScale && !isCodes) return undefined
  const itemBytes = dtype === 'F16' ? 2 : 4
  return (piece, bytesBefore) => {
    const values = decodeFloats(piece, dtype)
    const at = values.findIndex((value) => !Number.isFinite(value))
    if (at < 0) return undefined
    const index = bytesBefore / itemBytes + at
    const where = isScale ? `row ${index}` : `row ${Math.floor(index / dims)}, dimension ${index % dims}`
    return `tensor ${name} must hold finite numbers, got ${values[at]} at ${where}`
  }
}

async function checkIds(
  index: IndexReader,
  list: IdList,
  isDeleted: (row: number) => boolean,
  signal: AbortSignal | undefined,
): Promise<void> {
  for await (const { ids } of storedIds(index, signal)) await list.add(Array.from(ids))
  await list.checkUnique(isDeleted).catch((error) => {
    throw error instanceof PackvecError && error.code !== 'IO'
      ? naming(index.path, invalid('path', error.message))
      : error
  })
}
