// The examples for edge hosts as a user has them: beside an installed packvec, with an index of real embeddings.
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parse } from 'csv-parse/sync'
import { run } from '../run-command.mjs'
import { tool } from '../tools.mjs'

export const root = fileURLToPath(new URL('../../..', import.meta.url))
const data = join(root, 'examples/data')
const examples = new Map()

/**
 * A copy of `examples/edge` in the project, with `corpus`, an index file of 2,915 questions under their texts, `newer`, the
 * same rows under other keys, and `queries`, other questions.
 */
export function edgeExample(made) {
  if (!examples.has(made)) examples.set(made, prepare(made))
  return examples.get(made)
}

async function prepare({ project, installed }) {
  const folder = join(project, 'edge')
  await cp(join(root, 'examples/edge'), folder, { recursive: true })
  const modules = join(folder, 'node_modules')
  await mkdir(join(modules, '@cloudflare'), { recursive: true })
  await symlink(join(root, 'node_modules/@types'), join(modules, '@types'))
  const types = '@cloudflare/workers-types'
  await symlink(join(await tool('workers-types'), 'node_modules', types), join(modules, types))
  const build = async (name, keys) => {
    const [ids, index] = ['jsonl', 'safetensors'].map((suffix) => join(folder, `${name}.${suffix}`))
    await writeFile(ids, keys.map((key) => `${JSON.stringify(key)}\n`).join(''))
    const args = ['index', 'build', join(data, 'banking77_train.npy'), '--ids', ids, '-o', index]
    await run(process.execPath, [join(installed, 'dist/cli.js'), ...args], { cwd: folder })
    return index
  }
  const keys = uniqueTexts(parse(await readFile(join(data, 'banking77_train.csv')), { columns: true }))
  const corpus = await build('corpus', keys)
  const newKeys = keys.map((key) => `new: ${key}`)
  return { folder, corpus, newer: await build('newer', newKeys), queries: await readQueries(installed) }
}

/** Keys are unique; two questions of the data are there twice. */
function uniqueTexts(records) {
  const seen = new Map()
  return records.map(({ text }) => {
    const times = (seen.get(text) ?? 0) + 1
    seen.set(text, times)
    return times === 1 ? text : `${text} (${times})`
  })
}

async function readQueries(installed) {
  const { readNpy } = await import(pathToFileURL(join(installed, 'dist/node.js')).href)
  const { data: values, dims } = await readNpy(join(data, 'banking77_test.npy'))
  return Array.from({ length: dims[0] }, (_, row) => values.slice(row * dims[1], (row + 1) * dims[1]))
}

/** What Node finds in an index file, in the form of the endpoint's answers. */
export async function searchInNode({ project }, file, queries, topK) {
  const found = `
    import { readFileSync } from 'node:fs'
    import { openIndex } from 'packvec/storage'
    const { file, queries, topK } = JSON.parse(readFileSync('asked.json'))
    const index = await openIndex(file)
    const results = []
    for (const query of queries) {
      const { ids, scores, keys } = await index.search(query, { topK })
      results.push(Array.from(ids, (id, i) => ({ id, score: scores[i], key: keys[i] })))
    }
    console.log(JSON.stringify(results))`
  const asked = { file, topK, queries: queries.map((query) => [...query]) }
  await writeFile(join(project, 'asked.json'), JSON.stringify(asked))
  await writeFile(join(project, 'asked.js'), found)
  return JSON.parse(await run(process.execPath, ['asked.js'], { cwd: project }))
}
