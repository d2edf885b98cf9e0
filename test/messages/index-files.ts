import { join } from 'node:path'
import * as node from '../../src/node.js'
import { decodeIndex, encodeIndex, fromReader, openIndex } from '../../src/storage-node.js'
import { indexFile } from '../storage/index-files.js'
import type { Provocation } from './recorder.js'
import { any } from './wrong.js'
import { bytes, changed, index, names, offsetsBack, other, patched, patchedDeleted, rows } from './wrong-files.js'

export function indexFileCalls(folder: string): Provocation[] {
  const at = (name: string) => join(folder, name)
  const reader = (change: object = {}) =>
    fromReader(
      any({
        name: 'reader',
        byteLength: bytes.length,
        read: (from: number, n: number) => bytes.slice(from, from + n),
        ...change,
      }),
    )
  const keyed = (file: Uint8Array, search: object) => async () => {
    const opened = await openIndex(file)
    await opened.search(rows.data.subarray(0, 8), any(search))
  }
  const withKeys = indexFile(index, { keys: names })
  return [
    () => encodeIndex(any(rows)),
    () => node.saveIndex(any(5), at('saved')),
    () => decodeIndex(changed({ format: 'other' })),
    () => decodeIndex(changed({ format: undefined })),
    () => decodeIndex(changed({ format_version: '2' })),
    () => decodeIndex(changed({ metric: 'l1' })),
    () => decodeIndex(changed({ dims: 'eight' })),
    () => decodeIndex(changed({ dims: '0' })),
    () => decodeIndex(changed({ coarse: 'int5' })),
    () => decodeIndex(patched(bytes, 11, 33)),
    () => decodeIndex(patched(bytes, Buffer.from(bytes).indexOf('"metric":"dot"') + 10, 99)),
    () => decodeIndex(patched(bytes, -1, bytes.at(-1)! ^ 1)),
    () => decodeIndex(changed({}, (tensors) => tensors.delete('ranges'))),
    () => decodeIndex(changed({}, (tensors) => tensors.set('ranges', { ...tensors.get('ranges')!, shape: [16] }))),
    () =>
      decodeIndex(
        changed({}, (tensors) =>
          tensors.set('ranges', { ...tensors.get('ranges')!, data: new Uint8Array(64).fill(255) }),
        ),
      ),
    () => decodeIndex(changed({ rotation: 'turned' })),
    () => openIndex(indexFile(index, { keys: names, ids: names.map((_, i) => i) })),
    () => openIndex(any(5)),
    () => openIndex([]),
    () => openIndex('s3://bucket/index'),
    () => openIndex('http://['),
    () => openIndex('https://user:secret@host.invalid/index'),
    () => openIndex(at('missing')),
    () => openIndex(new URL('file://host/index')),
    () => openIndex(bytes, any({ laod: 'all' })),
    () => openIndex(bytes, any({ load: 'some' })),
    () => openIndex(bytes, { sha256: 'abc' }),
    () => openIndex(bytes, { sha256: [] }),
    () => openIndex(bytes, { sha256: '0'.repeat(64) }),
    () => openIndex(bytes, any({ signal: 5 })),
    () => openIndex(bytes, { signal: AbortSignal.abort() }),
    () => openIndex(at('missing'), any({ cacheBytes: -1 })),
    () => openIndex([bytes, other]),
    () => openIndex(patched(bytes, -1, bytes.at(-1)! ^ 1), { load: 'all' }),
    async () => (await openIndex(patched(bytes, -1, bytes.at(-1)! ^ 1))).search(rows.data.subarray(0, 8), { topK: 40 }),
    async () => {
      const closed = await openIndex(bytes)
      await closed.close()
      await closed.search(rows.data.subarray(0, 8))
    },
    () => reader({ name: 5 }),
    () => reader({ read: 5 }),
    () => reader({ stream: 5 }),
    () => reader({ byteLength: -1 }),
    () => fromReader(any(5)),
    () => openIndex(reader({ read: () => 'text' })),
    () => openIndex(reader({ read: () => new Uint8Array(bytes.length + 1) })),
    () => openIndex(reader({ read: () => new Uint8Array(1) })),
    () =>
      openIndex(
        reader({
          read: () => {
            throw new Error('the store is down')
          },
        }),
      ),
    keyed(withKeys, { filter: [5] }),
    keyed(withKeys, { filter: 5 }),
    keyed(indexFile(index, { ids: names.map((_, i) => i) }), { filter: ['a'] }),
    keyed(bytes, { filter: [99] }),
    keyed(bytes, { timeout: -1 }),
    keyed(bytes, { signal: 5 }),
    () => openIndex(new Blob([bytes.slice(0, 500)])),
    () => decodeIndex(indexFile(index, { deleted: [3] })).add(rows, any({ ids: ['a'] })),
    () => decodeIndex(withKeys).add(rows),
    () => decodeIndex(withKeys).add([rows.data.subarray(0, 8), rows.data.subarray(8, 16)], { ids: ['a', 'a'] }),
    () => decodeIndex(withKeys).add([rows.data.subarray(0, 8)], { ids: ['row 3'] }),
    () => decodeIndex(withKeys).add([rows.data.subarray(0, 8)], { ids: [3] }),
    () => decodeIndex(withKeys).add([rows.data.subarray(0, 8)], { ids: ['a', 'b'] }),
    () => decodeIndex(withKeys).add([rows.data.subarray(0, 8)], { ids: [] }),
    () => decodeIndex(withKeys).add([rows.data.subarray(0, 8)], any({ ids: 'a' })),
    () => decodeIndex(patchedDeleted()),
    () => openIndex(offsetsBack()),
    () => decodeIndex(offsetsBack()),
    () => decodeIndex(patched(bytes, Buffer.from(bytes).indexOf('"sha256":"') + 3, 88)),
  ]
}
