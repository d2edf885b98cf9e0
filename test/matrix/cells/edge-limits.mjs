// What Cloudflare limits: memory, and the time that a Worker takes to start. Heavy.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { edgeExample, searchInNode } from '../edge/example.mjs'
import { openHeap } from '../edge/heap.mjs'
import { cpuOf, findWorkerd, memoryOf } from '../edge/process.mjs'
import { serveFile } from '../edge/static-host.mjs'
import { bundleWorker, startWorker } from '../edge/worker.mjs'
import { run } from '../run-command.mjs'

export const cells = [
  { title: 'the example Worker searches 500,000 x 384 in less than 128 MB', check: memory, heavy: true },
  { title: 'the example Worker starts; CPU time in milliseconds', check: startUp, heavy: true },
]

const [ROWS, DIMS] = [500_000, 384]

async function memory(made) {
  const example = await edgeExample(made)
  const index = await randomIndex(made)
  const files = await serveFile(index)
  const bundle = await bundleWorker(example)
  const queries = example.queries.slice(0, 24)
  const expected = await searchInNode(made, index, queries, 10)
  const worker = await startWorker(bundle, { indexUrl: files.url })
  try {
    await worker.fetch('/')
    const pid = await findWorkerd()
    const before = await memoryOf(pid)
    const heap = await openHeap(worker)
    const post = async (query) =>
      (await worker.fetch('/search', { method: 'POST', headers: BYTES, body: query })).json()
    const sizes = [await heap.size()]
    const first = post(queries[0])
    // While the codes come in, too.
    for (let waiting = true; waiting; sizes.push(await heap.size())) {
      waiting = await Promise.race([first.then(() => false), new Promise((resolve) => setTimeout(resolve, 20, true))])
    }
    assert.deepEqual((await first).results, expected[0])
    const opened = (await memoryOf(pid)).now - before.now
    for (let i = 0; i < 10; i++) {
      const answers = await Promise.all(queries.map(post))
      const found = answers.map(({ results }) => results)
      assert.deepEqual(found, expected)
      sizes.push(await heap.size())
    }
    for (const [i, query] of example.queries.slice(0, 200).entries()) {
      await post(query)
      if (i % 20 === 0) sizes.push(await heap.size())
    }
    heap.close()
    const { wasmBytes } = await worker.counts()
    const [most, wasm, process] = [Math.max(...sizes), wasmBytes, opened].map((bytes) => (bytes / 1e6).toFixed(1))
    const note = `heap and buffers at most ${most} MB, wasm ${wasm} MB; the process grew by ${process} MB at opening`
    assert.ok(Math.max(...sizes) + wasmBytes < 128e6 && opened < 128e6, note)
    return note
  } finally {
    await worker.stop()
    files.close()
  }
}

const BYTES = { 'Content-Type': 'application/octet-stream' }

/** Random vectors under keys, made by the installed package. */
async function randomIndex({ project, folder }) {
  const file = join(folder, 'random.safetensors')
  const source = `
    import { buildIndex } from 'packvec/node'
    function* batches() {
      let state = 1
      for (let first = 0; first < ${ROWS}; first += 10_000) {
        const data = new Float32Array(10_000 * ${DIMS})
        for (let i = 0; i < data.length; i++) {
          state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
          data[i] = (state >>> 8) / 2 ** 23 - 1
        }
        const ids = Array.from({ length: 10_000 }, (_, i) => 'document ' + (first + i))
        yield { embeddings: { data, dims: [10_000, ${DIMS}] }, ids }
      }
    }
    await buildIndex(${JSON.stringify(file)}, batches())`
  await writeFile(join(project, 'random.js'), source)
  await run(process.execPath, ['random.js'], { cwd: project })
  return file
}

/** CPU of workerd up to the first answer, beside that of a Worker which does nothing; the least of five starts. */
async function startUp(made) {
  const example = await edgeExample(made)
  const bundle = await bundleWorker(example)
  const idle = 'export default { fetch: () => new Response() }'
  const nothing = { ...bundle, modules: [{ type: 'ESModule', path: 'index.js', contents: idle }] }
  const times = { idle: [], example: [], open: [], search: [] }
  for (let i = 0; i < 5; i++) {
    times.idle.push((await measure(nothing)).start)
    const { start, open, search } = await measure(bundle, example)
    times.example.push(start)
    times.open.push(open)
    times.search.push(search)
  }
  const least = (name) => Math.min(...times[name])
  const [start, open, search] = [least('example') - least('idle'), least('open'), least('search')]
  assert.ok([start, open, search].every(Number.isFinite))
  return `start ${start.toFixed(1)}, first search (it opens 2,915 rows) ${open.toFixed(1)}, further ones ${search.toFixed(2)} each`
}

async function measure(bundle, example) {
  const files = example && (await serveFile(example.corpus))
  const worker = await startWorker(bundle, { indexUrl: files?.url })
  try {
    const pid = await findWorkerd()
    await worker.fetch('/')
    const start = await cpuOf(pid)
    if (example === undefined) return { start }
    const post = async (query) =>
      (await worker.fetch('/search', { method: 'POST', headers: BYTES, body: query })).text()
    await post(example.queries[0])
    const open = (await cpuOf(pid)) - start
    for (const query of example.queries.slice(1, 101)) await post(query)
    return { start, open, search: ((await cpuOf(pid)) - start - open) / 100 }
  } finally {
    await worker.stop()
    files?.close()
  }
}
