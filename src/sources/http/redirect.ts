import { PackvecError } from '../../base/errors.js'
import { type CheckedHttpOptions, shownUrl } from './options.js'

/** What browsers follow. */
const MOST_REDIRECTS = 20
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308]

/**
 * Fetches, following redirects. The caller's headers may be keys, so they stay with the origin of the URL; `fetch` itself
 * would take back `Authorization` and `Cookie` alone.
 * @param own headers that say nothing about the caller
 * @throws PackvecError IO, UNSUPPORTED; any error of fetch
 */
export async function fetchFollowing(
  url: URL,
  own: Readonly<Record<string, string>>,
  { fetch, headers: callers }: CheckedHttpOptions,
  signal: AbortSignal,
): Promise<Response> {
  // The browser's own cache locks a URL while a range of it is under way: the ranges would wait for one another.
  const init = { signal, cache: 'no-store' } as const
  if (Object.keys(callers).length === 0) return checkResponse(await fetch(url, { ...init, headers: own }))
  let headers = { ...callers, ...own }
  let at = url
  for (let redirects = 0; ; redirects++) {
    const response = checkResponse(await fetch(at, { ...init, headers, redirect: 'manual' }))
    if (response.type === 'opaqueredirect') {
      const what = 'redirects, and this host hides where to, so headers could go to another origin'
      throw new PackvecError('UNSUPPORTED', 'headers', `${shownUrl(at)} ${what}: pass the final URL, or no headers`)
    }
    const location = REDIRECTS.includes(response.status) ? response.headers.get('location') : null
    if (location === null) return response
    await response.body?.cancel().catch(() => {})
    if (redirects === MOST_REDIRECTS) throw refused(url, `it redirects more than ${MOST_REDIRECTS} times`)
    const next = targetOf(location, at)
    if (next.origin !== at.origin) headers = { ...own }
    at = next
  }
}

function targetOf(location: string, from: URL): URL {
  if (!URL.canParse(location, from.href)) throw refused(from, 'it redirects to something that is no URL')
  const target = new URL(location, from)
  if (!/^https?:$/.test(target.protocol)) throw refused(from, `it redirects to a URL of ${target.protocol}`)
  if (target.username !== '' || target.password !== '') {
    throw refused(from, 'it redirects to a URL with user and password')
  }
  return target
}

function checkResponse(response: Response | undefined): Response {
  if (typeof response?.status === 'number' && typeof response.headers?.get === 'function') return response
  throw new PackvecError('INVALID_ARGUMENT', 'fetch', 'fetch must resolve to a Response, got something else')
}

function refused(url: URL, what: string): PackvecError {
  return new PackvecError('IO', 'source', `cannot read ${shownUrl(url)}: ${what}`)
}
