import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, it } from 'vitest'
import { writeIdsFile } from '../../src/builder/ids-file.js'
import { appendToIndex, buildIndex, verifyIndex } from '../../src/node.js'
import { openIndex } from '../../src/storage-node.js'
import { randomSource } from '../random.js'
import { Folder } from './files.js'

const KILLS = process.env['CI_FULL'] ? 120 : 8
const SEED = 20_261_125
const EDITOR = join(import.meta.dirname, 'editor.mjs')
/** After a process has begun its first change, in which a few of them are done. */
const MOST_MS = 300

const folder = new Folder()
afterAll(() => folder.remove())
const path = folder.at('index.safetensors')

/** The vector of an id, of length 1. */
const rowOf = (id: string) => {
  let state = Math.imul(Number(id.slice(1)) + 1, 0x9e37_79b1)
  const row = Float32Array.from({ length: 24 }, (_, d) => {
    state = Math.imul(state ^ (state >>> 15), 0x85eb_ca6b) + d
    return (state >>> 0) / 2 ** 31 - 1
  })
  return row.map((value) => value / Math.hypot(...row))
}

interface Change {
  readonly begun: 'append' | 'delete' | 'compact'
  readonly ids?: readonly string[]
}

/** What a process has said: changes that it has reported as done, and one that was under way. */
async function killedEditor(live: readonly string[], seed: number, first: number, milliseconds: number) {
  const env = { ...process.env, LIVE_IDS: JSON.stringify(live) }
  const args = [EDITOR, path, String(seed), String(first)]
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (more: string) => {
    text += more
  })
  await once(child.stdout, 'data')
  await sleep(milliseconds)
  child.kill('SIGKILL')
  await once(child, 'close')
  const lines: (Change | { readonly done: true })[] = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const begun = lines.filter((line): line is Change => 'begun' in line)
  const done = lines.length - begun.length
  return { done: begun.slice(0, done), open: begun[done] }
}

function after(live: ReadonlySet<string>, changes: readonly Change[]): Set<string> {
  const ids = new Set(live)
  for (const { begun, ids: changed = [] } of changes) {
    for (const id of changed) begun === 'append' ? ids.add(id) : ids.delete(id)
  }
  return ids
}

async function idsIn(): Promise<Set<string>> {
  const list = folder.at('ids.jsonl')
  await writeIdsFile(path, list)
  const lines = new TextDecoder().decode(folder.bytes('ids.jsonl')).trim().split('\n')
  return new Set(lines.map((line) => JSON.parse(line)))
}

it(`${KILLS} processes killed while they append, delete and compact lose nothing that they have reported`, async () => {
  const random = randomSource(SEED)
  let live = new Set(Array.from({ length: 400 }, (_, i) => `n${i}`))
  await buildIndex(path, [Array.from(live, rowOf)], { ids: [...live], onWarning() {} })
  let reported = 0
  for (let i = 0; i < KILLS; i++) {
    const { done, open } = await killedEditor([...live], SEED + i, 1_000 * (i + 1), MOST_MS * random())
    reported += done.length
    await verifyIndex(path)
    const found = await idsIn()
    const without = after(live, done)
    const withOpen = open === undefined ? without : after(without, [open])
    // The change under way is there or it is not, as a whole.
    const sorted = (ids: Set<string>) => [...ids].sort()
    expect([sorted(without), sorted(withOpen)]).toContainEqual(sorted(found))
    live = found
    const index = await openIndex(path)
    const some = [...live].filter(() => random() < 0.05)
    const results = await index.search(some.map(rowOf), { topK: 1 })
    expect(results.map(({ keys }) => keys![0])).toEqual(some)
    await index.close()
  }
  expect(reported).toBeGreaterThan(KILLS)
  await appendToIndex(path, [rowOf('n999999')], { ids: ['n999999'] })
  expect(folder.list()).toEqual(['ids.jsonl', 'index.safetensors'])
}, 600_000)
