import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { QuantizedIndex } from '../../src/index.js'
import * as node from '../../src/node.js'
import * as storage from '../../src/storage-node.js'
import { type Call, onWarning, query, rows } from './calls.js'

/** Every function of `packvec/storage` and `packvec/node`, over files of a folder. */
export async function fileCalls(folder: string): Promise<Call[]> {
  const index = QuantizedIndex.build(rows, { onWarning })
  const bytes = storage.encodeIndex(index)
  const at = (name: string) => join(folder, name)
  writeFileSync(at('index'), bytes)
  await node.buildIndex(at('named'), [rows], { ids: ['a', 'b', 'c', 'd'], onWarning })
  await node.writeNpy(at('rows.npy'), { data: Float32Array.from(rows.flat()), dims: [4, 3] })
  await node.writeFaiss(at('rows.faiss'), { data: Float32Array.from(rows.flat()), dims: [4, 3] })
  const stored = await storage.openIndex(at('named'))
  const named = readFileSync(at('named'))
  const whole = (name: string) => () => readFileSync(at(name)).toString('latin1')
  /** Edits begin with the same file each time. */
  const fresh = (name: string) => {
    writeFileSync(at(name), named)
    return at(name)
  }
  const reader = {
    name: 'reader',
    byteLength: bytes.length,
    read: async (from: number, n: number) => bytes.slice(from, from + n),
  }
  const { signal } = new AbortController()
  const work = { onProgress: () => {}, signal }
  const open = { load: 'all', cacheBytes: 1 << 20, ...work, timeout: 5000, retries: 0, maxRequests: 2, gapBytes: 9 }
  const search = { topK: 2, scoring: 'asymmetric', filter: ['a', 'b'], minScore: -5, signal, timeout: 5000 }
  const coding = {
    coarse: 'ternary',
    calibrateOn: { sample: 4, seed: 1 },
    rotation: { kind: 'hadamard', seed: 1 },
    onWarning,
  }
  const array = { data: Float32Array.from(rows.flat()), dims: [4, 3] }
  const closeIndex = (opened: unknown) => (opened as { close?: () => Promise<void> }).close?.()
  const collect = async (batches: unknown, options: unknown) => {
    const found = []
    for await (const results of stored.searchBatches(batches as [], options as object)) found.push(results)
    return found
  }
  const build = async (path: unknown, options: unknown, embeddings: unknown, more: unknown) => {
    const builder = await node.IndexBuilder.open(path as string, options as object)
    try {
      await builder.add(embeddings as [], more as object)
      await builder.finish()
    } finally {
      await builder.discard()
    }
  }
  const calls: Call[] = [
    { name: 'storage openIndex', args: () => [bytes, open], run: storage.openIndex as Call['run'], close: closeIndex },
    {
      name: 'storage openIndex',
      args: () => [at('index'), open],
      run: storage.openIndex as Call['run'],
      close: closeIndex,
    },
    {
      name: 'storage openIndex',
      args: () => [[bytes, bytes], { sha256: undefined }],
      run: storage.openIndex as Call['run'],
      close: closeIndex,
    },
    { name: 'storage encodeIndex', args: () => [index], run: storage.encodeIndex },
    { name: 'storage decodeIndex', args: () => [bytes], run: storage.decodeIndex },
    {
      name: 'storage fromReader',
      args: () => [reader, { maxRequests: 2, gapBytes: 9 }],
      run: (...args) => storage.openIndex(storage.fromReader(...(args as [never]))),
      close: closeIndex,
    },
    { name: 'StoredIndex.search', args: () => [query, search], run: (...args) => stored.search(...(args as [never])) },
    {
      name: 'StoredIndex.searchMany',
      args: () => [rows, search],
      run: (...args) => stored.searchMany(...(args as [never])),
    },
    { name: 'StoredIndex.searchBatches', args: () => [[rows, rows], search], run: collect, throwsOwn: true },
    { name: 'StoredIndex.filterOf', args: () => [['a', 'b']], run: (ids) => stored.filterOf(ids) },
    { name: 'node readNpy', args: () => [at('rows.npy')], run: node.readNpy },
    { name: 'node readFaiss', args: () => [at('rows.faiss')], run: node.readFaiss },
    { name: 'node loadIndex', args: () => [at('index')], run: node.loadIndex },
    {
      name: 'node saveIndex',
      args: () => [index, at('saved')],
      run: node.saveIndex,
      state: whole('index'),
      weight: 0.3,
    },
    { name: 'node writeNpy', args: () => [at('out.npy'), array], run: node.writeNpy, weight: 0.3 },
    { name: 'node writeFaiss', args: () => [at('out.faiss'), array, 'ip'], run: node.writeFaiss, weight: 0.3 },
    {
      name: 'node writeFileAtomic',
      args: () => [at('out'), [Uint8Array.of(1)]],
      run: node.writeFileAtomic,
      throwsOwn: true,
      weight: 0.3,
    },
    { name: 'node verifyIndex', args: () => [at('named'), work], run: node.verifyIndex, weight: 0.3 },
    {
      name: 'node buildIndex',
      args: () => [at('built'), [rows], coding],
      run: node.buildIndex as Call['run'],
      throwsOwn: true,
      weight: 0.3,
    },
    {
      name: 'node buildIndex',
      args: () => [
        at('built'),
        at('rows.npy'),
        { ids: [1, 2, 3, 4], metadata: { a: 'b' }, lockTimeout: 0, ...work, onWarning },
      ],
      run: node.buildIndex as Call['run'],
      throwsOwn: true,
      weight: 0.3,
    },
    {
      name: 'node buildIndex',
      args: () => [at('built'), [{ embeddings: rows, ids: ['a', 'b', 'c', 'd'] }], { like: at('named') }],
      run: node.buildIndex as Call['run'],
      throwsOwn: true,
      weight: 0.3,
    },
    {
      name: 'node appendToIndex',
      args: () => [fresh('appended'), [rows], { ids: ['e', 'f', 'g', 'h'], lockTimeout: 0, keepRanges: true, ...work }],
      run: node.appendToIndex as Call['run'],
      state: whole('named'),
      weight: 0.3,
    },
    {
      name: 'node deleteFromIndex',
      args: () => [fresh('deleted'), ['a'], { ignoreMissing: true, lockTimeout: 0, ...work }],
      run: node.deleteFromIndex as Call['run'],
      throwsOwn: true,
      state: whole('named'),
      weight: 0.3,
    },
    {
      name: 'node compactIndex',
      args: () => [fresh('compacted'), { lockTimeout: 0, ...work }],
      run: node.compactIndex,
      state: whole('named'),
      weight: 0.3,
    },
    {
      name: 'node IndexBuilder',
      args: () => [at('batches'), { ...coding, lockTimeout: 0 }, rows, { ids: [1, 2, 3, 4] }],
      run: build,
      weight: 0.3,
    },
  ]
  return calls
}
