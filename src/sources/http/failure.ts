import { cleanCause } from '../../base/clean-cause.js'
import { PackvecError, withoutSecrets } from '../../base/errors.js'
import { shownUrl } from './options.js'
import { Transient } from './retry.js'

/** A failure of `fetch` as one of ours; Transient if another attempt may succeed. */
export function fetchFailure(url: URL, cause: unknown): PackvecError | Transient {
  if (cause instanceof PackvecError) return cause
  const clean = (text: string) => {
    // A message may hold the path and query alone.
    const rest = url.search.length > 1 ? text.replaceAll(url.search, '') : text
    return withoutSecrets(rest)
  }
  const message = clean(`cannot read ${shownUrl(url)}: ${reasonOf(cause)}`)
  const failure = new PackvecError('IO', 'source', message, { cause: cleanCause(cause, clean) })
  return isPermanent(cause) ? failure : new Transient(failure)
}

/** Node says "fetch failed" and keeps the reason in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const inner = error.cause as { message?: string; code?: string } | undefined
  return inner?.message || inner?.code ? `${error.message} (${inner.message || inner.code})` : error.message
}

/** Names that do not exist, certificates that do not hold. */
const PERMANENT_CODES = /^(ENOTFOUND|CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_INVALID_)/
/** What fetch refuses before it asks; mistakes in a fetch of the caller's. */
const PERMANENT_REASONS =
  /bad port|unknown scheme|redirect count exceeded|includes credentials|parse URL|not a function|not defined|not iterable|of (undefined|null)/

function isPermanent(error: unknown): boolean {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 8; cause = cause.cause, depth++) {
    const code = (cause as NodeJS.ErrnoException).code
    if (typeof code === 'string' && PERMANENT_CODES.test(code)) return true
    if (PERMANENT_REASONS.test(cause.message)) return true
    if (cause instanceof ReferenceError || cause instanceof RangeError || cause instanceof SyntaxError) return true
  }
  return false
}
