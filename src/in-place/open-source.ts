import { describe, fail, reading } from '../base/check.js'
import type { NewHasher } from '../base/checksum.js'
import { parseSafetensorsHeader } from '../formats/safetensors.js'
import { asFileError, indexHeaderBytes, parseIndexHeader } from '../index-file/header.js'
import { BlobSource } from '../sources/blob-source.js'
import { openCachedFile } from '../sources/cache/cached-file.js'
import type { Judge } from '../sources/http/download.js'
import { checkHttpOptions } from '../sources/http/options.js'
import { openHttp } from '../sources/http/source.js'
import { MemorySource } from '../sources/memory-source.js'
import type { ByteSource } from '../sources/source.js'
import type { IndexSource, OpenOptions, StorageHost } from './open-options.js'

export interface OpenedSource {
  readonly source: ByteSource
  /** Bytes that may come to memory of it; undefined if the caller has the file already. */
  readonly maxBytes?: number
}

/** The sources of a caller, one or several, each of a kind that can be opened. @throws PackvecError INVALID_ARGUMENT */
export function sourcesOf(source: IndexSource | readonly IndexSource[]): readonly IndexSource[] {
  return reading('source', () => {
    if (!Array.isArray(source)) return [checkSource(source)]
    if (source.length === 0) fail('INVALID_ARGUMENT', 'sources', 'a list of at least one source', 'none')
    const list: IndexSource[] = []
    // Not `map`, which passes over holes, and would go through millions of them.
    for (const one of source) list.push(checkSource(one))
    return list
  })
}

function checkSource(input: unknown): IndexSource {
  const isBlob = typeof Blob === 'function' && input instanceof Blob
  if (typeof input === 'string' || input instanceof URL || isBlob) return input as IndexSource
  if (input instanceof Uint8Array || input instanceof ArrayBuffer || isByteSource(input)) return input
  return fail('INVALID_ARGUMENT', 'source', EXPECTED, describe(input))
}

function isByteSource(input: unknown): input is ByteSource {
  const { name, byteLength, read, readMany, stream, close } = (input ?? {}) as Partial<ByteSource>
  const methods = [read, readMany, stream, close]
  if (typeof name !== 'string' || methods.some((method) => typeof method !== 'function')) return false
  return Number.isSafeInteger(byteLength) && byteLength! >= 0
}

/** Opens a caller's source. @throws (rejects with) PackvecError INVALID_ARGUMENT and those of the source */
export async function openSource(
  host: StorageHost,
  input: IndexSource,
  options: OpenOptions,
  signal: AbortSignal,
): Promise<OpenedSource> {
  if (input instanceof Uint8Array || input instanceof ArrayBuffer) return { source: new MemorySource(input) }
  if (typeof Blob === 'function' && input instanceof Blob) return { source: new BlobSource(input) }
  if (typeof input === 'string' || input instanceof URL) return openLocation(host, input, options, signal)
  return { source: input as ByteSource }
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

/** The length of an index by its header; another file is refused before more of it arrives. */
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
    fail('INVALID_ARGUMENT', 'source', EXPECTED, `a URL of ${scheme}: (fromReader opens other stores)`)
  }
  if (hasFiles) return undefined
  const base = (globalThis as { location?: Location }).location?.href
  const url = URL.canParse(text, base) ? new URL(text, base) : undefined
  if (url !== undefined && url.protocol !== 'file:') return url
  return fail('INVALID_ARGUMENT', 'source', EXPECTED, `${describe(text)}, but this host has no files`)
}

/** A URL that cannot be parsed is not shown: nobody knows which part of it is a password. */
function parsed(text: string): URL {
  if (URL.canParse(text)) return new URL(text)
  return fail('INVALID_ARGUMENT', 'source', 'a valid URL', `a malformed URL of ${text.trim().split(':')[0]}:`)
}

const EXPECTED = 'bytes, a Blob or File, a URL (http:, https:, blob:, data:), a path (in Node) or a ByteSource'
