import { IndexReader } from '../builder/index-reader.js'
import { countDeleted } from '../builder/stored-ids.js'
import type { Precision } from '../index.js'
import { grouped, table } from './terminal.js'

export interface IndexReport {
  format: 'packvec-index'
  rows: number
  deletedRows: number
  /** Dimensions of embeddings, and of codes if they are truncated. */
  dims: number
  codeDims: number
  coarse: Precision
  rescore: Precision | 'none'
  scale: boolean
  rotation: string | null
  ids: 'row numbers' | 'numbers' | 'texts'
  bytes: number
  /** The digest that `openIndex` pins a file by. */
  sha256: string
  /** Bytes of codes and scales, of all rows. */
  codeBytes: number
  tensors: { name: string; dtype: string; shape: readonly number[]; bytes: number }[]
  metadata: Readonly<Record<string, string>>
}

/** What an index file holds; its header and small tensors are checked, its rows are not. */
export async function inspectIndex(path: string): Promise<IndexReport> {
  const index = await IndexReader.open(path)
  try {
    const { header } = index
    const { rows, inputDims, dims, columns, stages, metadata, byteLength } = header
    const tensors = Array.from(header.tensors.values(), ({ name, dtype, shape, byteLength: bytes }) => {
      return { name, dtype, shape, bytes }
    })
    const codeBytes = columns.reduce(
      (sum, { codes, scale }) => sum + codes.byteLength + (scale?.tensor.byteLength ?? 0),
      0,
    )
    return {
      format: 'packvec-index',
      rows,
      deletedRows: countDeleted(await index.readDeleted()),
      dims: inputDims,
      codeDims: dims,
      ...stages,
      scale: columns.some(({ scale }) => scale !== undefined),
      rotation: metadata['rotation'] ?? null,
      ids: header.ids.kind === 'rows' ? 'row numbers' : header.ids.kind,
      bytes: byteLength,
      sha256: metadata['sha256']!,
      codeBytes,
      tensors,
      metadata,
    }
  } finally {
    await index.close()
  }
}

export function* describeIndex(report: IndexReport): Generator<string> {
  const { rows, deletedRows, dims, codeDims, coarse, rescore, scale, rotation, ids, bytes, codeBytes, sha256 } = report
  const deleted = deletedRows === 0 ? '' : ` (${grouped(deletedRows)} deleted)`
  yield `rows        ${grouped(rows)}${deleted}\n`
  yield `dims        ${dims}${codeDims === dims ? '' : `, truncated to ${codeDims}`}\n`
  yield `coarse      ${coarse}\nrescore     ${rescore}\n`
  yield `scale       ${scale ? 'yes' : 'no'}\nrotation    ${rotation ?? 'none'}\nids         ${ids}\n`
  yield `bytes       ${grouped(bytes)} (${grouped(codeBytes)} of codes)\nsha256      ${sha256}\n\n`
  yield* describeTensors(report)
}

/** Names and texts come from the file: quoted, so that they stay on their line. */
export function* describeTensors({ tensors, metadata }: Pick<IndexReport, 'tensors' | 'metadata'>): Generator<string> {
  const rows = tensors.map(({ name, dtype, shape, bytes }) => {
    return [JSON.stringify(name), dtype, shape.join(' x ') || 'single value', grouped(bytes)]
  })
  yield* table(['tensor', 'dtype', 'shape', 'bytes'], rows)
  for (const [key, value] of Object.entries(metadata)) yield `${JSON.stringify(key)}: ${JSON.stringify(value)}\n`
}
