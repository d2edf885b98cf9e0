import { checkCount, checkFunction, checkOneOf, describe, fail } from '../../base/check.js'
import { PackvecError, withoutSecrets } from '../../base/errors.js'
import type { OptionChecks } from '../../base/options.js'

/** How files behind URLs are asked for. */
export interface HttpOptions {
  /** Instead of the global `fetch`: for credentials, signed requests, tests. */
  readonly fetch?: typeof fetch
  /**
   * Sent with each request, but to the origin of the URL alone: a redirect to another one is followed without them. In a
   * browser, most of them make the server answer a preflight first, and a redirect is an error, for a browser hides where it
   * leads.
   */
  readonly headers?: Readonly<Record<string, string>>
  /** Requests that one search has under way at once, 6 by default: what browsers open to one HTTP/1.1 host. */
  readonly maxRequests?: number
  /** Ranges closer than this many bytes are fetched as one, 32,768 by default: about the cost of a round trip. */
  readonly gapBytes?: number
  /** New attempts after a connection broke or the server answered 408, 429 or 5xx; 4 by default. */
  readonly retries?: number
  /** Milliseconds before the first new attempt, doubled before each further one; 200 by default. */
  readonly retryDelay?: number
  /** Milliseconds that may pass without a byte before an attempt is given up, 30,000 by default. */
  readonly requestTimeout?: number
  /**
   * Bytes per second below which an attempt is given up that has waited for `requestTimeout` in all; 1,000 by default, 0 for
   * no limit. A server that sends a byte now and then would otherwise hold an attempt for good.
   */
  readonly minBytesPerSecond?: number
  /**
   * Bytes that opening may take into memory from one URL, 2^30 (1 GiB) by default: what comes to memory of a file read by
   * ranges, or the whole file if the server has no ranges. The header says how many before they come.
   */
  readonly maxBytes?: number
  /**
   * What to do if the server sends the whole file instead of a range: 'download' (default) takes it into memory once,
   * 'refuse' is an error.
   */
  readonly onNoRange?: 'download' | 'refuse'
}

/** Most values are checked when a file behind a URL is opened, the others for every source. */
export const HTTP_CHECKS: OptionChecks<HttpOptions> = {
  fetch: checkFunction,
  headers: true,
  maxRequests: checkCount,
  gapBytes: (value, name) => checkCount(value, name, 0),
  retries: (value, name) => checkCount(value, name, 0),
  retryDelay: (value, name) => checkCount(value, name, 0),
  requestTimeout: checkCount,
  minBytesPerSecond: (value, name) => checkCount(value, name, 0),
  maxBytes: checkCount,
  onNoRange: (value, name) => checkOneOf(value, ['download', 'refuse'], name),
}

export type CheckedHttpOptions = Required<Omit<HttpOptions, 'headers'>> & { readonly headers: Record<string, string> }

/** @throws PackvecError INVALID_ARGUMENT, UNSUPPORTED if the host has no fetch */
export function checkHttpOptions(options: HttpOptions): CheckedHttpOptions {
  const { headers = {}, onNoRange = 'download' } = options
  // Bound late and called plainly: browsers refuse a fetch that is called as a method of something else.
  const fetch = options.fetch ?? globalThis.fetch
  if (typeof fetch !== 'function') {
    if (options.fetch !== undefined) fail('INVALID_ARGUMENT', 'fetch', 'a function', describe(options.fetch))
    throw new PackvecError('UNSUPPORTED', 'fetch', 'this host has no fetch: pass one as the option fetch')
  }
  return {
    fetch: (...args) => fetch(...args),
    headers: checkHeaders(headers),
    maxRequests: checkCount(options.maxRequests ?? 6, 'maxRequests'),
    gapBytes: checkCount(options.gapBytes ?? 32_768, 'gapBytes', 0),
    retries: checkCount(options.retries ?? 4, 'retries', 0),
    retryDelay: checkCount(options.retryDelay ?? 200, 'retryDelay', 0),
    requestTimeout: checkCount(options.requestTimeout ?? 30_000, 'requestTimeout'),
    minBytesPerSecond: checkCount(options.minBytesPerSecond ?? 1000, 'minBytesPerSecond', 0),
    maxBytes: checkCount(options.maxBytes ?? 2 ** 30, 'maxBytes'),
    onNoRange: checkOneOf(onNoRange, ['download', 'refuse'], 'onNoRange'),
  }
}

/** Refused now: `fetch` would refuse them in each attempt. Values stay out of the message: they may be keys. */
function checkHeaders(headers: unknown): Record<string, string> {
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers)) {
    const type = Array.isArray(headers) ? 'an array' : `a value of type ${typeof headers}`
    return fail('INVALID_ARGUMENT', 'headers', 'an object of strings', type)
  }
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value !== 'string') {
      fail(
        'INVALID_ARGUMENT',
        'headers',
        'an object of strings',
        `a value of type ${typeof value} for ${describe(name)}`,
      )
    }
    if (!/^[!#$%&'*+.^`|~\w-]+$/.test(name)) {
      fail('INVALID_ARGUMENT', 'headers', 'an object whose names HTTP allows', describe(name))
    }
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
      fail('INVALID_ARGUMENT', 'headers', 'an object whose values HTTP allows', `another value for ${describe(name)}`)
    }
  }
  return { ...(headers as Record<string, string>) }
}

/** A URL as messages show it: keys and passwords stay out of logs. */
export function shownUrl(url: URL): string {
  if (url.protocol === 'data:') return 'data: URL'
  return withoutSecrets(url.href.replace(/[?#].*$/s, ''))
}

/** @throws PackvecError INVALID_ARGUMENT for a URL that `fetch` refuses whatever the server answers */
export function checkFetched(url: URL): void {
  if (url.username === '' && url.password === '') return
  const remedy = 'pass headers: { Authorization: ... } instead'
  const message = `source must be a URL without user and password, got ${shownUrl(url)} with them: ${remedy}`
  throw new PackvecError('INVALID_ARGUMENT', 'source', message)
}
