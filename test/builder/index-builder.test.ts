import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { QuantizedIndex } from '../../src/index.js'
import { appendToIndex, IndexBuilder, verifyIndex } from '../../src/node.js'
import { encodeIndex } from '../../src/storage.js'

import { Folder, rejectionOf, rowsOf, slice } from './files.js'
import { heldBy } from './processes.js'

const folder = new Folder()
const disk = folder.at('disk')
mkdirSync(disk)
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'packvec-test', disk]).status === 0
afterAll(() => {
  if (mounted) spawnSync('umount', [disk])
  folder.remove()
})

const ROWS = 6000
const corpus = rowsOf(ROWS, 24, 1)
const target = folder.at('index.safetensors')
/** Batches of all lengths, one of which is more than is written at a time. */
const EDGES = [0, 1, 1000, 1003, 5900, ROWS]
const batches = EDGES.slice(1).map((end, i) => slice(corpus, EDGES[i]!, end))
const idsOf = (first: number, end: number) => Array.from({ length: end - first }, (_, i) => `text ${first + i}`)

describe('calls of add that overlap', () => {
  it('give the index that they give one after the other', async () => {
    const builder = await IndexBuilder.open(target)
    await Promise.all(batches.map((batch) => builder.add(batch)))
    await builder.finish()
    expect(folder.bytes('index.safetensors')).toEqual(encodeIndex(QuantizedIndex.build(corpus)))
  })

  it('are waited for by finish, and their ids stay with their rows', async () => {
    const builder = await IndexBuilder.open(target)
    const added = batches.map((batch, i) => builder.add(batch, { ids: idsOf(EDGES[i]!, EDGES[i + 1]!) }))
    await builder.finish()
    await Promise.all(added)
    expect(await verifyIndex(target)).toMatchObject({ rows: ROWS })
    const overlapping = folder.bytes('index.safetensors')
    const other = await IndexBuilder.open(target)
    for (const [i, batch] of batches.entries()) await other.add(batch, { ids: idsOf(EDGES[i]!, EDGES[i + 1]!) })
    await other.finish()
    expect(folder.bytes('index.safetensors')).toEqual(overlapping)
  })

  it('fail alone: the batches beside a wrong one are taken', async () => {
    const builder = await IndexBuilder.open(target)
    const wrong = slice(corpus, 0, 5)
    wrong.data[7] = Number.NaN
    const results = await Promise.allSettled(
      [batches[0]!, wrong, batches[1]!, rowsOf(2, 23, 1)].map((b) => builder.add(b)),
    )
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected'])
    await builder.finish()
    expect(folder.bytes('index.safetensors')).toEqual(encodeIndex(QuantizedIndex.build(slice(corpus, 0, 1000))))
  })

  it('come before a discard, and after a finish they are refused', async () => {
    const builder = await IndexBuilder.open(target)
    const added = builder.add(batches[0]!)
    const discarded = builder.discard()
    expect(await rejectionOf(builder.add(batches[1]!))).toMatchObject({ code: 'INVALID_ARGUMENT' })
    await Promise.all([added, discarded])
    const other = await IndexBuilder.open(target)
    await other.add(batches[1]!)
    const finished = other.finish()
    expect(await rejectionOf(other.add(batches[1]!))).toMatchObject({ code: 'INVALID_ARGUMENT' })
    expect(await rejectionOf(other.finish())).toMatchObject({ code: 'INVALID_ARGUMENT' })
    await finished
    expect(await verifyIndex(target)).toMatchObject({ rows: 999 })
  })
})

describe('a batch that fails', () => {
  it('in the midst of being kept leaves nothing of its rows and ids', async () => {
    let fails = false
    const onProgress = () => {
      if (fails) throw new Error('the listener fails')
    }
    for (const ids of [(row: number) => row, (row: number) => `text ${row}`]) {
      const builder = await IndexBuilder.open(target, { onProgress })
      const idsFrom = (first: number, end: number) => Array.from({ length: end - first }, (_, i) => ids(first + i))
      await builder.add(slice(corpus, 0, 10), { ids: idsFrom(0, 10) })
      fails = true
      const other = await IndexBuilder.open(target, { onProgress })
      // The first report of a builder is always made.
      await expect(other.add(slice(corpus, 10, 20), { ids: idsFrom(0, 10) })).rejects.toThrow('the listener fails')
      fails = false
      await other.add(slice(corpus, 20, 30), { ids: idsFrom(0, 10) })
      await other.finish()
      expect(await verifyIndex(target)).toMatchObject({ rows: 10 })
      await builder.discard()
    }
  })

  // Of the longer batches a piece is written before the room ends.
  it.runIf(mounted).each([
    ['without ids', undefined, 60_000, 11_600_000],
    ['with numbers as ids', (row: number) => row, 60_000, 11_600_000],
    ['with texts as ids, for which the room ends', (row: number) => `${'x'.repeat(400)} ${row}`, 4000, 15_700_000],
  ])('because the disk is full is taken back whole, %s', async (_, idOf, batchRows, fillerBytes) => {
    const path = join(disk, 'index.safetensors')
    const filler = join(disk, 'filler')
    const idsFrom = (first: number, end: number) => ({
      ids: Array.from({ length: end - first }, (_, i) => idOf!(first + i)),
    })
    const optionsFor = (first: number, end: number) => (idOf === undefined ? {} : idsFrom(first, end))
    const builder = await IndexBuilder.open(path)
    await builder.add(slice(corpus, 0, 2000), optionsFor(0, 2000))
    writeFileSync(filler, new Uint8Array(fillerBytes))
    const error = await rejectionOf(builder.add(rowsOf(batchRows, 24, 2), optionsFor(2000, 2000 + batchRows)))
    expect(error).toMatchObject({ code: 'IO', message: expect.stringContaining('ENOSPC') })
    rmSync(filler)
    await builder.add(slice(corpus, 2000, 3000), optionsFor(2000, 3000))
    await builder.finish()
    expect(await verifyIndex(path)).toMatchObject({ rows: 3000 })
    const whole = await IndexBuilder.open(target)
    await whole.add(slice(corpus, 0, 3000), optionsFor(0, 3000))
    await whole.finish()
    expect(new Uint8Array(readFileSync(path))).toEqual(folder.bytes('index.safetensors'))
    rmSync(path)
  })
})

describe('a finish that fails for a reason that passes', () => {
  it('keeps the rows: another one writes them', async () => {
    const builder = await IndexBuilder.open(target, { lockTimeout: 20 })
    await builder.add(slice(corpus, 0, 100))
    await builder.finish()
    const other = await IndexBuilder.open(target, { lockTimeout: 20 })
    await other.add(slice(corpus, 0, 200))
    const holder = await heldBy(target)
    expect(await rejectionOf(other.finish())).toMatchObject({ code: 'LOCKED' })
    holder.kill('SIGKILL')
    await other.add(slice(corpus, 200, 300))
    await other.finish()
    expect(folder.bytes('index.safetensors')).toEqual(encodeIndex(QuantizedIndex.build(slice(corpus, 0, 300))))
    await appendToIndex(target, [slice(corpus, 0, 1)])
    expect(folder.list().filter((name) => name.startsWith('.packvec'))).toEqual([])
  })
})
