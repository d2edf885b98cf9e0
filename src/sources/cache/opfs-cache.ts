import type { PieceCache } from './piece-cache.js'

/**
 * The browser's private file system, from a page as well as from a worker: `createWritable` is on both (a sync access handle
 * only in workers). It copies what a file holds before it appends, so each piece is a file of its own; a piece appears when
 * it is closed, whole.
 */
export async function openOpfsCache(): Promise<PieceCache> {
  const root = await navigator.storage.getDirectory()
  const folder = await root.getDirectoryHandle('packvec', { create: true })
  return {
    async get(file, piece) {
      return ifFound(async () => {
        const copy = await folder.getDirectoryHandle(file)
        return (await copy.getFileHandle(piece)).getFile()
      })
    },
    async put(file, piece, data) {
      const copy = await folder.getDirectoryHandle(file, { create: true })
      const handle = await copy.getFileHandle(piece, { create: true })
      const writable = await handle.createWritable()
      try {
        await writable.write(data)
        await writable.close()
      } catch (error) {
        await writable.abort().catch(() => {})
        // Making the handle made an empty file.
        await copy.removeEntry(piece).catch(() => {})
        throw error
      }
    },
    async delete(file) {
      await ifFound(() => folder.removeEntry(file, { recursive: true }))
    },
  }
}

async function ifFound<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if ((error as DOMException).name === 'NotFoundError') return undefined
    throw error
  }
}
