import { invalid } from '../base/invalid.js'
import type { CodeColumn } from '../codes/column.js'
import { asFileError, type IndexHeader, type StoredColumn, type StoredTensor } from '../index-file/header.js'
import { decodeScales, openParts } from '../index-file/parts.js'
import type { Allowed } from '../rows/filter.js'
import { liveRows } from '../rows/filter-rows.js'
import { decodeOffsets, offsetsFault } from '../rows/ids.js'
import { numberNames, ROW_NUMBERS, type RowNames, textNames, textsInMemory } from '../rows/row-names.js'
import { CodeStore } from '../search/code-store.js'
import type { ByteSource } from '../sources/source.js'
import type { Transform } from '../transform/transform.js'
import type { BlockCache } from './block-cache.js'
import { TensorBlocks } from './blocks.js'
import { keepTensor, type ReadOptions, readTensors, type TensorSink } from './read-tensors.js'

/** Codes that stay in the file, read by row. */
export interface CodesOnDisk {
  readonly column: CodeColumn
  readonly blocks: TensorBlocks
  /** Factors of all rows: 4 bytes a row, where reading them by row would double the reads. */
  readonly scales: Float32Array | undefined
}

/** One file of an index, opened. */
export interface StoredShard {
  readonly source: ByteSource
  /** SHA-256 of its header, which has the sums of all the rest. */
  readonly sha256: string
  readonly rows: number
  readonly transform: Transform
  /** Codes that are in memory: the coarse ones at least. */
  readonly store: CodeStore
  readonly onDisk: CodesOnDisk | undefined
  readonly names: RowNames
  /** The rows that are not deleted; undefined where none is. */
  readonly live: Allowed | undefined
}

export interface ShardOptions extends ReadOptions {
  readonly load: 'coarse' | 'all'
  readonly cache: BlockCache
  /** Number of the shard's first block in the cache. */
  readonly cacheBase: number
}

/** What opening reads: everything but what is read in parts. */
export function bytesToLoad(header: IndexHeader, load: 'coarse' | 'all'): number {
  let bytes = header.byteLength - header.dataOffset
  if (load === 'coarse') {
    bytes -= header.columns[1]?.codes.byteLength ?? 0
    if (header.ids.kind === 'texts') bytes -= header.ids.texts.byteLength
  }
  return bytes
}

/**
 * Reads a shard's coarse codes (or all codes) into memory, before them what gives codes their meaning.
 * @throws PackvecError INVALID_FILE, TOO_LARGE and those of the source
 */
export async function openShard(source: ByteSource, header: IndexHeader, options: ShardOptions): Promise<StoredShard> {
  const { newHasher, cache, cacheBase } = options
  const { rows, dims, ids } = header
  const all = options.load === 'all'
  const inMemory = all ? header.columns : header.columns.slice(0, 1)
  const later = all ? undefined : header.columns[1]
  const texts = ids.kind === 'texts' ? ids.texts : undefined
  const digests = all ? [] : [later?.codes.digests, texts?.digests]
  const first = await readWhole(source, [...header.small, ...digests, header.deleted], options)
  const { columns, transform } = openParts(header, first)

  const store = new CodeStore({ dims, columns: columns.slice(0, inMemory.length) }, Math.max(1, rows))
  store.resize(rows)
  const scales = header.columns.map(({ scale }) => scale?.tensor)
  const names =
    ids.kind === 'numbers' ? [ids.values] : ids.kind === 'texts' ? [ids.offsets, all ? texts : undefined] : []
  const sinks = inMemory.map((column) => codesSink(column, store))
  const second = await readWhole(source, [...scales, ...names], options, sinks)
  const scalesOf = ({ scale }: StoredColumn) =>
    scale && asFileError(() => decodeScales(second(scale.tensor.name), scale.tensor.dtype, scale.tensor.name))
  for (const column of inMemory) {
    const scales = scalesOf(column)
    if (scales !== undefined) store.putScales(column.precision, 0, scales)
  }

  const inFile = (tensor: StoredTensor, base: number) =>
    new TensorBlocks(source, tensor, first(tensor.digests!.name), { newHasher, cache, base })
  const onDisk = later && { column: columns[1]!, blocks: inFile(later.codes, cacheBase), scales: scalesOf(later) }
  const sha256 = header.metadata['sha256']!
  return { source, sha256, rows, transform, store, onDisk, names: openNames(), live: openLive() }

  function openNames(): RowNames {
    if (ids.kind === 'rows') return ROW_NUMBERS
    if (ids.kind === 'numbers') return numberNames(new Uint32Array(second(ids.values.name).buffer))
    const offsets = decodeOffsets(second(ids.offsets.name), ids.offsets.dtype)
    const fault = offsetsFault(offsets, ids.texts.byteLength)
    if (fault !== undefined) throw invalid('source', `tensor ${ids.offsets.name} ${fault}`)
    if (all) return textNames(offsets, textsInMemory(second(ids.texts.name)))
    return textNames(offsets, inFile(ids.texts, cacheBase + (onDisk?.blocks.count ?? 0)))
  }

  function openLive(): Allowed | undefined {
    return header.deleted && liveRows(first(header.deleted.name), rows)
  }
}

/** Reads tensors into arrays of their own, beside what goes elsewhere; gives them by name. */
async function readWhole(
  source: ByteSource,
  tensors: readonly (StoredTensor | undefined)[],
  options: ReadOptions,
  sinks: readonly TensorSink[] = [],
): Promise<(name: string) => Uint8Array<ArrayBuffer>> {
  const kept = new Map(tensors.flatMap((tensor) => (tensor ? [[tensor.name, keepTensor(tensor)] as const] : [])))
  await readTensors(source, [...sinks, ...kept.values()], options)
  return (name) => kept.get(name)!.bytes
}

/** Puts the codes of a column into the store as they come, whole rows at a time. */
function codesSink({ precision, codes }: StoredColumn, store: CodeStore): TensorSink {
  const { rowBytes } = store.column(precision)
  const rest = new Uint8Array(rowBytes)
  let [row, held] = [0, 0]
  const put = (bytes: Uint8Array, rows: number) => {
    asFileError(() => store.putCodes(precision, row, rows, bytes))
    row += rows
  }
  return {
    tensor: codes,
    write(piece) {
      let at = 0
      if (held > 0) {
        at = Math.min(piece.length, rowBytes - held)
        rest.set(piece.subarray(0, at), held)
        held += at
        if (held < rowBytes) return
        put(rest, 1)
      }
      const rows = Math.floor((piece.length - at) / rowBytes)
      if (rows > 0) put(piece.subarray(at), rows)
      const left = piece.subarray(at + rows * rowBytes)
      rest.set(left)
      held = left.length
    },
  }
}
