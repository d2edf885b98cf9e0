import { QuantizedIndex } from '../../src/index.js'
import { createPool } from '../../src/pool.js'
import { encodeIndex } from '../../src/storage.js'
import { bundlePool } from '../pool-bundle.js'
import { type Call, onWarning, query, rows } from './calls.js'

/** Every function of `packvec/pool`, and what ends the pool again. */
export async function poolCalls(): Promise<{ calls: Call[]; close(): Promise<void> }> {
  const workerUrl = (await bundlePool()).url('pool-worker.js')
  const pool = await createPool({ workers: 1, workerUrl })
  const index = await pool.build(rows, { onWarning })
  const bytes = encodeIndex(QuantizedIndex.build(rows, { onWarning }))
  const { signal } = new AbortController()
  const search = { topK: 2, scoring: 'asymmetric', filter: [0, 1], minScore: -5, signal, timeout: 5000 }
  const state = async () => JSON.stringify([index.size, await index.search(query, { topK: 4 })])
  const closing = (opened: unknown) => (opened as { close?: () => Promise<void> }).close?.()
  const growing = async (args: unknown[]) => {
    const grown = await pool.build(rows, { onWarning })
    try {
      await grown.add(...(args as [never]))
    } catch (error) {
      if (grown.size !== rows.length) throw new Error('rows were added', { cause: error })
      throw error
    } finally {
      await grown.close()
    }
  }
  const calls: Call[] = [
    {
      name: 'createPool',
      args: () => [{ workers: 1, transport: 'transfer', workerUrl }],
      run: createPool,
      close: closing,
      weight: 0.05,
    },
    {
      name: 'Pool.build',
      args: () => [rows, { coarse: 'ternary', onWarning }],
      run: (...args) => pool.build(...(args as [never])),
      close: closing,
      weight: 0.5,
    },
    { name: 'Pool.open', args: () => [bytes], run: (given) => pool.open(given), close: closing, weight: 0.5 },
    {
      name: 'PoolIndex.search',
      args: () => [query, search],
      run: (...args) => index.search(...(args as [never])),
      state,
      weight: 0.5,
    },
    {
      name: 'PoolIndex.searchMany',
      args: () => [query, search],
      run: (...args) => index.searchMany(...(args as [never])),
      state,
      weight: 0.3,
    },
    { name: 'PoolIndex.add', args: () => [rows, { dims: 3 }], run: async (...args) => growing(args), weight: 0.3 },
  ]
  return { calls: calls.map((call) => ({ ...call, name: `pool ${call.name}` })), close: () => pool.close() }
}
