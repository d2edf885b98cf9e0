import { describe, fail } from '../check.js'
import type { NewHasher } from '../checksum.js'
import { parseSafetensorsHeader } from '../format/safetensors.js'
import { asFileError, indexHeaderBytes, parseIndexHeader } from '../index-header.js'
import { BlobSource } from '../storage/blob-source.js'
import { openCachedFile } from '../storage/cached-file.js'
import type { Judge } from '../storage/http-download.js'
import { checkHttpOptions } from '../storage/http-options.js'
import { openHttp } from '../storage/http-source.js'
import { MemorySource } from '../storage/memory-source.js'
import type { ByteSource } from '../storage/source.js'
import type { IndexSource, OpenOptions, StorageHost } from './open-options.js'

export interface OpenedSource {
  readonly source: ByteSource
  /** Bytes that may come to memory of it; undefined where the caller has the file already. */
  readonly maxBytes?: number
}

/** Opens what a caller gave. @throws (rejects with) PackvecError INVALID_ARGUMENT and those of the source */
export async function openSource(
  host: StorageHost,
  input: IndexSource,
  options: OpenOptions,
  signal: AbortSignal,
): Promise<OpenedSource> {
  if (input instanceof Uint8Array || input instanceof ArrayBuffer) return { source: new MemorySource(input) }
  if (typeof Blob === 'function' && input instanceof Blob) return { source: new BlobSource(input) }
  if (typeof input === 'string' || input instanceof URL) return openLocation(host, input, options, signal)
  const own = input as ByteSource | null
  if (typeof own?.readMany === 'function' && typeof own.byteLength === 'number') return { source: own }
  return fail('INVALID_ARGUMENT', 'source', EXPECTED, describe(input))
}

async function openLocation(
  host: StorageHost,
  location: string | URL,
  options: OpenOptions,
  signal: AbortSignal,
): Promise<OpenedSource> {
  const url = urlOf(location, host.openPath !== undefined)
  if (url === undefined) return { source: await host.openPath!(location) }
  const { cache, onCacheFull = 'refuse', onProgress } = options
  const http = checkHttpOptions(options)
  const { maxBytes } = http
  const common = {
    http,
    signal,
    judge: judgeIndex(host.newHasher),
    onProgress: (bytes: number, totalBytes: number | undefined) =>
      onProgress?.({ phase: 'download', bytes, totalBytes }),
  }
  if (cache !== undefined) {
    const { newHasher } = host
    return { source: await openCachedFile(url, { ...common, cache, onCacheFull, newHasher }), maxBytes }
  }
  const opened = await openHttp(url, common)
  if (opened === 'unchanged') throw new Error('unchanged without a condition')
  return { source: opened.source, maxBytes }
}

/** What the header of an index says of its length; a file that is none is refused before more of it comes. */
function judgeIndex(newHasher: NewHasher): Judge {
  return (beginning, byteLength) => {
    if (beginning.length < 8 || beginning.length < indexHeaderBytes(beginning)) return undefined
    const { dataOffset, dataBytes } = asFileError(() => parseSafetensorsHeader(beginning))
    return parseIndexHeader(beginning, byteLength ?? dataOffset + dataBytes, newHasher).byteLength
  }
}

/** The URL that is fetched; undefined for a file. */
function urlOf(location: string | URL, hasFiles: boolean): URL | undefined {
  const text = String(location)
  if (/^\s*(https?|blob|data):/i.test(text)) return parsed(text)
  // Two letters at least: one is a drive of Windows.
  const scheme = /^\s*([a-z][a-z\d+.-]+):\/\//i.exec(text)?.[1]?.toLowerCase()
  if (scheme !== undefined && scheme !== 'file') {
    fail('INVALID_ARGUMENT', 'source', `${EXPECTED}; for another store, see fromReader`, `a URL of ${scheme}:`)
  }
  if (hasFiles) return undefined
  const base = (globalThis as { location?: Location }).location?.href
  const url = URL.canParse(text, base) ? new URL(text, base) : undefined
  if (url !== undefined && url.protocol !== 'file:') return url
  return fail('INVALID_ARGUMENT', 'source', `${EXPECTED}; this host has no files`, describe(text))
}

/** A URL that cannot be parsed is not shown: nobody knows which part of it is a password. */
function parsed(text: string): URL {
  if (URL.canParse(text)) return new URL(text)
  return fail(
    'INVALID_ARGUMENT',
    'source',
    'a valid URL',
    `one that cannot be parsed, of ${text.trim().split(':')[0]}:`,
  )
}

const EXPECTED = 'bytes, a Blob or File, a URL (http:, https:, blob:, data:), a path (in Node) or a ByteSource'
