import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { Calibration, QuantizedIndex } from '../../src/index.js'
import { openIndex } from '../../src/storage-node.js'
import { matrix } from '../random.js'
import { indexFile } from './index-files.js'
import { rejectionOf } from './server.js'

const [rows, dims] = [700, 24]
const all = matrix(rows, dims, 1)
const calibration = Calibration.from(all)
const index = QuantizedIndex.build(all, { ranges: calibration })
const queries = matrix(6, dims, 2)
const numberOf = (row: number) => (4_294_967_295 - 3 * row) >>> 0
const textOf = (row: number) => (row === 5 ? '' : `käse-${row}-${'x'.repeat(row % 17)}`)
const ids = Array.from({ length: rows }, (_, row) => numberOf(row))
const keys = Array.from({ length: rows }, (_, row) => textOf(row))
const deleted = [0, 3, 64, 65, 66, 500, 699]
const live = Array.from({ length: rows }, (_, row) => row).filter((row) => !deleted.includes(row))

describe.each(['coarse', 'all'] as const)('the rows of a stored index (load: %s)', (load) => {
  it("have the user's numbers in results", async () => {
    const stored = await openIndex(indexFile(index, { ids }), { load })
    const expected = index.search(queries)
    const found = await stored.search(queries)
    found.forEach((result, i) => {
      expect(result.ids).toEqual(expected[i]!.ids.map(numberOf))
      expect(result.scores).toEqual(expected[i]!.scores)
    })
  })

  it("have the user's texts in results, beside their numbers", async () => {
    const stored = await openIndex(indexFile(index, { keys }), { load })
    const expected = index.search(queries, { topK: 30 })
    const found = await stored.search(queries, { topK: 30 })
    found.forEach((result, i) => {
      expect(result).toEqual({ ...expected[i], keys: Array.from(expected[i]!.ids, textOf) })
    })
  })

  it('are found among those that ids, keys or bits allow', async () => {
    const allowed = Array.from({ length: 90 }, (_, i) => 7 * i + 3)
    const bits = new Uint8Array(Math.ceil(rows / 8))
    for (const row of allowed) bits[row >> 3]! |= 1 << (row & 7)
    const expected = index.search(queries, { filter: allowed }).map(({ scores }) => scores)
    for (const [facts, filter] of [
      [{ ids }, allowed.map(numberOf)],
      [{ ids }, Uint32Array.from(allowed, numberOf)],
      [{ ids }, new Set([...allowed.map(numberOf), 17])],
      [{ keys }, allowed.map(textOf)],
      [{ keys }, new Set([...allowed.map(textOf), 'unknown'])],
      [{ keys }, { bits }],
    ] as const) {
      const stored = await openIndex(indexFile(index, facts), { load })
      expect((await stored.search(queries, { filter })).map(({ scores }) => scores)).toEqual(expected)
      if ('bits' in filter) continue
      expect(await stored.filterOf(filter)).toEqual({ bits })
    }
  })

  it('are never found once they are deleted, whatever the filter', async () => {
    const stored = await openIndex(indexFile(index, { deleted }), { load })
    expect([stored.size, stored.rows]).toEqual([rows - deleted.length, rows])
    expect(await stored.search(queries, { topK: rows })).toEqual(index.search(queries, { topK: rows, filter: live }))
    const filter = Array.from({ length: 100 }, (_, row) => row)
    const left = filter.filter((row) => !deleted.includes(row))
    expect(await stored.search(queries, { filter })).toEqual(index.search(queries, { filter: left }))
    const none = await stored.search(queries, { filter: [0, 3] })
    expect(none.map(({ ids }) => ids.length)).toEqual([0, 0, 0, 0, 0, 0])
  })

  it('are named, allowed and deleted in several files as in one', async () => {
    const cuts = [0, 201, 450, rows]
    const files = cuts.slice(1).map((end, i) => {
      const first = cuts[i]!
      const part = { data: all.data.subarray(first * dims, end * dims), dims: [end - first, dims] }
      const gone = deleted.filter((row) => row >= first && row < end).map((row) => row - first)
      const built = QuantizedIndex.build(part, { ranges: calibration })
      return indexFile(built, { keys: keys.slice(first, end), ...(gone.length > 0 && { deleted: gone }) })
    })
    const stored = await openIndex(files, { load })
    const expected = index.search(queries, { filter: live })
    expect(await stored.search(queries)).toEqual(
      expected.map((result) => ({ ...result, keys: Array.from(result.ids, textOf) })),
    )
    const some = [1, 200, 201, 449, 450, 698]
    const found = await stored.search(queries, { filter: some.map(textOf) })
    for (const { keys } of found) expect([...keys!].sort()).toEqual(some.map(textOf).sort())
  })

  it('keep a text that begins with U+FEFF, apart from the same text without it', async () => {
    const marked = keys.map((key, row) => (row === 8 ? `\uFEFF${textOf(7)}` : key))
    const stored = await openIndex(indexFile(index, { keys: marked }), { load })
    const found = await stored.search(queries, { topK: rows })
    for (const result of found) expect(result.keys).toEqual(Array.from(result.ids, (row) => marked[row]))
    for (const row of [7, 8]) {
      const [result] = await stored.search(queries, { filter: [marked[row]!] })
      expect([...result!.ids]).toEqual([row])
    }
  })

  it('are found by a name that came again after its row was deleted, and so are the rows behind it', async () => {
    // Rows 400 and 401 have the names of the deleted rows 3 and 64.
    const again = new Map([
      [400, 3],
      [401, 64],
    ])
    const rowNames = Array.from({ length: rows }, (_, row) => again.get(row) ?? row)
    for (const facts of [{ ids: rowNames.map(numberOf) }, { keys: rowNames.map(textOf) }]) {
      const stored = await openIndex(indexFile(index, { ...facts, deleted }), { load })
      const names = facts.keys ?? facts.ids!
      for (const row of [400, 401, 402, 698]) {
        const [result] = await stored.search(queries, { filter: [names[row]!] })
        const [expected] = index.search(queries, { filter: [row] })
        expect(result!.scores).toEqual(expected!.scores)
      }
    }
  })

  it('are found by a name that stands in several files in each of them', async () => {
    const files = [0, 350].map((first) => {
      const part = { data: all.data.subarray(first * dims, (first + 350) * dims), dims: [350, dims] }
      return indexFile(QuantizedIndex.build(part, { ranges: calibration }), { keys: keys.slice(0, 350) })
    })
    const stored = await openIndex(files, { load })
    const [result] = await stored.search(queries, { filter: [textOf(9)] })
    expect(result!.keys).toEqual([textOf(9), textOf(9)])
    expect([...result!.ids].sort()).toEqual([359, 9])
  })

  it('are refused where the filter holds names of another kind', async () => {
    const numbered = await openIndex(indexFile(index, { ids }), { load })
    const error = await rejectionOf(numbered.search(queries, { filter: [numberOf(1), 'a'] }))
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'filter' })
    expect(error.message).toContain('at position 1')
    const texts = await openIndex(indexFile(index, { keys }), { load })
    expect(await rejectionOf(texts.search(queries, { filter: [1] }))).toMatchObject({ argument: 'filter' })
  })
})

describe('the sources', () => {
  it('decode no UTF-8 without ignoreBOM: texts would lose a U+FEFF at their beginning', () => {
    const root = fileURLToPath(new URL('../../src', import.meta.url))
    const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
    const calls = files.flatMap((file) =>
      Array.from(
        readFileSync(join(root, file), 'utf8').matchAll(/new TextDecoder\([^\n]*/g),
        ([call]) => `${file}: ${call}`,
      ),
    )
    expect(calls.length).toBeGreaterThan(3)
    const others = calls.filter((call) => !/ignoreBOM: true|\('latin1'\)/.test(call))
    // A mark before the first line of a file of ids is the file's.
    expect(others).toEqual([expect.stringMatching(/^builder.ids-file\.ts: .*ignoreBOM: number > 1/)])
  })
})

describe('several files', () => {
  it('are refused where some have ids and others have none', async () => {
    const files = [indexFile(index, {}), indexFile(index, { ids })]
    const error = await rejectionOf(openIndex(files))
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'sources[1]' })
    expect(error.message).toContain('kind of ids')
  })
})

describe('an index without rows that may be found', () => {
  it('answers with nothing', async () => {
    const stored = await openIndex(indexFile(index, { deleted: Array.from({ length: rows }, (_, row) => row) }))
    expect(stored.size).toBe(0)
    const [result] = await stored.search(queries)
    expect([result!.ids.length, result!.scores.length]).toEqual([0, 0])
  })
})
