import { PackvecError } from '../../base/errors.js'
import type { Answer } from './request.js'

/** The facts that tell one version of a file from another. */
export interface FileIdentity {
  readonly byteLength: number
  readonly etag: string | undefined
  readonly lastModified: string | undefined
}

export function identityOf(headers: Headers, byteLength: number): FileIdentity {
  const lastModified = headers.get('last-modified') ?? undefined
  return { byteLength, etag: headers.get('etag') ?? undefined, lastModified }
}

/**
 * Compared here instead of sent as `If-Range`: each answer carries the validators of the version it comes from, and that
 * header would cost a browser a preflight from another origin.
 */
export function sameFile(a: FileIdentity, b: FileIdentity): boolean {
  if (a.byteLength !== b.byteLength) return false
  if (a.etag !== undefined && b.etag !== undefined) return weak(a.etag) === weak(b.etag)
  return a.lastModified === undefined || b.lastModified === undefined || a.lastModified === b.lastModified
}

/** Some servers weaken a tag on the way; the digests make up for it. */
function weak(etag: string): string {
  return etag.replace(/^W\//, '')
}

/**
 * The part that an answer 206 holds: it must begin at the requested byte, and may end earlier. `end` is the byte after it.
 * @throws PackvecError IO
 */
export function checkPart(
  name: string,
  { headers }: Pick<Answer, 'headers'>,
  position: number,
  length: number,
): { end: number; total: number } {
  const encoding = headers.get('content-encoding') ?? 'identity'
  if (encoding !== 'identity') {
    throw wrong(name, `the server compressed a range with ${encoding}: switch compression off for this file`)
  }
  const text = headers.get('content-range')
  if (text === null) {
    const cors = "from another origin it needs 'Access-Control-Expose-Headers: Content-Range, ETag'"
    throw wrong(name, `the server's 206 answer shows no Content-Range: ${cors}`)
  }
  const match = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(text)
  const [first = -1, last = -1, total = -1] = match?.slice(1).map(Number) ?? []
  const end = Math.min(position + length, total)
  if (match === null || first !== position || last < first || last >= end || !Number.isSafeInteger(total)) {
    throw wrong(name, `Content-Range must be bytes ${position}-${position + length - 1}/..., got ${text}`)
  }
  return { end: last + 1, total }
}

export function checkTotal(contentLength: string | null): number | undefined {
  return contentLength !== null && /^\d+$/.test(contentLength) ? Number(contentLength) : undefined
}

function wrong(name: string, what: string): PackvecError {
  return new PackvecError('IO', 'source', `${name}: ${what}`)
}
