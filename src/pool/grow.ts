import { Calibration } from '../codes/ranges.js'
import type { RowSource } from '../rows/matrix.js'
import type { Refit } from '../search/early-rows.js'
import { follows, isFine, isLarge, widenColumns } from '../search/growth.js'
import type { Content } from './content.js'
import { settleAll } from './errors.js'
import { feedRows, isOneMessage, reserveRows } from './feed.js'
import type { Link } from './link.js'
import type { Request } from './protocol.js'
import { RowMap, type Share } from './row-map.js'
import { writeColumn } from './shard.js'

/** The shards of an index. */
export interface GrowingShards {
  readonly links: readonly Link[]
  readonly content: Content
  /** Hears why the index cannot be used any more: some shards have what others lack. */
  onBroken(error: Error): void
}

/** What `growStore` does, in all shards. @throws PackvecError NOT_FINITE, INVALID_RANGES, TOO_LARGE, IO */
export async function growShards(
  shards: GrowingShards,
  rows: RowSource,
  shared: Float32Array | undefined,
): Promise<void> {
  const { links, content } = shards
  const { map, number } = content
  const shares = map.share(rows.rows)
  const whole = isOneMessage(rows, shares)
  const found = new Calibration(rows.dims).addRows(rows, 'embeddings')
  await reserveRows(links, number, map, shares)
  await widenShards(shards, found)
  await feed(shards, rows, shares, shared, whole)
}

/** Shards of all rows in the place of those there are, with codebooks that were taken anew. */
export async function remakeShards(shards: GrowingShards, { rows, columns }: Refit): Promise<void> {
  const { links, content } = shards
  const { number: index, stages } = content
  const map = new RowMap(links.length)
  const shares = map.share(rows.rows)
  const capacity = Math.max(...shares.map(({ count }) => count))
  await sendAll(shards, { op: 'open', index, dims: rows.dims, stages, columns: columns.map(writeColumn), capacity })
  content.map = map
  content.columns = columns
  if (columns.some(follows) && isFine(rows.rows)) await sendAll(shards, { op: 'refine', index, fine: true })
  await feed(shards, rows, shares, undefined, false)
}

async function widenShards(shards: GrowingShards, found: Calibration): Promise<void> {
  const { content } = shards
  const { map, number: index, columns } = content
  if (!columns.some(follows)) return
  const fine = isFine(map.size + found.rows)
  if (fine) await sendAll(shards, { op: 'refine', index, fine })
  for (const wider of widenColumns(columns, found, fine || isLarge(found.rows, map.size))) {
    await sendAll(shards, { op: 'widen', index, column: writeColumn(wider) })
    content.columns = content.columns.map((column) => (column.precision === wider.precision ? wider : column))
  }
  if (!fine) await sendAll(shards, { op: 'refine', index, fine })
}

async function sendAll({ links, onBroken }: GrowingShards, request: Request): Promise<void> {
  try {
    await settleAll(links.map((link) => link.send(request)))
  } catch (error) {
    // The codes of some shards mean something else than those of others.
    onBroken(error as Error)
    throw error
  }
}

async function feed(
  { links, content, onBroken }: GrowingShards,
  rows: RowSource,
  shares: Share[],
  shared: Float32Array | undefined,
  whole: boolean,
): Promise<void> {
  try {
    await feedRows(links, content.number, rows, shares, shared)
  } catch (error) {
    // Some shards have rows that others lack: ids would be wrong.
    if (!whole) onBroken(error as Error)
    throw error
  }
  content.map.commit(shares)
}
