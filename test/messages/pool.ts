import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createPool, type Pool, type PoolOptions } from '../../src/pool.js'
import { bundlePool } from '../pool-bundle.js'
import type { Provocation } from './recorder.js'

const rows = [
  [0.5, -1, 0.25],
  [-0.5, 1, 0.125],
  [1, 0.5, -2],
]

export async function poolCalls(folder: string): Promise<Provocation[]> {
  const workerUrl = (await bundlePool()).url('pool-worker.js')
  const create = (options: object) => () => createPool(options as PoolOptions)
  const withPool = (use: (pool: Pool) => unknown) => async () => {
    const pool = await createPool({ workers: 1, workerUrl })
    try {
      await use(pool)
    } finally {
      await pool.close()
    }
  }
  const build = (pool: Pool) => pool.build(rows, { onWarning: () => {} })
  return [
    create({ workers: 0 }),
    create({ workers: 5000 }),
    create({ threads: 2 }),
    create({ transport: 'pigeon' }),
    create({ workerUrl: 5 }),
    create({ workers: 1, workerUrl: pathToFileURL(join(folder, 'missing.js')) }),
    withPool(async (pool) => {
      await pool.close()
      await build(pool)
    }),
    withPool(async (pool) => {
      const index = await build(pool)
      await index.close()
      await index.search(rows[0]!)
    }),
    withPool(async (pool) => (await build(pool)).search([1, 2])),
    withPool(async (pool) => (await build(pool)).search(rows[0]!, { filter: [7] })),
    withPool(async (pool) => (await build(pool)).add([[1, Number.NaN, 3]])),
    withPool((pool) => pool.open(5 as never)),
  ]
}
