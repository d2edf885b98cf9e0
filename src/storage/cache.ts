import { checkOneOf } from '../check.js'
import { PackvecError } from '../errors.js'
import type { FileIdentity } from './identity.js'
import { openIndexedDbCache } from './indexeddb-cache.js'
import { openOpfsCache } from './opfs-cache.js'
import type { PieceCache } from './piece-cache.js'

/** Where a browser keeps copies of files; or a store of the caller's own. */
export type CacheOption = 'opfs' | 'indexeddb' | PieceCache

/** @throws PackvecError UNSUPPORTED where the host has no such storage, INVALID_ARGUMENT */
export async function openCache(option: CacheOption): Promise<PieceCache> {
  if (typeof option === 'object' && typeof option?.get === 'function' && typeof option.put === 'function') return option
  const kind = checkOneOf(option, ['opfs', 'indexeddb'], 'cache')
  try {
    return kind === 'opfs' ? await openOpfsCache() : await openIndexedDbCache()
  } catch (cause) {
    const message = `this host gives no ${kind} storage (${(cause as Error).message}): use another cache, or none`
    throw new PackvecError('UNSUPPORTED', 'cache', message, { cause })
  }
}

/** What is known of a copy. */
export interface Manifest extends FileIdentity {
  /** In the names of the pieces, so that those of two versions are never mixed. */
  readonly version: string
  readonly pieceBytes: number
  readonly complete: boolean
}

const MANIFEST = 'manifest'

/** A manifest that is not one of ours is none: the copy is made anew. */
export async function readManifest(cache: PieceCache, file: string): Promise<Manifest | undefined> {
  const text = await (await cache.get(file, MANIFEST))?.text()
  try {
    const value = JSON.parse(text ?? 'null') as Manifest | null
    const whole = (count: unknown) => Number.isSafeInteger(count) && (count as number) > 0
    if (value === null || !whole(value.byteLength) || !whole(value.pieceBytes)) return undefined
    return typeof value.version === 'string' ? value : undefined
  } catch {
    return undefined
  }
}

export async function writeManifest(cache: PieceCache, file: string, manifest: Manifest): Promise<void> {
  await cache.put(file, MANIFEST, new Blob([JSON.stringify(manifest)]))
}

export function pieceName({ version }: Manifest, number: number): string {
  return `${version}-${number}`
}
