import { PackvecError } from '../base/errors.js'

/** Bytes wanted: `target.length` of them, from `position` on. */
export interface ByteRange {
  readonly position: number
  readonly target: Uint8Array
}

/** Where the bytes of an index file come from. Positions and lengths are in bytes. */
export interface ByteSource {
  /** For messages: a path, a URL, 'bytes'. */
  readonly name: string
  readonly byteLength: number
  /** Whether reading a block again costs no more than keeping it would: memory, files in Node. */
  readonly local?: boolean
  /**
   * Searches that want the same blocks at the same time share one read of them, and wait so many milliseconds for one that
   * another search began; then they read for themselves. Undefined: nothing under way is shared.
   */
  readonly shareMs?: number | undefined
  /** Fills target from position on. @throws PackvecError INVALID_FILE (cut off), IO, CHANGED, TIMEOUT, ABORTED */
  read(position: number, target: Uint8Array, signal?: AbortSignal): Promise<void>
  /** Several ranges, rising and apart; a source may read neighbours at once and run several requests together. */
  readMany(ranges: readonly ByteRange[], signal?: AbortSignal): Promise<void>
  /** Bytes in order, in pieces of the source's own size; a piece is good until the next one is asked for. */
  stream(position: number, length: number, signal?: AbortSignal): AsyncIterable<Uint8Array>
  /** Looks whether what was opened is still there, after bytes turned out wrong. @throws PackvecError CHANGED */
  checkUnchanged?(): Promise<void>
  /** Forgets a kept copy whose bytes turned out wrong, so that the next opening fetches the file again. */
  discard?(): Promise<void>
  /** Lets go of the file or the connections; reads under way may fail. */
  close(): Promise<void>
}

/** Pieces of a stream where nothing else says how large: large enough that a call a piece costs nothing. */
export const STREAM_BYTES = 1 << 20

/** @throws PackvecError INVALID_FILE if a source ends before the range does */
export function checkWithin(source: Pick<ByteSource, 'name' | 'byteLength'>, position: number, length: number): void {
  if (position + length > source.byteLength) throw cutOff(source.name, source.byteLength, position + length)
}

export function cutOff(name: string, byteLength: number, expected: number): PackvecError {
  const message = `${name}: the file is cut off: it ends at byte ${byteLength}, expected ${expected} bytes`
  return new PackvecError('INVALID_FILE', 'source', message)
}

export function changed(name: string, what: string): PackvecError {
  return new PackvecError('CHANGED', 'source', `${name} has changed since it was opened (${what}): open it again`)
}

/** A stream for sources that read whole ranges: the next piece is read while the last one is used. */
export async function* streamPieces(
  source: ByteSource,
  position: number,
  length: number,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  checkWithin(source, position, length)
  const buffers = [0, 1].map(() => new Uint8Array(Math.min(STREAM_BYTES, length)))
  const readAt = (at: number, turn: number) => {
    const piece = buffers[turn % 2]!.subarray(0, Math.min(STREAM_BYTES, length - at))
    const done = source.read(position + at, piece, signal).then(() => piece)
    // A failure is thrown when the piece is awaited; until then nobody listens.
    done.catch(() => {})
    return done
  }
  let next = length > 0 ? readAt(0, 0) : undefined
  for (let at = 0, turn = 0; next !== undefined; turn++) {
    const piece = await next
    at += piece.length
    next = at < length ? readAt(at, turn + 1) : undefined
    yield piece
  }
}
