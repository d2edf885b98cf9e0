import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeSafetensors } from '../../src/formats/safetensors.js'
import { PackvecError, type SearchResult } from '../../src/index.js'
import { verifyIndex } from '../../src/node.js'
import { decodeIndex, encodeIndex, openIndex } from '../../src/storage-node.js'
import { type Target, Wrong } from './fuzz.js'
import { mutateIndex } from './mutate-index.js'
import { indexSeeds } from './seeds.js'

const folder = mkdtempSync(join(tmpdir(), 'packvec-fuzz-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

/** A file of the fuzzer's own, the same again and again. */
export function written(name: string, bytes: Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return path
}

const queryOf = (dims: number) => Float32Array.from({ length: dims }, (_, i) => Math.sin(i + 1))
const search = { topK: 5 } as const

/** Scores are numbers and fall. */
function checkScores({ ids, scores }: Pick<SearchResult, 'ids' | 'scores'>): void {
  for (let i = 0; i < ids.length; i++) {
    if (Number.isNaN(scores[i])) throw new Wrong('a score is NaN')
    if (i > 0 && scores[i]! > scores[i - 1]!) throw new Wrong(`scores rise: ${scores}`)
  }
}

/** Each row comes once; the ids of a file may be anything, and the same twice: `verifyIndex` looks at them all. */
function checkRows(ids: Uint32Array, rows: number, file: Uint8Array): void {
  if (ids.length > rows) throw new Wrong(`${ids.length} results of ${rows} rows`)
  if (decodeSafetensors(file).tensors.has('ids')) return
  if (new Set(ids).size < ids.length) throw new Wrong(`a row comes twice: ${ids}`)
}

/** A whole index in memory: searched, and written as it was read. */
export const decodeTarget: Target = {
  name: 'index',
  seeds: indexSeeds,
  mutate: mutateIndex,
  run(input) {
    const index = decodeIndex(input)
    if (index.size > 0) {
      const query = queryOf(index.dims)
      for (const scoring of ['symmetric', 'asymmetric'] as const) {
        const result = index.search(query, { ...search, scoring })
        checkScores(result)
        checkRows(result.ids, index.size, input)
      }
    }
    const again = encodeIndex(index)
    if (Buffer.compare(again, encodeIndex(decodeIndex(again))) !== 0)
      throw new Wrong('it is not read as it was written')
  },
}

async function outcomeOf<T>(run: () => T | Promise<T>): Promise<{ value?: T; refused?: PackvecError }> {
  try {
    return { value: await run() }
  } catch (error) {
    if (error instanceof PackvecError) return { refused: error }
    throw error
  }
}

/** An index where it lies: opened, searched and verified; what is verified is opened and searched. */
export const openTarget: Target = {
  name: 'open',
  seeds: indexSeeds,
  mutate: mutateIndex,
  async run(input, random) {
    const stored = await outcomeOf(() => openIndex(input))
    const found = await outcomeOf(async () => stored.value?.search(queryOf(stored.value.dims), search))
    if (stored.value !== undefined && found.value !== undefined) {
      checkScores(found.value)
      const whole = await outcomeOf(() => decodeIndex(input))
      if (whole.value !== undefined) checkSame(found.value, whole.value.search(queryOf(whole.value.dims), search))
    }
    // Reading a file takes longer than all the rest.
    if (random() < 0.25) {
      const path = written('open.safetensors', input)
      const verified = await outcomeOf(() => verifyIndex(path))
      const refused = stored.refused ?? found.refused
      if (verified.value !== undefined && refused !== undefined) throw new Wrong(`verified, but: ${refused.message}`)
    }
    await stored.value?.close()
    if (stored.refused !== undefined) throw stored.refused
  },
}

function checkSame(stored: SearchResult, whole: SearchResult): void {
  if (`${stored.scores}` === `${whole.scores}`) return
  throw new Wrong(`scores where it lies: ${stored.scores}; in memory: ${whole.scores}`)
}
