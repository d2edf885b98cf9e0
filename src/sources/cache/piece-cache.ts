/**
 * Where copies of files are kept, in pieces. `file` names a copy (hex digits), `piece` a part of it (letters, digits, -).
 * Both are chosen by packvec; a cache only keeps blobs under two names. Nothing has to be safe against a crash but that a
 * piece is there as a whole or not at all.
 */
export interface PieceCache {
  /** A piece, or undefined if there is none. */
  get(file: string, piece: string): Promise<Blob | undefined>
  /** @throws an error named QuotaExceededError if there is no room */
  put(file: string, piece: string, data: Blob): Promise<void>
  /** Removes all pieces of a copy, if there is one. */
  delete(file: string): Promise<void>
}
