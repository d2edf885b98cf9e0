import { checkOneOf } from '../../base/check.js'
import { PackvecError } from '../../base/errors.js'
import type { FileIdentity } from '../http/identity.js'
import { openIndexedDbCache } from './indexeddb-cache.js'
import { openOpfsCache } from './opfs-cache.js'
import type { PieceCache } from './piece-cache.js'

/** Where a browser keeps copies of files; or a store of the caller's own. */
export type CacheOption = 'opfs' | 'indexeddb' | PieceCache

/** @throws PackvecError UNSUPPORTED if the host has no such storage, INVALID_ARGUMENT */
export async function openCache(option: CacheOption): Promise<PieceCache> {
  if (typeof option === 'object' && typeof option?.get === 'function' && typeof option.put === 'function') return option
  const kind = checkOneOf(option, ['opfs', 'indexeddb'], 'cache')
  try {
    return kind === 'opfs' ? await openOpfsCache() : await openIndexedDbCache()
  } catch (cause) {
    const message = `this host has no ${kind} storage (${(cause as Error).message}): use another cache, or none`
    throw new PackvecError('UNSUPPORTED', 'cache', message, { cause })
  }
}

/** What is known of a copy. */
export interface Manifest extends FileIdentity {
  /** In the names of the pieces, so that two versions are never mixed. */
  readonly version: string
  readonly pieceBytes: number
  readonly complete: boolean
}

const MANIFEST = 'manifest'

/** A download that ends early is taken up at the piece it ended in. */
export const CACHE_PIECE_BYTES = 1 << 20

/** A manifest has some hundred bytes. */
const MAX_MANIFEST_BYTES = 65_536

/** An invalid manifest counts as none: the copy is made anew. */
export async function readManifest(cache: PieceCache, file: string): Promise<Manifest | undefined> {
  const blob: Partial<Blob> | undefined = await cache.get(file, MANIFEST)
  try {
    if (!((blob?.size ?? 0) <= MAX_MANIFEST_BYTES)) return undefined
    const value = JSON.parse((await blob?.text?.()) ?? 'null')
    return isManifest(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Pieces of another size would be another version's, or so many that nobody waits for them. */
function isManifest(value: Partial<Record<keyof Manifest, unknown>> | null): value is Manifest {
  if (typeof value !== 'object' || value === null) return false
  const { byteLength, etag, lastModified, version, pieceBytes, complete } = value
  const isText = (text: unknown) => text === undefined || typeof text === 'string'
  return (
    Number.isSafeInteger(byteLength) &&
    (byteLength as number) > 0 &&
    pieceBytes === CACHE_PIECE_BYTES &&
    isText(etag) &&
    isText(lastModified) &&
    typeof complete === 'boolean' &&
    typeof version === 'string' &&
    /^[a-z\d]{1,40}$/.test(version)
  )
}

export async function writeManifest(cache: PieceCache, file: string, manifest: Manifest): Promise<void> {
  await cache.put(file, MANIFEST, new Blob([JSON.stringify(manifest)]))
}

export function pieceName({ version }: Manifest, number: number): string {
  return `${version}-${number}`
}
