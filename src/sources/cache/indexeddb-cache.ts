import { createStore, delMany, get, keys, set } from 'idb-keyval'
import type { PieceCache } from './piece-cache.js'

/** Pieces as blobs in IndexedDB, which reads only the requested part of a blob. */
export async function openIndexedDbCache(): Promise<PieceCache> {
  const store = createStore('packvec', 'pieces')
  // Opened now, so that a host without it (a private window) says so before anything is fetched.
  await get('', store)
  return {
    get: (file, piece) => get<Blob>(`${file}/${piece}`, store),
    put: (file, piece, data) => set(`${file}/${piece}`, data, store),
    async delete(file) {
      const all = await keys<string>(store)
      await delMany(
        all.filter((key) => key.startsWith(`${file}/`)),
        store,
      )
    },
  }
}
