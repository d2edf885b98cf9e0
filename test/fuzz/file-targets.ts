import { Command } from 'commander'
import { readIdsFile } from '../../src/builder/ids-file.js'
import { addInspect } from '../../src/cli/inspect.js'
import { readLabels, readQrels, readScores } from '../../src/evaluation/files.js'
import { buildIndex, readFaiss, readNpy } from '../../src/node.js'
import { type Target, Wrong } from './fuzz.js'
import { written } from './index-targets.js'
import { below, mutate, pick } from './mutate.js'
import { mutateIndex } from './mutate-index.js'
import { mutateArray } from './mutate-parts.js'
import { faissSeeds, idsSeeds, indexSeeds, npySeeds, safetensorsSeeds, tableSeeds } from './seeds.js'
import { FAISS_WORDS, INDEX_WORDS, JSON_WORDS, NPY_WORDS, TABLE_WORDS } from './words.js'

/** The readers of files, which read the same bytes in pieces. */
const arrays: Target = {
  name: 'array-files',
  seeds: [...npySeeds, ...faissSeeds],
  mutate: mutateArray([...NPY_WORDS, ...FAISS_WORDS]),
  async run(input) {
    const isNpy = input[0] === 0x93
    if (isNpy) await readNpy(written('array.npy', input))
    else await readFaiss(written('array.faiss', input))
  },
}

/** A corpus of `.npy` on its way to an index, which is the rows' first reader. */
const corpora: Target = {
  name: 'corpus-files',
  seeds: npySeeds,
  mutate: mutateArray(NPY_WORDS),
  async run(input) {
    const path = written('corpus.npy', input)
    await buildIndex(written('built.safetensors', new Uint8Array(0)), [path], { onWarning() {} })
  },
}

const ids: Target = {
  name: 'ids-files',
  seeds: idsSeeds,
  mutate: (input, others, random) => mutate(input, JSON_WORDS, others, random),
  async run(input) {
    for await (const id of readIdsFile(written('ids.jsonl', input))) {
      if (typeof id !== 'string' && typeof id !== 'number') throw new Wrong(`an id that is ${typeof id}`)
    }
  },
}

const tables: Target = {
  name: 'table-files',
  seeds: tableSeeds,
  mutate: (input, others, random) => mutate(input, TABLE_WORDS, others, random),
  async run(input, random) {
    const path = written(`table.${pick(random, ['csv', 'tsv', 'txt'])}`, input)
    const read = pick(random, [readLabels, readScores, readQrels])
    await read(path, below(random, 5))
  },
}

const mutateBytes = mutateArray([...INDEX_WORDS, ...NPY_WORDS, ...FAISS_WORDS])

/** `packvec inspect`, which takes files of any kind. */
const inspect: Target = {
  name: 'inspect',
  seeds: [...npySeeds, ...faissSeeds, ...safetensorsSeeds, ...indexSeeds],
  mutate: (input, others, random) => {
    return input[8] === 0x7b ? mutateIndex(input, others, random) : mutateBytes(input, others, random)
  },
  async run(input, random) {
    const program = new Command().exitOverride()
    addInspect(program)
    const flags = random() < 0.5 ? ['--json'] : []
    const printed = await printedBy(() => {
      return program.parseAsync(['inspect', written('any', input), ...flags], { from: 'user' })
    })
    if (flags.length > 0) JSON.parse(printed)
    if (/[^\P{Cc}\n]/u.test(printed))
      throw new Wrong(`control characters reach the terminal: ${JSON.stringify(printed)}`)
  },
}

async function printedBy(run: () => Promise<unknown>): Promise<string> {
  const { write } = process.stdout
  let text = ''
  process.stdout.write = (chunk: string | Uint8Array) => {
    text += String(chunk)
    return true
  }
  try {
    await run()
  } finally {
    process.stdout.write = write
  }
  return text
}

export const fileTargets: readonly (readonly [share: number, target: Target])[] = [
  [2, arrays],
  [1, corpora],
  [2, ids],
  [2, tables],
  [2, inspect],
]
