import { symlinkSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { QuantizedIndex } from '../../src/index.js'
import {
  appendToIndex,
  buildIndex,
  compactIndex,
  deleteFromIndex,
  IndexBuilder,
  saveIndex,
  verifyIndex,
} from '../../src/node.js'
import { Folder, rejectionOf, rowsOf, slice } from './files.js'
import { heldBy, runWriters } from './processes.js'

const folder = new Folder()
afterAll(() => folder.remove())

const ROWS = 200
const corpus = rowsOf(ROWS, 24, 1)
const names = Array.from({ length: ROWS }, (_, row) => `d${row}`)
let count = 0

/** An index of 200 rows, with ids or without. */
async function newIndex(ids?: readonly string[]): Promise<string> {
  const path = folder.at(`index-${count++}.safetensors`)
  await buildIndex(path, [corpus], ids === undefined ? {} : { ids })
  return path
}

const leftBeside = () => folder.list().filter((name) => name.startsWith('.packvec'))

describe('calls of one process for one file', () => {
  it('all add their rows, however many there are at once', async () => {
    const path = await newIndex()
    await Promise.all([1, 2, 3].map((k) => appendToIndex(path, [slice(corpus, 0, k)])))
    expect(await verifyIndex(path)).toMatchObject({ rows: ROWS + 6 })
    await Promise.all(Array.from({ length: 20 }, (_, k) => appendToIndex(path, [slice(corpus, k, k + 1)])))
    expect(await verifyIndex(path)).toMatchObject({ rows: ROWS + 26 })
  })

  it('append, delete and compact in any mixture, and lose nothing', async () => {
    const path = await newIndex(names)
    const fresh = Array.from({ length: 50 }, (_, i) => `e${i}`)
    await Promise.all([
      appendToIndex(path, [slice(corpus, 0, 50)], { ids: fresh }),
      deleteFromIndex(path, ['d1', 'd2', 'd3']),
      compactIndex(path),
      deleteFromIndex(path, ['d4']),
      appendToIndex(path, [slice(corpus, 0, 1)], { ids: ['last'] }),
    ])
    await compactIndex(path)
    expect(await verifyIndex(path)).toMatchObject({ rows: ROWS + 51 - 4, deletedRows: 0 })
    expect((await rejectionOf(deleteFromIndex(path, ['d4']))).message).toMatch(/id "d4"/)
  })

  it('are one after the other by whatever path the file is named', async () => {
    const path = await newIndex()
    symlinkSync(folder.path, folder.at('folder'))
    symlinkSync(path, folder.at('link'))
    const paths = [path, folder.at('link'), folder.at(`folder/link`), path.replace(/(index-)/, './$1')]
    await Promise.all(paths.map((name) => appendToIndex(name, [slice(corpus, 0, 3)])))
    expect(await verifyIndex(path)).toMatchObject({ rows: ROWS + 12 })
  })

  it('replace the file before or after a change of it, never in its midst', async () => {
    const path = await newIndex()
    const index = QuantizedIndex.build(slice(corpus, 0, 7), { onWarning: () => {} })
    const builder = await IndexBuilder.open(path, { onWarning: () => {} })
    await builder.add(slice(corpus, 0, 5))
    const changes = [1, 2].map((k) => appendToIndex(path, [slice(corpus, 0, k)]))
    await Promise.all([...changes, saveIndex(index, path), builder.finish()])
    const { rows } = await verifyIndex(path)
    // What was there before the last replacement is gone, what was added behind it is not.
    expect([5, 7].flatMap((least) => [0, 1, 2, 3].map((added) => least + added))).toContain(rows)
  })

  it('that give up while they wait name who writes, and change nothing', async () => {
    const path = await newIndex()
    const others: Promise<unknown>[] = []
    const signal = AbortSignal.abort()
    const onProgress = () => {
      if (others.length > 0) return
      others.push(rejectionOf(deleteFromIndex(path, [1], { lockTimeout: 0 })))
      others.push(rejectionOf(compactIndex(path, { signal })))
    }
    await appendToIndex(path, [slice(corpus, 0, 1)], { onProgress: (p) => p.phase === 'copy' && onProgress() })
    expect(await Promise.all(others)).toMatchObject([
      { code: 'LOCKED', message: expect.stringMatching(/being changed by appendToIndex in this process/) },
      { code: 'ABORTED' },
    ])
    expect(await verifyIndex(path)).toMatchObject({ rows: ROWS + 1, deletedRows: 0 })
    expect(leftBeside()).toEqual([])
  })
})

describe('a lockTimeout that is no time', () => {
  it.each([[-1], [0.5], [Number.NaN], ['60'], [null]])('%o is refused before a row is read', async (wrong) => {
    const path = await newIndex()
    const options = { lockTimeout: wrong as number }
    async function* source() {
      yield expect.fail('a row was read')
    }
    for (const refuse of [
      () => buildIndex(path, source(), options),
      () => IndexBuilder.open(path, options),
      () => appendToIndex(path, source(), options),
      () => deleteFromIndex(path, source(), options),
      () => compactIndex(path, options),
    ]) {
      expect(await rejectionOf(refuse())).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'lockTimeout' })
    }
  })
})

describe('processes that write one file', () => {
  it('8 of them append at once: every row that one reports is there', async () => {
    const path = await newIndex()
    const results = await runWriters(8, path, ['append', 'append', 'append'])
    expect(results).toEqual(Array.from({ length: 8 }, () => 'done 3'))
    expect(await verifyIndex(path)).toMatchObject({ rows: ROWS + 24 })
    expect(leftBeside()).toEqual([])
  })

  it('append, delete and compact in any mixture', async () => {
    const path = await newIndex(names)
    const results = await runWriters(6, path, ['delete', 'append', 'compact', 'delete', 'append'])
    expect(results).toEqual(Array.from({ length: 6 }, () => 'done 5'))
    await compactIndex(path)
    expect(await verifyIndex(path)).toMatchObject({ rows: ROWS + 12 - 12, deletedRows: 0 })
  })

  it('go on when one is killed while it holds the lock, and leave nothing of it', async () => {
    const path = await newIndex()
    for (let round = 0; round < (process.env['CI_FULL'] ? 20 : 3); round++) {
      const { rows } = await verifyIndex(path)
      const holder = await heldBy(path)
      const waiting = runWriters(4, path, ['append'])
      holder.kill('SIGKILL')
      expect(await waiting).toEqual(Array.from({ length: 4 }, () => 'done 1'))
      expect(await verifyIndex(path)).toMatchObject({ rows: rows + 4 })
    }
    expect(leftBeside()).toEqual([])
  })

  it('end with LOCKED, naming the holder, where it lives and does not end', async () => {
    const path = await newIndex()
    const holder = await heldBy(path)
    const error = await rejectionOf(appendToIndex(path, [slice(corpus, 0, 1)], { lockTimeout: 50 }))
    expect(error).toMatchObject({ code: 'LOCKED', message: expect.stringContaining(`process ${holder.pid} on `) })
    expect(error.message).toMatch(/appendToIndex .* since \d{4}-.*: try again, or pass a longer lockTimeout$/)
    holder.kill('SIGKILL')
    await appendToIndex(path, [slice(corpus, 0, 1)])
    expect(await verifyIndex(path)).toMatchObject({ rows: ROWS + 1 })
  })

  it('lose no row when some of them are killed at any moment', async () => {
    const path = await newIndex()
    const results = await runWriters(
      8,
      path,
      Array.from({ length: 4 }, () => 'append' as const),
      3,
    )
    const acknowledged = results.reduce((sum, result) => sum + Number(result.split(' ').at(-1)), 0)
    const { rows } = await verifyIndex(path)
    // A killed one may have written the row that it could no longer report.
    expect(rows - ROWS - acknowledged).toBeGreaterThanOrEqual(0)
    expect(rows - ROWS - acknowledged).toBeLessThanOrEqual(3)
    await appendToIndex(path, [slice(corpus, 0, 1)])
    expect(leftBeside()).toEqual([])
  })
})
