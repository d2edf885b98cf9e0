import { checkCount, checkOneOf, describe, fail } from '../check.js'
import { PackvecError } from '../errors.js'

/** How files behind URLs are asked for. */
export interface HttpOptions {
  /** Instead of the global `fetch`: for credentials, signed requests, tests. */
  readonly fetch?: typeof fetch
  /** Sent with each request. In a browser, most of them make the server answer a preflight first. */
  readonly headers?: Readonly<Record<string, string>>
  /** Requests that one search has under way at once, 6 by default: what browsers open to one HTTP/1.1 host. */
  readonly maxRequests?: number
  /** Ranges closer than this many bytes are fetched as one, 32,768 by default: about what a round trip is worth. */
  readonly gapBytes?: number
  /** New attempts after a connection broke or the server answered 408, 429 or 5xx; 4 by default. */
  readonly retries?: number
  /** Milliseconds before the first new attempt, doubled before each further one; 200 by default. */
  readonly retryDelay?: number
  /** Milliseconds that may pass without a byte before an attempt is given up, 30,000 by default. */
  readonly requestTimeout?: number
  /**
   * What to do where the server sends the whole file instead of a range: 'download' (default) takes it into memory once,
   * 'refuse' is an error.
   */
  readonly onNoRange?: 'download' | 'refuse'
}

export type CheckedHttpOptions = Required<Omit<HttpOptions, 'headers'>> & { readonly headers: Record<string, string> }

/** @throws PackvecError INVALID_ARGUMENT, UNSUPPORTED where the host has no fetch */
export function checkHttpOptions(options: HttpOptions): CheckedHttpOptions {
  const { headers = {}, onNoRange = 'download' } = options
  // Bound late and called plainly: browsers refuse a fetch that is called as a method of something else.
  const fetch = options.fetch ?? globalThis.fetch
  if (typeof fetch !== 'function') {
    if (options.fetch !== undefined) fail('INVALID_ARGUMENT', 'fetch', 'a function', describe(options.fetch))
    throw new PackvecError('UNSUPPORTED', 'fetch', 'this host has no fetch: pass one as the option fetch')
  }
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers)) {
    fail('INVALID_ARGUMENT', 'headers', 'an object of strings', describe(headers))
  }
  return {
    fetch: (...args) => fetch(...args),
    headers: { ...headers },
    maxRequests: checkCount(options.maxRequests ?? 6, 'maxRequests'),
    gapBytes: checkCount(options.gapBytes ?? 32_768, 'gapBytes', 0),
    retries: checkCount(options.retries ?? 4, 'retries', 0),
    retryDelay: checkCount(options.retryDelay ?? 200, 'retryDelay', 0),
    requestTimeout: checkCount(options.requestTimeout ?? 30_000, 'requestTimeout'),
    onNoRange: checkOneOf(onNoRange, ['download', 'refuse'], 'onNoRange'),
  }
}

/** A URL as messages show it: keys and passwords stay out of logs. */
export function shownUrl(url: URL): string {
  return url.protocol === 'data:' ? 'data: URL' : `${url.origin === 'null' ? url.protocol : url.origin}${url.pathname}`
}
